"""The first screen: the run list and its feed."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from tcao_tui.tui.evals_port import EvalsWanted
from tcao_tui.tui.expiry_bar import ExpiryBar, ExpiryFeed
from tcao_tui.tui.feed import RunsFeed
from tcao_tui.tui.keys import CONTROLS, Scope, senseless
from tcao_tui.tui.messages import OpenEvals, RunsChanged
from tcao_tui.tui.panes.run_list.pane import CheckpointsWanted, RunListPane
from tcao_tui.tui.ports import Ports
from tcao_tui.tui.widgets.key_footer import KeyFooter


class RunsScreen(Screen[None]):
    """All runs."""

    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = "RunsScreen { layout: vertical; }"
    scopes = (Scope.RUNS, Scope.RUN, Scope.APP)

    def __init__(self, ports: Ports) -> None:
        super().__init__()
        self._ports = ports

    def compose(self) -> ComposeResult:
        """The list, its feed and the keys."""
        yield ExpiryBar(self._ports.open_expiry)
        yield RunListPane(self._ports.clock)
        yield KeyFooter(*self.scopes)
        yield RunsFeed(self._ports.open_runs)

    @on(RunsChanged)
    def _show(self, event: RunsChanged) -> None:
        with self.app.batch_update():
            self.query_one(RunListPane).show(event.rows)

    @on(RunListPane.Highlighted)
    def _offer(self, event: RunListPane.Highlighted) -> None:
        needless = frozenset({"run.back"})
        without = CONTROLS | {"runs.open", "runs.evals", "runs.mark", "runs.compare", "runs.filter", "runs.sort"}
        footer = self.query_one(KeyFooter)
        footer.leave_out(needless | (without if event.row is None else senseless(event.row.status)))

    @on(RunListPane.NewWanted)
    def _new(self) -> None:
        from tcao_tui.tui.screens.new_run import NewRunScreen

        self.app.push_screen(NewRunScreen())

    def action_evals(self) -> None:
        """See the evaluations of the run under the cursor."""
        if (row := self.query_one(RunListPane).row) is not None:
            self.app.post_message(OpenEvals(EvalsWanted(row.run_id)))

    @on(CheckpointsWanted)
    def _browse(self) -> None:
        from tcao_tui.tui.screens.checkpoints import CheckpointsScreen

        row = self.query_one(RunListPane).row
        here = CheckpointsScreen(self._ports, row.backend, at_run=row.run_id) if row else CheckpointsScreen(self._ports)
        self.app.push_screen(here)

    def on_screen_resume(self) -> None:
        """Look again at once after coming back."""
        for feed in self.query(RunsFeed):
            feed.ask()
        for expiry in self.query(ExpiryFeed):
            expiry.look_again()
