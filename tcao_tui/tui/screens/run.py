"""The screen of one run: its feed and its panes, of which one is in sight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from tcao_tui.domain.run_view import RunView
from tcao_tui.tui.evals_port import EvalsWanted
from tcao_tui.tui.expiry_bar import ExpiryBar
from tcao_tui.tui.feed import RunFeed
from tcao_tui.tui.keys import CONTROLS, Scope, senseless
from tcao_tui.tui.messages import BackToRuns, ChangeSetting, LogChanged, LogWanted, OpenEvals, RunChanged
from tcao_tui.tui.pane import Pane
from tcao_tui.tui.panes.training.pane import TrainingPane
from tcao_tui.tui.ports import Ports
from tcao_tui.tui.widgets.key_footer import KeyFooter

if TYPE_CHECKING:
    from tcao_tui.domain.pipeline import StagePlan
    from tcao_tui.domain.setting_request import SettingRequest
    from tcao_tui.domain.training_config import SettingKey


class RunScreen(Screen[None]):
    """One run.

    Args:
        ports: What may be asked for.
        ref: The run: id, unique prefix, name, `latest`, or a directory for the cookbook's.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = "RunScreen { layout: vertical; }"
    scopes = (*TrainingPane.scopes, Scope.APP)

    def __init__(self, ports: Ports, ref: str) -> None:
        super().__init__()
        self._ports = ports
        self._ref = ref
        self._stages: Sequence[StagePlan] = ()

    def compose(self) -> ComposeResult:
        """The training pane, the feed and the keys."""
        yield ExpiryBar(self._ports.open_expiry)
        yield TrainingPane()
        yield KeyFooter(Scope.RUN, Scope.INSIDE, Scope.PANELS, Scope.CHART, Scope.APP)
        yield RunFeed(lambda: self._ports.open_run(self._ref))

    def on_mount(self) -> None:
        """Give the keys to the pane."""
        self.query_one(TrainingPane).focus()

    @on(RunChanged)
    def _show(self, event: RunChanged) -> None:
        with self.app.batch_update():
            self._stages = event.stages
            self.query_one(TrainingPane).stages = [stage.name for stage in event.stages]
            for pane in self.query(Pane):
                pane.show(event.view)
            needless = CONTROLS if self._ports.is_read_only else senseless(event.view.status)
            self.query_one(KeyFooter).leave_out(needless | self._pointless(event.view))

    def _pointless(self, view: RunView) -> frozenset[str]:
        """Keys that have nothing to show or would be refused."""
        pointless = set[str]()
        if not view.marks.rollouts:
            pointless.add("inside.rollouts")
        if self._unchangeable(view):
            pointless.add("inside.change")
        if self._ports.is_read_only:
            pointless |= {"inside.checkpoints", "inside.evals"}
        return frozenset(pointless)

    def _unchangeable(self, view: RunView) -> str:
        """Why no setting of the run can be changed; empty when one can."""
        if self._ports.is_read_only or not view.status.is_live:
            return "Only a run that is being trained by tcao can be changed."
        return ""

    @on(LogChanged)
    def _show_log(self, event: LogChanged) -> None:
        self.query_one(TrainingPane).show_log(event.text)

    @on(LogWanted)
    def _want_log(self, event: LogWanted) -> None:
        feed = self.query_one(RunFeed)
        feed.wants_log = event.wanted
        if event.wanted:
            feed.ask()

    @on(TrainingPane.ChangeWanted)
    def _change(self) -> None:
        view = self.query_one(TrainingPane).view
        if view is None:
            return
        if why_not := self._unchangeable(view):
            self.notify(why_not, markup=False)
            return
        from tcao_tui.tui.screens.change import ChangeScreen

        def answered(request: SettingRequest | None) -> None:
            if request is not None:
                self.post_message(ChangeSetting(view.run_id, request))

        self.app.push_screen(ChangeScreen(self._settings(view)), answered)

    def _settings(self, view: RunView) -> Mapping[SettingKey, float]:
        """Settings as they are for the next update, by the plan and what was changed; empty without a plan."""
        from tcao_tui.domain.schedule import present_settings

        step = view.step + 1
        stage = next((stage for stage in self._stages if step <= stage.last_step), None)
        if stage is None:
            return {}
        changes = [mark.change for mark in view.marks.changes if mark.step > stage.first_step]
        return present_settings(stage.plan.training, step, changes)

    @on(TrainingPane.RolloutsWanted)
    def _browse(self) -> None:
        pane = self.query_one(TrainingPane)
        if pane.view is None or not pane.view.marks.rollouts:
            self.notify("This run keeps no answers, or has not sampled any yet.", markup=False)
            return
        from tcao_tui.tui.screens.rollouts import RolloutsScreen

        first = pane.view
        self.app.push_screen(RolloutsScreen(lambda: pane.view or first))

    @on(TrainingPane.CheckpointsWanted)
    def _weights(self) -> None:
        view = self.query_one(TrainingPane).view
        if view is None or self._ports.is_read_only:
            self.notify("Only runs of this console have checkpoints here.", markup=False)
            return
        from tcao_tui.tui.screens.checkpoints import CheckpointsScreen

        self.app.push_screen(CheckpointsScreen(self._ports, view.backend, run_id=view.run_id))

    @on(TrainingPane.EvalsWanted)
    def _evals(self) -> None:
        view = self.query_one(TrainingPane).view
        if view is None or self._ports.is_read_only:
            self.notify("Only runs of this console have evaluations here.", markup=False)
        else:
            self.app.post_message(OpenEvals(EvalsWanted(view.run_id)))

    @on(Pane.Left)
    def _leave(self) -> None:
        self.app.post_message(BackToRuns())

    def ask(self) -> None:
        """Look now: something was asked of the run."""
        self.query_one(RunFeed).ask()
