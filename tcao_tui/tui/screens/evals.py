"""The screen of evaluations: their feed, the matrix, and what a person has done with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from tcao_tui.tui.evals_acts import EvalActs, Offered
from tcao_tui.tui.evals_feed import EvalsFeed
from tcao_tui.tui.evals_port import EvalsWanted, EvaluationsPort
from tcao_tui.tui.intents import not_done
from tcao_tui.tui.keys import Scope
from tcao_tui.tui.messages import BackToRuns, SourceFailed
from tcao_tui.tui.panes.evals.pane import EvalsPane
from tcao_tui.tui.ports import Ports
from tcao_tui.tui.widgets.key_footer import KeyFooter


class EvalsScreen(Screen[None]):
    """The evaluations of a run, or logs made elsewhere.

    Args:
        ports: What may be asked for.
        wanted: Which evaluations.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = "EvalsScreen { layout: vertical; }"
    scopes = (Scope.EVALS, Scope.APP)

    def __init__(self, ports: Ports, wanted: EvalsWanted) -> None:
        super().__init__()
        self._pane = EvalsPane(ports.clock)
        self._feed = EvalsFeed(lambda: ports.open_evaluations(wanted))
        self._acts = EvalActs(self)
        self._offers_at_once = wanted.checkpoints

    def compose(self) -> ComposeResult:
        """The matrix, its feed and the keys."""
        yield self._pane
        yield KeyFooter(*self.scopes)
        yield self._feed

    @property
    def source(self) -> EvaluationsPort | None:
        """The port, once it is open."""
        return self._feed.source

    @property
    def pane(self) -> EvalsPane:
        """The matrix."""
        return self._pane

    def why_not(self, act: str) -> str:
        """Why something cannot be done here; empty when it can."""
        return self.source.why_not(act) if self.source is not None else ""

    @on(EvalsFeed.Found)
    def _show(self, event: EvalsFeed.Found) -> None:
        with self.app.batch_update():
            self._pane.show(event.matrix)
        acts = ("start", "choose", "report", "resume", "drain", "cancel")
        self.query_one(KeyFooter).leave_out(frozenset(f"evals.{act}" for act in acts if self.why_not(act)))
        if self._offers_at_once:
            checkpoints, self._offers_at_once = self._offers_at_once, ()
            self._acts.start(checkpoints)

    @on(EvalsPane.Left)
    def _leave(self) -> None:
        self.app.post_message(BackToRuns())

    @on(EvalsPane.ActWanted)
    def _act(self, event: EvalsPane.ActWanted) -> None:
        if why_not := self.why_not(event.act):
            self.notify(why_not, markup=False)
        elif self.source is not None:
            self._acts.carry_out(event.act, event.subject)

    @on(EvalsPane.CellWanted)
    def _open_cell(self, event: EvalsPane.CellWanted) -> None:
        matrix = self._pane.matrix
        if self.source is None or matrix is None:
            return
        from tcao_tui.tui.screens.evals_samples import EvalSamplesScreen

        self.app.push_screen(EvalSamplesScreen(self.source, lambda: self._pane.matrix or matrix, event.cell))

    def in_thread(self, doing: str, work: Callable[[EvaluationsPort], Message | None]) -> None:
        """Have the port do something, said in the first line meanwhile; the message that it comes to is posted."""
        source = self.source
        if source is not None:
            self._pane.say(doing)
            self.run_worker(lambda: work(source), group="acts", thread=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Take what a thread found."""
        worker: Worker[Any] = event.worker
        if event.state not in (WorkerState.SUCCESS, WorkerState.ERROR):
            return
        self._pane.say("")
        message = not_done(worker.error) if event.state is WorkerState.ERROR else worker.result
        if message is not None:
            self.post_message(message)
        self._feed.ask()

    @on(Offered)
    def _offered(self, event: Offered) -> None:
        self._acts.offered(event)

    @on(SourceFailed)
    def _failed(self, event: SourceFailed) -> None:
        if self._pane.matrix is None:
            event.stop()
            self._pane.show_failure(event.what, event.next_step)
