"""The screen of the checkpoints of one server: their feed, their pane, and what is done to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from tcao_tui.domain.checkpoint_actions import ActionRequest
from tcao_tui.domain.checkpoint_listing import ListedCheckpoint
from tcao_tui.domain.comparison import differences
from tcao_tui.domain.pruning import Pruning
from tcao_tui.errors import TcaoError
from tcao_tui.tui.checkpoint_acts import OFFERS, CheckpointActs
from tcao_tui.tui.checkpoint_commands import Asked, doing_text, done_text
from tcao_tui.tui.checkpoints_feed import CheckpointsFeed
from tcao_tui.tui.intents import not_done
from tcao_tui.tui.keys import Scope
from tcao_tui.tui.messages import Done, NotDone, SourceFailed
from tcao_tui.tui.panes.checkpoints.details import Details
from tcao_tui.tui.panes.checkpoints.pane import CheckpointsPane
from tcao_tui.tui.panes.checkpoints.view import CheckpointsView
from tcao_tui.tui.ports import CheckpointsPort, Ports
from tcao_tui.tui.widgets.key_footer import KeyFooter

if TYPE_CHECKING:
    from tcao_tui.services.checkpoints import ActionReport


class CheckpointsScreen(Screen[None]):
    """All checkpoints of a server.

    Args:
        ports: What may be asked for.
        backend: Name of the server's profile; empty for the one in the settings.
        run_id: Show those of this run only, to begin with.
        at_run: Put the cursor on this run, to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = "CheckpointsScreen { layout: vertical; }"
    scopes = (Scope.CHECKPOINTS, Scope.APP)

    @dataclass
    class Acted(Message):
        """What came of an action."""

        asked: Asked
        report: ActionReport

    @dataclass
    class FoundOut(Message):
        """What the port found; `go_on` takes it."""

        go_on: Callable[[], None]

    @dataclass
    class Doing(Message):
        """How far something is."""

        text: str

    @dataclass
    class TookTime(Message):
        """Something that took long is done."""

        told: str

    @dataclass
    class LookedUp(Message):
        """What was found out about a checkpoint."""

        details: Details

    def __init__(self, ports: Ports, backend: str = "", *, run_id: str = "", at_run: str = "") -> None:
        super().__init__()
        self._ports, self._backend = ports, backend
        self._pane = CheckpointsPane(ports.clock, backend=backend, run_id=run_id, at_run=at_run)
        self._feed = CheckpointsFeed(lambda: ports.open_checkpoints(backend))

    def compose(self) -> ComposeResult:
        """The table, its feed and the keys."""
        yield self._pane
        yield KeyFooter(*self.scopes)
        yield self._feed

    @property
    def backend(self) -> str:
        """Name of the server's profile; empty while it is not known."""
        return self._feed.source.backend if self._feed.source else self._backend

    @property
    def listed(self) -> Sequence[ListedCheckpoint]:
        """All checkpoints, as far as they are listed."""
        listing = self._pane.seen.listing
        return listing.checkpoints if listing else ()

    def now(self) -> float:
        """Unix seconds."""
        return self._ports.clock()

    def why_not(self, act: str) -> str:
        """Why the server does not offer an act; empty when it does."""
        listing = self._pane.seen.listing
        return listing.offers.why_not(OFFERS.get(act, act)) if listing else ""

    @on(CheckpointsFeed.Listed)
    def _show(self, event: CheckpointsFeed.Listed) -> None:
        with self.app.batch_update():
            self._pane.show(event.listing, event.backend)

    @on(SourceFailed)
    def _failed(self, event: SourceFailed) -> None:
        event.stop()
        self._pane.show_failure(event.what, event.next_step)

    @on(CheckpointsView.Moved)
    def _offer(self) -> None:
        self.query_one(KeyFooter).leave_out(frozenset(f"ckpt.{act}" for act in OFFERS if self.why_not(act)))

    @on(CheckpointsPane.Left)
    def _leave(self) -> None:
        self.dismiss()

    @on(CheckpointsPane.ActWanted)
    def _act(self, event: CheckpointsPane.ActWanted) -> None:
        CheckpointActs(self, self._do, self._do_prune).carry_out(event.act, event.checkpoints)

    @on(CheckpointsPane.DetailsWanted)
    def _look_up(self, event: CheckpointsPane.DetailsWanted) -> None:
        if (source := self._feed.source) is not None:
            self._in_thread("details", lambda: self.LookedUp(_details(source, event.checkpoint, event.other)))

    def _do(self, asked: Asked) -> None:
        if (source := self._feed.source) is not None:
            tell = self._counting(asked)
            self._in_thread("acts", lambda: self.Acted(asked, _acted(source, asked, tell)))

    def _do_prune(self, pruning: Pruning) -> None:
        asked = Asked("delete", pruning.delete)
        if (source := self._feed.source) is not None:
            tell = self._counting(asked)
            self._in_thread("acts", lambda: self.Acted(asked, source.prune(pruning, tell)))

    def _counting(self, asked: Asked) -> Callable[[str], None]:
        """Says how many are dealt with, from the thread that does it."""
        dealt_with: list[str] = []

        def tell(path: str) -> None:
            dealt_with.append(path)
            self.post_message(self.Doing(doing_text(asked, len(dealt_with))))

        self._pane.say(doing_text(asked, 0))
        return tell

    def find_out[T](self, look: Callable[[CheckpointsPort], T], then: Callable[[T], None]) -> None:
        """Ask the port in a thread, and go on with its answer."""

        def found(source: CheckpointsPort) -> CheckpointsScreen.FoundOut:
            answer = look(source)
            return self.FoundOut(lambda: then(answer))

        if (source := self._feed.source) is not None:
            self._in_thread("acts", lambda: found(source))

    @on(FoundOut)
    def _found_out(self, event: FoundOut) -> None:
        event.go_on()

    def take_time(self, work: Callable[[CheckpointsPort, Callable[[str], None]], str]) -> None:
        """Have done what takes long, in a thread: the first line says how far it is, a notice what came of it."""

        def tell(doing: str) -> None:
            self.post_message(self.Doing(doing))

        if (source := self._feed.source) is not None:
            self._pane.say("starting a helper ...")
            self._in_thread("acts", lambda: self.TookTime(work(source, tell)))

    @on(Doing)
    def _doing(self, event: Doing) -> None:
        self._pane.say(event.text)

    @on(TookTime)
    def _took_time(self, event: TookTime) -> None:
        self._pane.say("")
        self.notify(event.told, timeout=10, markup=False)

    def _in_thread(self, group: str, work: Callable[[], Message]) -> None:
        self.run_worker(work, group=group, thread=True, exclusive=group == "details", exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Take what a thread found."""
        worker: Worker[Any] = event.worker
        if event.state is WorkerState.SUCCESS and worker.result is not None:
            self.post_message(worker.result)
        elif event.state is WorkerState.ERROR:
            self._pane.say("")
            self.app.post_message(not_done(worker.error))
            self._feed.ask()

    @on(LookedUp)
    def _looked_up(self, event: LookedUp) -> None:
        self._pane.show_details(event.details)

    @on(Acted)
    def _acted(self, event: Acted) -> None:
        self._pane.say("")
        done, failed = event.report.done, event.report.failed
        if done:
            self.app.post_message(Done(done_text(event.asked, len(done))))
        if failed:
            path, error = failed[0]
            more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
            self.app.post_message(NotDone(f"{path}: {error}{more}"))
        self._feed.ask()


def _acted(source: CheckpointsPort, asked: Asked, tell: Callable[[str], None]) -> ActionReport:
    request = ActionRequest(asked.meant, typed=asked.text, ttl_seconds=asked.ttl_seconds, label=asked.text)
    return source.act(request, asked.checkpoints, tell)


def _details(source: CheckpointsPort, checkpoint: ListedCheckpoint, other: ListedCheckpoint | None) -> Details:
    """What can be found out; what cannot is said in its place."""
    differ = differences([source.settings(c) for c in (checkpoint, other)]) if other is not None else ()
    try:
        return Details(checkpoint.path, source.details(checkpoint), other, differ)
    except TcaoError as error:
        return Details(checkpoint.path, None, other, differ, error.what)
