"""Runs held against each other: one chart, who is who, and what differs in their plans."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.widget import Widget

from tcao_tui.domain.comparison import AXES, Comparison, compare, headline_of, metric_keys
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.messages import CompareRuns
from tcao_tui.tui.panes.compare.lines import (
    Reading,
    axis_line,
    chart_spec,
    difference_lines,
    moved_cursor,
    run_lines,
)
from tcao_tui.tui.ring import next_in
from tcao_tui.tui.widgets.flow_view import FlowView
from tcao_tui.tui.widgets.line_chart import LineChart
from tcao_tui.tui.widgets.line_view import LineView

WIDE_FROM = 110
"""Cells across from which chart and settings stand side by side."""

_SMOOTHINGS = (0.0, 0.6, 0.9)


class ComparePane(Widget):
    """Shows a comparison and draws it along other axes and metrics.

    Args:
        found: What was read.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.COMPARE)]
    DEFAULT_CSS = """
    ComparePane {
        height: 1fr;
        layout: vertical;
        & #axis { height: 1; }
        & #both { height: 1fr; layout: vertical; }
        & #drawn { height: 1fr; }
        & #chart { height: 1fr; padding: 0 1; }
        & #runs { height: auto; max-height: 9; }
        & #differences { height: auto; max-height: 25%; border-top: solid $line; }
        &.-wide #both { layout: horizontal; }
        &.-wide #drawn { width: 3fr; }
        &.-wide #differences { width: 2fr; height: 1fr; max-height: 100%; border-top: none; border-left: solid $line; }
    }
    """

    class Left(Message):
        """The person wants to go back."""

    def __init__(self, found: Comparison) -> None:
        super().__init__()
        self.can_focus = True
        self.found = found
        self.reading = Reading()

    def compose(self) -> ComposeResult:
        """Axes, chart, runs and what differs."""
        yield LineView(id="axis")
        with Container(id="both"):
            with Vertical(id="drawn"):
                yield LineChart(id="chart")
                yield LineView(id="runs")
            yield FlowView(lambda width: difference_lines(self.found, width), id="differences")

    def on_mount(self) -> None:
        """Take the keys."""
        self.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Side by side where there is room."""
        self.set_class(event.size.width >= WIDE_FROM, "-wide")
        self.call_after_refresh(self._draw)

    def take(self, found: Comparison) -> None:
        """Show what was read anew, along the axis and in the metric that were chosen."""
        self.found = compare(found.runs, axis=self.found.axis, metric=self.found.metric.key)
        self.query_one("#differences", FlowView).remake(lambda width: difference_lines(self.found, width))
        self._draw()

    def _draw(self) -> None:
        runs = self.query_one("#runs", LineView)
        self.query_one("#axis", LineView).show([axis_line(self.found)])
        self.query_one("#chart", LineChart).show(chart_spec(self.found, self.reading))
        runs.show(run_lines(self.found, runs.size.width, self.reading.cursor) if runs.size.width else ())

    def action_axis(self) -> None:
        """The next axis."""
        after = next_in(AXES, self.found.axis)
        self.found = compare(self.found.runs, axis=after, metric=self.found.metric.key)
        self.reading = replace(self.reading, cursor=None)
        self._draw()

    def action_metric(self) -> None:
        """Choose what is drawn."""
        from tcao_tui.tui.screens.choose import ChooseScreen

        def chosen(key: str | None) -> None:
            if key is not None:
                self.found = compare(self.found.runs, axis=self.found.axis, metric=key)
                self._draw()

        names = [(key, headline_of(key).word) for key in metric_keys(self.found.runs)]
        self.app.push_screen(ChooseScreen("Compare by", names), chosen)

    def action_smooth(self) -> None:
        """The next smoothing."""
        self.reading = replace(self.reading, smoothing=next_in(_SMOOTHINGS, self.reading.smoothing))
        self._draw()

    def action_log(self) -> None:
        """Linear or logarithmic."""
        self.reading = replace(self.reading, log_y=not self.reading.log_y)
        self._draw()

    def action_cursor(self, by: int) -> None:
        """Read values at another place."""
        self.reading = replace(self.reading, cursor=moved_cursor(self.found, self.reading.cursor, by))
        self._draw()

    def action_scroll(self, by: int) -> None:
        """Scroll what differs."""
        self.query_one("#differences", FlowView).scroll_lines(by)

    def action_again(self) -> None:
        """Read the runs anew."""
        self.post_message(CompareRuns(tuple(run.view.run_id for run in self.found.runs)))

    def action_back(self) -> None:
        """Drop the cursor, then leave."""
        if self.reading.cursor is None:
            self.post_message(self.Left())
        else:
            self.reading = replace(self.reading, cursor=None)
            self._draw()
