"""The charts of a run: one large with small ones beside it, a grid of all, or the large one alone."""

from __future__ import annotations

from collections.abc import Hashable
from enum import StrEnum

from textual import events
from textual.app import ComposeResult
from textual.containers import Grid, Horizontal, Vertical
from textual.widget import Widget

from tcao_tui.domain.run_view import RunView
from tcao_tui.tui.panes.training.marks import legend_row
from tcao_tui.tui.panes.training.metrics import ChartPlan
from tcao_tui.tui.panes.training.specs import (
    Look,
    change_key,
    checkpoint_row,
    large_spec,
    moved_cursor,
    plans_of,
    small_spec,
)
from tcao_tui.tui.widgets.line_chart import LineChart
from tcao_tui.tui.widgets.line_view import LineView
from tcao_tui.tui.widgets.plot import PlotSpec

SIDE_CHARTS = 3
GRID_CHARTS = 9


class Layout(StrEnum):
    """How the charts are laid out; also the CSS class."""

    OVERVIEW = "overview"
    GRID = "grid"
    ZOOM = "zoom"


class Charts(Widget):
    """Draws only the charts in sight, and of those only the ones that changed."""

    DEFAULT_CSS = """
    Charts {
        height: 1fr;
        layout: vertical;
        padding: 0 1;
        & #large { width: 2fr; height: 1fr; }
        & #side { width: 1fr; height: 1fr; padding-left: 2; }
        & #side LineChart { min-height: 5; }
        & #saved { height: auto; max-height: 2; }
        & #grid { display: none; grid-gutter: 0 2; }
        &.-narrow #side, &.-zoom #side { display: none; }
        &.-low #saved { display: none; }
        &.-grid #overview { display: none; }
        &.-grid #grid { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.look = Look()
        self.arrangement = Layout.OVERVIEW
        self._view: RunView | None = None
        self._keys: dict[LineChart, Hashable] = {}

    def compose(self) -> ComposeResult:
        """The large chart with its checkpoint row, and the side; the grid is filled when first looked at."""
        with Horizontal(id="overview"):
            with Vertical(id="large"):
                yield LineChart(id="main-chart")
                yield LineView(id="saved")
            with Vertical(id="side"):
                for index in range(SIDE_CHARTS):
                    yield LineChart(id=f"side-{index}")
        yield Grid(id="grid")

    def show(self, view: RunView) -> None:
        """Draw what changed."""
        self._view = view
        plans = plans_of(view, self.look)
        if self.arrangement is Layout.GRID:
            self._show_grid(view, plans)
        else:
            self._show_overview(view, plans)

    def lay_out(self, layout: Layout) -> None:
        """Lay the charts out anew; asking for the present layout goes back to the overview."""
        self.arrangement = Layout.OVERVIEW if layout is self.arrangement else layout
        for each in Layout:
            self.set_class(each is self.arrangement, f"-{each}")
        if self.arrangement is Layout.GRID and not self.query("#grid LineChart"):
            self.query_one("#grid", Grid).mount_all(LineChart(id=f"grid-{i}") for i in range(GRID_CHARTS))
        self.call_after_refresh(self._again)

    def change(self, look: Look) -> None:
        """Draw with other choices."""
        self.look = look
        self._again()

    def move_cursor(self, by: int) -> None:
        """Move the value cursor by values of the large chart."""
        if self._view is not None and (plans := plans_of(self._view, self.look)):
            self.point_at(moved_cursor(self._view, plans[0], self.look.cursor, by))

    def point_at(self, step: int | None) -> None:
        """Put the value cursor on a step; None takes it away."""
        look = self.look
        self.change(Look(look.metric, look.smoothing, look.log_y, step, look.page))

    def turn_page(self, by: int) -> None:
        """Page through the grid."""
        if self._view is None:
            return
        pages = max(-(-len(plans_of(self._view, self.look)) // GRID_CHARTS), 1)
        look = self.look
        self.change(Look(look.metric, look.smoothing, look.log_y, look.cursor, (look.page + by) % pages))

    def _again(self) -> None:
        if self._view is not None:
            self.show(self._view)

    def _show_overview(self, view: RunView, plans: list[ChartPlan]) -> None:
        large = self.query_one("#main-chart", LineChart)
        spec = large_spec(view, plans[0], self.look) if plans else PlotSpec(title="loss", curves=())
        self._put(large, spec)
        saved, legend = checkpoint_row(view, spec, large.size.width), legend_row(view.marks, large.size.width)
        self.query_one("#saved", LineView).show([saved, legend] if legend else [saved])
        if self.query_one("#side").is_on_screen:
            for index in range(SIDE_CHARTS):
                chart = self.query_one(f"#side-{index}", LineChart)
                has = index + 1 < len(plans)
                chart.display = has
                if has:
                    self._put(chart, small_spec(view, plans[index + 1], self.look))

    def _show_grid(self, view: RunView, plans: list[ChartPlan]) -> None:
        shown = plans[self.look.page * GRID_CHARTS :][:GRID_CHARTS]
        for index, chart in enumerate(self.query("#grid LineChart").results(LineChart)):
            chart.display = index < len(shown)
            if index < len(shown):
                self._put(chart, small_spec(view, shown[index], self.look))

    def _put(self, chart: LineChart, spec: PlotSpec) -> None:
        key = change_key(spec)
        if self._keys.get(chart) != key:
            self._keys[chart] = key
            chart.show(spec)

    def on_resize(self, event: events.Resize) -> None:
        """Leave out what does not fit."""
        self.set_class(event.size.width < 100, "-narrow")
        self.set_class(event.size.height < 7, "-low")
        grid = self.query_one("#grid", Grid)
        columns = max(1, min(3, event.size.width // 38))
        grid.styles.grid_size_columns = columns
        grid.styles.grid_size_rows = max(1, min(-(-GRID_CHARTS // columns), event.size.height // 6))
        self.call_after_refresh(self._again)

    def on_click(self, event: events.Click) -> None:
        """A click on a chart puts the value cursor there."""
        if isinstance(event.widget, LineChart):
            self.point_at(event.widget.step_at(event.x))
