"""The checkpoint browser wired to the services; like `wiring`, a part of the TUI that calls them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tcao_tui import paths
from tcao_tui.domain.checkpoint_actions import ActionRequest
from tcao_tui.domain.checkpoint_listing import CheckpointListing, ListedCheckpoint
from tcao_tui.domain.hub_push import HubPush
from tcao_tui.domain.pruning import Pruning
from tcao_tui.domain.wording import bytes_text
from tcao_tui.errors import BackendError, Refused
from tcao_tui.services import pushing
from tcao_tui.services.backend_helper import BackendHelper, Ticket
from tcao_tui.services.backends import Profile
from tcao_tui.services.checkpoint_details import CheckpointDetails, details, settings_at
from tcao_tui.services.checkpoints import ActionReport, CheckpointDesk
from tcao_tui.services.exports import download, download_consequence, export
from tcao_tui.services.go_back import plan_go_back
from tcao_tui.services.runs import find_run
from tcao_tui.services.weights_source import WeightsSource, weights_source
from tcao_tui.store.sqlite import SqliteStore
from tcao_tui.tui.ports import PushOffer, TakeAway, TakenForm

if TYPE_CHECKING:
    from tcao_tui.clients.weight_calls import Progress


class ConsoleCheckpoints:
    """The checkpoints of one server as the browser sees them; see `ports.CheckpointsPort`.

    Args:
        store: The run store, closed with it.
        runs_root: Its root.
        profile: The server.
    """

    def __init__(self, store: SqliteStore, runs_root: Path, profile: Profile) -> None:
        self._store, self._runs_root, self._profile = store, runs_root, profile
        self._helper = BackendHelper(profile.name)
        self._desk = CheckpointDesk(store, profile, self._helper)
        self._listing: CheckpointListing | None = None
        self._given_up = Ticket()

    @property
    def backend(self) -> str:
        """Name of the server's profile."""
        return self._profile.name

    def listing(self, on_page: Callable[[CheckpointListing], None]) -> CheckpointListing:
        """All checkpoints; resume points of runs that are down and would be lost within a week are extended."""
        self._listing = self._desk.listing(on_page)
        if not self._desk.offers.why_not("ttl"):
            self._desk.guard(self._listing)
        return self._listing

    def details(self, checkpoint: ListedCheckpoint) -> CheckpointDetails:
        """What it was made of."""
        assert self._listing is not None
        return details(self._helper, self._runs_root, checkpoint, self._listing)

    def settings(self, checkpoint: ListedCheckpoint) -> Mapping[str, Any]:
        """What made the weights, by key path."""
        return settings_at(self._runs_root, checkpoint)

    def act(
        self,
        request: ActionRequest,
        checkpoints: Sequence[ListedCheckpoint],
        on_done: Callable[[str], None] | None = None,
    ) -> ActionReport:
        """Do it."""
        return self._desk.act(request, checkpoints, on_done)

    def prune(self, pruning: Pruning, on_done: Callable[[str], None]) -> ActionReport:
        """Delete exactly what was shown."""
        return self._desk.prune(pruning, digest=pruning.digest, on_done=on_done)

    def plan_take_away(self, checkpoint: ListedCheckpoint, form: TakenForm) -> TakeAway:
        """What a download or an export would do."""
        source = weights_source(self._store, self._runs_root, checkpoint.path)
        folder = paths.exports_dir() / f"{source.label}-{form}"
        return TakeAway(form, source.path, download_consequence(self._profile, source), folder, source)

    def take_away(self, wanted: TakeAway, tell: Callable[[str], None]) -> str:
        """Download, and where it is wanted build and prove, in a helper of its own."""
        source = wanted.source
        assert isinstance(source, WeightsSource)
        with BackendHelper(self._profile.name, purpose="export") as helper:
            if wanted.form == "weights":
                got = download(helper, source, wanted.folder, lambda p: tell(progress_text(p)), self._given_up)
                return f"{len(got.files)} files, {bytes_text(got.total_bytes)}, are in {wanted.folder}"
            report = export(
                helper,
                self._profile,
                source,
                wanted.form,
                wanted.folder,
                on_progress=lambda p: tell(progress_text(p)),
                ticket=self._given_up,
            )
        if not report.ready_to_serve:
            raise BackendError(
                "the export does not answer as the backend does; it is not ready to serve",
                where=str(wanted.folder),
                next_step="read parity.json there",
            )
        return f"Ready to serve: {wanted.folder}; README.md there says how"

    def plan_push(self, checkpoint: ListedCheckpoint, form: TakenForm) -> PushOffer:
        """What would be published: the export that is there, or one that is made first."""
        wanted = self.plan_take_away(checkpoint, form)
        if wanted.folder.is_dir():
            pushing.require_export_of(wanted.folder, wanted.path)
            return PushOffer(wanted, pushing.what_goes(wanted.folder), is_there=True)
        size = "as large as the base model" if form == "merged" else self._sampler_size(checkpoint)
        what = f"The files of an export ({size}), made and proved first in {wanted.folder},"
        return PushOffer(wanted, HubPush(what), is_there=False)

    def _sampler_size(self, checkpoint: ListedCheckpoint) -> str:
        """About as large as an adapter: without the optimiser's state."""
        place = checkpoint.server.training_run, checkpoint.server.name
        listed = self._listing.checkpoints if self._listing else ()
        same = (c.server for c in listed if (c.server.training_run, c.server.name) == place)
        size = next((server.size_bytes for server in same if server.kind == "sampler"), None)
        return "of unknown size" if size is None else f"about {bytes_text(size)}"

    def push(self, offer: PushOffer, push: HubPush, tell: Callable[[str], None]) -> str:
        """Export where there is none, judge what is there, and upload, in helpers of their own."""
        if not offer.is_there:
            self.take_away(offer.export, tell)
        plan = pushing.plan_push(offer.export.folder, push.repository, private=push.private)
        with BackendHelper(self._profile.name, purpose="push") as helper:
            url = pushing.push(
                helper,
                plan,
                typed=push.typed,
                on_progress=lambda p: tell(progress_text(p)),
                ticket=self._given_up,
            )
        return f"{'Private' if push.private else 'Public'} on the Hub: {url}"

    def plan_go_back(self, checkpoint: ListedCheckpoint) -> str:
        """What it means for its run to go on from there."""
        if checkpoint.own is None:
            raise Refused("no run here saved this checkpoint", where=checkpoint.path)
        run = find_run(self._store, checkpoint.own.run_id)
        return plan_go_back(self._store, run, checkpoint.path).consequence

    def close(self) -> None:
        """Let the server go in the background, since ending its session takes a while."""
        threading.Thread(target=self._end, name="close checkpoints", daemon=True).start()

    def _end(self) -> None:
        self._given_up.cancel()
        self._helper.close()
        self._store.close()


def progress_text(progress: Progress) -> str:
    """`downloading 1.2 MB of 2.7 MB`."""
    if not progress.unit:
        return progress.doing
    numbers = [n for n in (progress.done, progress.total) if n is not None]
    told = " of ".join(bytes_text(n) if progress.unit == "bytes" else str(n) for n in numbers)
    return f"{progress.doing}: {told}" + ("" if progress.unit == "bytes" else f" {progress.unit}")
