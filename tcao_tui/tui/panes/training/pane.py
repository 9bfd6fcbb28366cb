"""The training pane: how a run does, in one look. Text is made in `header`, charts in `charts`, panels in `panels`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from tcao_tui.domain.run_view import RunView
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.messages import ControlRun, DiagnoseRun, LogWanted, ResumeRun
from tcao_tui.tui.pane import Pane
from tcao_tui.tui.panes.training.charts import Charts, Layout
from tcao_tui.tui.panes.training.header import facts_line, head_line, notice_lines, progress_line
from tcao_tui.tui.panes.training.marks import rail_line
from tcao_tui.tui.panes.training.panels import Panel, Panels
from tcao_tui.tui.panes.training.specs import plans_of
from tcao_tui.tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from tcao_tui.domain.events import Verb


class TrainingPane(Pane):
    """Header, charts and panels of one run.

    Attributes:
        stages: Names of all stages of a pipeline; empty when they are not known.
    """

    title = "Training"
    scopes = (Scope.RUN, Scope.INSIDE, Scope.CHART, Scope.PANELS)
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(*scopes)]
    DEFAULT_CSS = """
    TrainingPane {
        layout: vertical;
        & #head { height: auto; min-height: 3; }
        & Charts { height: 3fr; }
        & Panels { height: 2fr; min-height: 5; }
        &.-grid Panels, &.-zoom Panels { display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.stages: Sequence[str] = ()

    class ChangeWanted(Message):
        """The person wants to change a setting of the running training."""

    class CheckpointsWanted(Message):
        """The person wants to browse the checkpoints of the run."""

    class EvalsWanted(Message):
        """The person wants to see the evaluations of the run's checkpoints."""

    class RolloutsWanted(Message):
        """The person wants to browse the answers that the run was trained on."""

    def compose(self) -> ComposeResult:
        """Everything there is; hidden parts are not drawn."""
        yield LineView(id="head")
        yield Charts()
        yield Panels()

    def draw(self, view: RunView) -> None:
        """Draw the parts in sight."""
        self._draw_head(view)
        self.query_one(Charts).show(view)
        panels = self.query_one(Panels)
        if panels.display:
            panels.show(view)

    def show_log(self, text: str) -> None:
        """Take the newest end of the worker's log."""
        self.query_one(Panels).show_log(text)

    def on_resize(self, _event: events.Resize) -> None:
        """Lay the text out for the new width."""
        if self.view is not None:
            self._draw_head(self.view)

    def _draw_head(self, view: RunView) -> None:
        width = self.size.width
        if width:
            rail = rail_line(view, width, self.stages)
            lines = [head_line(view, width), progress_line(view, width), *([rail] if rail else [])]
            self.query_one("#head", LineView).show([*lines, facts_line(view, width), *notice_lines(view, width)])

    def action_control(self, verb: str) -> None:
        """Ask the worker for something."""
        if self.view is not None:
            self.post_message(ControlRun(self.view.run_id, cast("Verb", verb)))

    def action_resume(self) -> None:
        """Let the run go on."""
        if self.view is not None:
            self.post_message(ResumeRun(self.view.run_id))

    def action_diagnose(self) -> None:
        """Explain the run in words."""
        if self.view is not None:
            self.post_message(DiagnoseRun(self.view))

    def action_change(self) -> None:
        """Change a setting of the running training."""
        self.post_message(self.ChangeWanted())

    def action_rollouts(self) -> None:
        """Browse the answers of RL."""
        self.post_message(self.RolloutsWanted())

    def action_checkpoints(self) -> None:
        """Browse the checkpoints of the run."""
        self.post_message(self.CheckpointsWanted())

    def action_evals(self) -> None:
        """See the evaluations of the run's checkpoints."""
        self.post_message(self.EvalsWanted())

    def action_back(self) -> None:
        """Take the cursor, then the layout, then the screen away."""
        charts = self.query_one(Charts)
        if charts.look.cursor is not None:
            charts.point_at(None)
        elif charts.arrangement is not Layout.OVERVIEW:
            self._arrange(charts.arrangement)
        else:
            self.post_message(self.Left())

    def action_cursor(self, by: int) -> None:
        """Move the value cursor."""
        self.query_one(Charts).move_cursor(by)

    def action_smooth(self) -> None:
        """Next smoothing."""
        charts = self.query_one(Charts)
        charts.change(charts.look.smoother())

    def action_log(self) -> None:
        """Linear or logarithmic."""
        charts = self.query_one(Charts)
        charts.change(replace(charts.look, log_y=not charts.look.log_y))

    def action_grid(self) -> None:
        """All metrics, or back."""
        self._arrange(Layout.GRID)

    def action_zoom(self) -> None:
        """The large chart alone, or back."""
        self._arrange(Layout.ZOOM)

    def action_page(self, by: int) -> None:
        """Turn the grid's page."""
        self.query_one(Charts).turn_page(by)

    def action_metric(self) -> None:
        """Let the person choose what the large chart shows."""
        if self.view is None:
            return
        from tcao_tui.tui.screens.choose import ChooseScreen

        charts = self.query_one(Charts)
        names = [(plan.name, plan.title) for plan in plans_of(self.view, charts.look)]

        def chosen(name: str | None) -> None:
            if name is not None:
                charts.change(replace(charts.look, metric=name))

        self.app.push_screen(ChooseScreen("Chart of", names), chosen)

    def action_panel(self, by: int) -> None:
        """Another panel."""
        panels = self.query_one(Panels)
        panels.choose(by)
        self.post_message(LogWanted(panels.chosen is Panel.LOG))

    def action_sample(self, by: int) -> None:
        """Samples of another step."""
        self.query_one(Panels).step_samples(by)

    def action_scroll_panel(self, by: int) -> None:
        """Scroll the chosen panel."""
        self.query_one(Panels).scroll_body(by)

    def _arrange(self, layout: Layout) -> None:
        charts = self.query_one(Charts)
        charts.lay_out(layout)
        for each in Layout:
            self.set_class(each is charts.arrangement, f"-{each}")
        if charts.arrangement is Layout.OVERVIEW and self.view is not None:
            self.query_one(Panels).show(self.view)
