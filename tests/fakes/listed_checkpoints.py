"""Checkpoints of a server without a server: of two runs of ours, of a foreign one, and as many as one likes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tcao_tui.clients.checkpoint_calls import WeightsInfo
from tcao_tui.domain.checkpoint_actions import Action, ActionRequest
from tcao_tui.domain.checkpoint_listing import (
    CheckpointKind,
    CheckpointListing,
    CheckpointNote,
    LayerScore,
    ListedCheckpoint,
    Offers,
    OwnCheckpoint,
    ServerCheckpoint,
    TrainingRun,
    storage_usd_per_month,
)
from tcao_tui.domain.checkpoints import CheckpointReason
from tcao_tui.domain.hub_push import HubPush
from tcao_tui.domain.pruning import Pruning
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.errors import BackendError, TcaoError
from tcao_tui.services.checkpoint_details import CheckpointDetails
from tcao_tui.services.checkpoints import ActionReport
from tcao_tui.tui.ports import PushOffer, TakeAway, TakenForm
from tests.fakes.views import STARTED_AT

NOW = STARTED_AT
HOUR, DAY = 3600, 86400
TICKETS, GRADES = "20260101-100000-tickets-1a2b", "20251230-090000-grades-77aa"
LACKING = {"ttl": "this server has no TTL", "publish": "this server does not publish checkpoints"}


def server(
    training_run: str, name: str, kind: CheckpointKind = "training", *, age: float = HOUR, **more: Any
) -> ServerCheckpoint:
    segment = {"training": "weights", "sampler": "sampler_weights", "external": "external_weights"}[kind]
    path = f"tinker://{training_run}/{segment}/{name}"
    given: dict[str, Any] = {"size_bytes": 809_000, "public": False, "created_at": NOW - age, **more}
    return ServerCheckpoint(path=path, training_run=training_run, name=name, kind=kind, **given)


def own(run_id: str, step: int, status: RunStatus = RunStatus.COMPLETED, **more: Any) -> OwnCheckpoint:
    name = run_id.split("-")[2]
    return OwnCheckpoint(run_id, name, status, "tcao/tiny-qwen3", 1, step, **more)


def listed(at: ServerCheckpoint, mine: OwnCheckpoint | None = None, **more: Any) -> ListedCheckpoint:
    model = mine.base_model if mine else "Qwen/Qwen3-8B-Base"
    run = TrainingRun(id=at.training_run, base_model=model, lora_rank=16 if mine else 32)
    return ListedCheckpoint(at, run, mine, storage_usd_per_month=storage_usd_per_month(at.size_bytes, 0.03), **more)


def of_tickets() -> list[ListedCheckpoint]:
    """A run that is done: four steps with training state and weights to sample from, scored, the last one pinned."""
    found: list[ListedCheckpoint] = []
    for step in (80, 60, 40, 20):
        scores = (
            LayerScore(1, "val_mean_nll", 0.9 - step / 160, lower_is_better=True),
            LayerScore(3, "exact", step / 82),
        )
        reason: CheckpointReason = "final" if step == 80 else "periodic"
        mine = own(TICKETS, step, reason=reason, scores=scores)
        note = CheckpointNote("best so far", pinned=True) if step == 80 else CheckpointNote()
        age = HOUR + (80 - step) * 30
        for kind in ("training", "sampler"):
            expires = None if step == 80 else NOW + 20 * DAY + step * HOUR
            at = server(
                "0f1e2d3c-aaaa", f"001-{step:06d}", kind, age=age, expires_at=expires, metadata={"step": str(step)}
            )
            found.append(listed(at, mine, note=note))
    return found


def of_grades(status: RunStatus = RunStatus.PAUSED) -> list[ListedCheckpoint]:
    """A run that is paused, or down: its newer one expires in two days, and an older one was left behind."""
    newer = server("9b8c7d6e-bbbb", "002-000050", age=2 * DAY, expires_at=NOW + 2 * DAY)
    older = server("9b8c7d6e-bbbb", "001-000060", age=3 * DAY, expires_at=NOW + 9 * DAY)
    points = (newer.path,)
    resumed = "tinker://9b8c7d6e-bbbb/weights/001-000040"
    return [
        listed(newer, own(GRADES, 50, status, reason="pause", resume_points=points, resumed_from=resumed)),
        listed(older, own(GRADES, 60, status, reason="periodic", resume_points=points, superseded=True)),
    ]


def foreign() -> list[ListedCheckpoint]:
    """Of somebody else: public, large, one whose name tries to steer the terminal."""
    return [
        listed(server("77f0aa12-cccc", "final", "sampler", age=40 * DAY, size_bytes=1_310_000_000, public=True)),
        listed(server("77f0aa12-cccc", "evil\x1b[31m\u202ename", age=41 * DAY, size_bytes=None, public=None)),
    ]


def listing(*rows: ListedCheckpoint, complete: bool = True, **more: Any) -> CheckpointListing:
    """A listing of these, or of all there are here."""
    found = rows or (*of_tickets(), *of_grades(), *foreign())
    return CheckpointListing(tuple(found), len(found), complete, NOW, **more)


def many(count: int) -> CheckpointListing:
    """So many, twenty to a run."""
    rows = [
        listed(
            server(f"{i // 20:08x}-dddd", f"001-{i % 20:06d}", age=i * 60.0), own(f"20260101-100000-run{i // 20}-x", i)
        )
        for i in range(count)
    ]
    return listing(*rows)


class FakeCheckpoints:
    """The checkpoints of a server that a test sets; deletions, pins and labels show in the next listing.

    Attributes:
        pages: Told before the listing, the first time.
        acted: Action, paths, and what was typed or set.
        error: What the next listing fails with.
        refusal: What the next action fails with.
    """

    def __init__(self, found: CheckpointListing | None = None, *, pages: Sequence[CheckpointListing] = ()) -> None:
        self.found = found or listing()
        self.pages = pages
        self.backend = "local"
        self.acted: list[tuple[str, tuple[str, ...], str, int | None]] = []
        self.looked_up: list[str] = []
        self.error: TcaoError | None = None
        self.refusal: TcaoError | None = None
        self.failing: frozenset[str] = frozenset()
        self.listings = 0
        self.closed = False

    def listing(self, on_page: Callable[[CheckpointListing], None]) -> CheckpointListing:
        self.listings += 1
        for page in self.pages:
            on_page(page)
        if self.error is not None:
            raise self.error
        return self.found

    def details(self, checkpoint: ListedCheckpoint) -> CheckpointDetails:
        self.looked_up.append(checkpoint.path)
        if "evil" in checkpoint.path:
            raise BackendError("it is gone")
        weights = WeightsInfo(train_mlp=True, train_attn=True, train_unembed=False, console_url="https://console/x")
        ancestry = ("the run started from tcao/tiny-qwen3",) if checkpoint.own else ()
        return CheckpointDetails(checkpoint, weights, ancestry, {})

    def settings(self, checkpoint: ListedCheckpoint) -> Mapping[str, Any]:
        mine = checkpoint.own
        rate = 0.002 if mine and mine.run_id == TICKETS else 0.001
        return {"training.learning_rate": rate, "checkpoint.step": mine.step if mine else None}

    def act(
        self,
        request: ActionRequest,
        checkpoints: Sequence[ListedCheckpoint],
        on_done: Callable[[str], None] | None = None,
    ) -> ActionReport:
        paths = tuple(c.path for c in checkpoints)
        self.acted.append((request.action, paths, request.typed or request.label, request.ttl_seconds))
        if self.refusal is not None:
            raise self.refusal
        done = tuple(path for path in paths if path not in self.failing)
        for path in done:
            if on_done is not None:
                on_done(path)
        self._change(request.action, done, request.label)
        return ActionReport(done, tuple((path, "it is gone") for path in paths if path in self.failing))

    def prune(self, pruning: Pruning, on_done: Callable[[str], None]) -> ActionReport:
        return self.act(ActionRequest("delete", typed=pruning.digest), pruning.delete, on_done)

    def plan_take_away(self, checkpoint: ListedCheckpoint, form: TakenForm) -> TakeAway:
        if self.refusal is not None:
            raise self.refusal
        folder = Path("exports") / f"tickets-{form}"
        return TakeAway(
            form, checkpoint.path, "The local engine exports the weights; that costs nothing.", folder, None
        )

    def take_away(self, wanted: TakeAway, tell: Callable[[str], None]) -> str:
        tell("downloading: 1 MB of 2 MB")
        self.acted.append(("take away", (wanted.path,), wanted.form, None))
        return f"Ready to serve: {wanted.folder}"

    def plan_push(self, checkpoint: ListedCheckpoint, form: TakenForm) -> PushOffer:
        wanted = self.plan_take_away(checkpoint, form)
        what = f"The files of an export (about 809 kB), made and proved first in {wanted.folder},"
        return PushOffer(wanted, HubPush(what), is_there=False)

    def push(self, offer: PushOffer, push: HubPush, tell: Callable[[str], None]) -> str:
        tell("uploading")
        said = ("private" if push.private else "public", push.typed)
        self.acted.append(("push", (offer.export.path, push.repository), " ".join((offer.export.form, *said)), None))
        if self.refusal is not None:
            raise self.refusal
        return f"On the Hub: https://hub/{push.repository}"

    def plan_go_back(self, checkpoint: ListedCheckpoint) -> str:
        if self.refusal is not None:
            raise self.refusal
        assert checkpoint.own is not None
        return f"{checkpoint.own.run_name} goes back to step {checkpoint.own.step} of 80 and trains from there anew."

    def _change(self, action: Action, paths: Sequence[str], label: str) -> None:
        rows = [c for c in self.found.checkpoints if not (action == "delete" and c.path in paths)]
        changed = {"pin": {"pinned": True}, "unpin": {"pinned": False}, "label": {"label": label}}.get(action, {})
        rows = [replace(c, note=replace(c.note, **changed)) if c.path in paths else c for c in rows]
        self.found = replace(self.found, checkpoints=tuple(rows), total=len(rows))

    def close(self) -> None:
        self.closed = True


def lacking() -> CheckpointListing:
    """On a server that knows neither TTLs nor publishing."""
    return listing(offers=Offers(LACKING))
