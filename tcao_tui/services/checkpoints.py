"""Use cases on the checkpoints of one server: list them with what our runs know, act on them with the consequence said.

Every call goes through the helper process and may be made from any thread but a screen's own. What a checkpoint was
made of is `checkpoint_details`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tcao_tui.clients.backend_calls import Call, Nothing, Shape
from tcao_tui.clients.checkpoint_calls import (
    Acted,
    AskOffers,
    CheckpointPage,
    DeleteCheckpoints,
    ListCheckpoints,
    SetPublic,
    SetTtl,
)
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.domain.checkpoint_actions import Action, ActionRequest, consequences
from tcao_tui.domain.checkpoint_listing import (
    EVERYTHING,
    CheckpointListing,
    ListedCheckpoint,
    Offers,
    ServerCheckpoint,
    SetExpiry,
    TrainingRun,
)
from tcao_tui.domain.expiring import GUARDED_SECONDS, to_guard
from tcao_tui.domain.pruning import Pruning
from tcao_tui.errors import NeedsInput, Refused
from tcao_tui.services.backend_helper import Ticket
from tcao_tui.services.backends import Profile
from tcao_tui.services.checkpoint_rows import CheckpointRows
from tcao_tui.store.port import RunStore

TOLD_SECONDS = 0.25
"""Least time between two tellings of a listing that is under way; its first page is told at once."""

OFFER_OF: Mapping[Action, str] = {
    "keep": "ttl",
    "ttl": "ttl",
    "publish": "publish",
    "unpublish": "publish",
    "delete": "delete",
}
"""What a server must offer for an action; pins and labels are ours."""

_MISSING = {
    "list": "this server lists no checkpoints; these are those that your runs recorded",
    "describe": "this server does not describe weights",
    "ttl": "this server has no TTL",
    "publish": "this server does not publish checkpoints",
    "delete": "this server does not delete checkpoints",
    "download": "this server does not export weights",
}
_BY_RUNS = "this server lists checkpoints by training run only, so they come run by run"


class Asks(Protocol):
    """Who asks the server; `BackendHelper` does."""

    def call[PartT: Shape, ResultT: Shape](
        self, call: Call[PartT, ResultT], on_part: Callable[[PartT], None] | None = None, ticket: Ticket | None = None
    ) -> ResultT:
        """See `BackendHelper.call`."""
        ...


@dataclass(frozen=True, slots=True)
class ActionReport:
    """What came of an action: paths that it was done to, and an error for each other one."""

    done: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()


class CheckpointDesk:
    """What a screen or a command may do with the checkpoints of one server.

    Args:
        store: The run store.
        profile: The server.
        helper: Asks it.
        clock: Unix seconds.
        monotonic: Seconds on a clock that does not jump.
    """

    def __init__(
        self,
        store: RunStore,
        profile: Profile,
        helper: Asks,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notes, self._helper = store.checkpoint_notes, helper
        self._rows = CheckpointRows(store, profile)
        self._clock, self._monotonic = clock, monotonic
        self._offers: Offers | None = None

    @property
    def offers(self) -> Offers:
        """What the server lacks, as far as that is known by now."""
        return self._offers or EVERYTHING

    def listing(
        self, on_page: Callable[[CheckpointListing], None] | None = None, ticket: Ticket | None = None
    ) -> CheckpointListing:
        """List everything; `on_page` takes what is known so far, in this thread. Raises as `Asks.call` does."""
        found: dict[str, ServerCheckpoint] = {}
        runs: dict[str, TrainingRun] = {}
        total: int | None = None
        told_at = -TOLD_SECONDS

        def take(page: CheckpointPage) -> None:
            nonlocal total, told_at
            found.update((checkpoint.path, checkpoint) for checkpoint in page.checkpoints)
            runs.update((run.id, run) for run in page.training_runs)
            total = page.total if page.total is not None else total
            if on_page is not None and found and self._monotonic() - told_at >= TOLD_SECONDS:
                on_page(CheckpointListing(self._rows.of(found, runs), total, False, self._clock(), self.offers))
                told_at = self._monotonic()

        notes: tuple[str, ...] = ()
        try:
            notes = (_BY_RUNS,) if self._helper.call(ListCheckpoints(), take, ticket).by_runs else ()
        except Unsupported:
            found.update((checkpoint.path, checkpoint) for checkpoint in self._rows.recorded())
            notes = (_MISSING["list"],)
        self._ask_offers(ticket)
        rows = self._rows.of(found, runs, complete=True)
        return CheckpointListing(rows, len(rows), True, self._clock(), self.offers, notes)

    def act(
        self,
        request: ActionRequest,
        checkpoints: Sequence[ListedCheckpoint],
        on_done: Callable[[str], None] | None = None,
    ) -> ActionReport:
        """Do it, if `domain.checkpoint_actions.consequences` allows it and what must be typed was.

        Args:
            request: What to do.
            checkpoints: As they were shown; runs and notes are looked up again.
            on_done: Takes each path that is dealt with, in this thread.

        Raises:
            Refused: It is not done, and why.
            NeedsInput: What must be typed was not.
            Unsupported: The server offers no such thing; `offers` says so from now on.
        """
        action, ttl_seconds = request.action, request.ttl_seconds
        said = consequences(action, self._rows.again(checkpoints), now=self._clock(), ttl_seconds=ttl_seconds)
        if said.refusal:
            raise Refused(said.refusal, next_step="tcao ckpt ls")
        if said.confirm and request.typed != said.confirm:
            raise NeedsInput(f"to {action}, type {said.confirm}", where=" ".join(said.lines))
        paths = tuple(checkpoint.path for checkpoint in checkpoints)
        match action:
            case "label":
                self._notes.write(paths, label=request.label)
                return ActionReport(paths)
            case "pin":
                return self._pin(checkpoints, on_done)
            case "unpin":
                self._notes.write(paths, pinned=False)
                return ActionReport(paths)
            case "keep" | "ttl":
                return self._ask(SetTtl(paths=paths, ttl_seconds=ttl_seconds if action == "ttl" else None), on_done)
            case "publish" | "unpublish":
                return self._ask(SetPublic(paths=paths, public=action == "publish"), on_done)
            case "delete":
                return self._ask(DeleteCheckpoints(paths=paths), on_done)

    def prune(self, pruning: Pruning, *, digest: str, on_done: Callable[[str], None] | None = None) -> ActionReport:
        """Delete exactly what was shown.

        Raises:
            NeedsInput: `digest` is that of something else.
            Refused: Something of it was pinned, or became what a run would go on from, in the meantime.
        """
        if digest != pruning.digest:
            raise NeedsInput(
                f"what would be deleted is not what was confirmed: {len(pruning.delete)} checkpoints, {pruning.digest}",
                next_step="look at the list, then confirm it by its digest",
            )
        now = self._rows.again(pruning.delete)
        if changed := [
            c for c in now if c.note.pinned or (c.own and c.own.is_active and c.path in c.own.resume_points)
        ]:
            raise Refused(
                f"{changed[0].path} is needed by now", next_step="tcao ckpt prune shows what is left to delete"
            )
        return self._ask(DeleteCheckpoints(paths=tuple(c.path for c in pruning.delete)), on_done)

    def guard(self, listing: CheckpointListing) -> ActionReport:
        """Extend resume points of runs that are paused or down and would lose them within a week."""
        wanted = tuple(checkpoint.path for checkpoint in to_guard(listing.checkpoints, now=self._clock()))
        return self._ask(SetTtl(paths=wanted, ttl_seconds=GUARDED_SECONDS)) if wanted else ActionReport()

    def _pin(self, checkpoints: Sequence[ListedCheckpoint], on_done: Callable[[str], None] | None) -> ActionReport:
        """Note first: from then on the worker keeps it, whatever becomes of the TTL."""
        self._notes.write([checkpoint.path for checkpoint in checkpoints], pinned=True)
        lasting = tuple(c.path for c in checkpoints if c.server.expires_at is None)
        going = tuple(c.path for c in checkpoints if c.server.expires_at is not None)
        report = self._ask(SetTtl(paths=going, ttl_seconds=None), on_done) if going else ActionReport()
        return replace(report, done=(*lasting, *report.done))

    def _ask(self, call: Call[Acted, Nothing], on_done: Callable[[str], None] | None = None) -> ActionReport:
        done: list[str] = []
        failed: list[tuple[str, str]] = []

        def take(acted: Acted) -> None:
            if acted.error:
                failed.append((acted.path, acted.error))
            else:
                done.append(acted.path)
            if on_done is not None:
                on_done(acted.path)

        try:
            self._helper.call(call, take)
        except Unsupported as error:
            offer = call.name.rpartition(".")[2]
            self._offers = Offers({**self.offers.missing, offer: _MISSING[offer]})
            raise Unsupported(_MISSING[offer], where=error.where) from error
        self._note(call, done)
        return ActionReport(tuple(done), tuple(failed))

    def _note(self, call: Call[Acted, Nothing], paths: Sequence[str]) -> None:
        """What becomes of expiries is noted, since only a run's worker may say it in the run's events."""
        now = self._clock()
        match call:
            case DeleteCheckpoints():
                self._notes.write(paths, label="", pinned=False, expiry=SetExpiry(now, None))
            case SetTtl(ttl_seconds=int(ttl_seconds)):
                self._notes.write(paths, expiry=SetExpiry(now, now + ttl_seconds))
            case SetTtl():
                self._notes.write(paths, expiry=SetExpiry(now, None))
            case _:
                pass

    def _ask_offers(self, ticket: Ticket | None) -> None:
        if self._offers is None:
            missing = self._helper.call(AskOffers(), ticket=ticket).missing
            self._offers = Offers({action: _MISSING[action] for action in missing})
