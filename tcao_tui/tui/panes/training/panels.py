"""The panels below the charts, one in sight at a time: samples, events, log, checkpoints, alerts, range test."""

from __future__ import annotations

from enum import StrEnum

from textual import events
from textual.app import ComposeResult
from textual.widget import Widget

from tcao_tui.domain.run_view import RunView
from tcao_tui.tui.panes.training.marks import alert_lines, range_test_lines
from tcao_tui.tui.ring import next_in
from tcao_tui.tui.widgets.line_view import Line, LineView, Span


class Panel(StrEnum):
    """The panels, in their order."""

    SAMPLES = "Samples"
    EVENTS = "Events"
    LOG = "Log"
    CHECKPOINTS = "Checkpoints"
    ALERTS = "Alerts"
    RANGE_TEST = "Range test"


_FOLLOWS_END = frozenset({Panel.EVENTS, Panel.LOG})


class Panels(Widget):
    """A strip of names and the lines of the chosen one; the others are not computed."""

    DEFAULT_CSS = """
    Panels {
        height: 1fr;
        layout: vertical;
        border-top: solid $line;
        & #strip { height: 1; }
        & #body { height: 1fr; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.chosen = Panel.SAMPLES
        self._view: RunView | None = None
        self._log = ""
        self._sample: int | None = None

    def compose(self) -> ComposeResult:
        """The strip and the body."""
        yield LineView(id="strip")
        yield LineView(id="body")

    def show(self, view: RunView) -> None:
        """Draw the chosen panel from the view."""
        self._view = view
        self._draw()

    def show_log(self, text: str) -> None:
        """Take the newest end of the log."""
        self._log = text
        if self.chosen is Panel.LOG:
            self._draw()

    def choose(self, by: int) -> None:
        """Go to the panel `by` places on."""
        self.select(next_in(offered(self._view), self.chosen, by))

    def select(self, panel: Panel) -> None:
        """Go to a panel."""
        self.chosen = panel
        body = self.query_one("#body", LineView)
        body.scroll_to(y=0, animate=False, immediate=True)
        self._draw()
        if panel in _FOLLOWS_END:
            self.call_after_refresh(body.show_end)  # how far it scrolls is known once it is laid out

    def step_samples(self, by: int) -> None:
        """Show the samples of another evaluation; moving past the newest follows the run again."""
        if self._view is None or not self._view.samples:
            return
        newest = len(self._view.samples) - 1
        index = min(max((newest if self._sample is None else self._sample) + by, 0), newest)
        self._sample = None if index == newest else index
        self.select(Panel.SAMPLES)

    def scroll_body(self, by: int) -> None:
        """Scroll the chosen panel."""
        self.query_one("#body", LineView).scroll_lines(by)

    def on_resize(self, _event: events.Resize) -> None:
        """Wrap anew."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        body = self.query_one("#body", LineView)
        if self._view is None or not body.size.width:
            return
        follow = self.chosen in _FOLLOWS_END and body.is_at_end
        self.query_one("#strip", LineView).show([_strip(self.chosen, self._view)])
        body.show(self._lines(self._view, body.size.width))
        if follow:
            self.call_after_refresh(body.show_end)

    def _lines(self, view: RunView, width: int) -> list[Line]:
        # The events bring pydantic, which whoever made the view has imported by now; the first paint came before.
        from tcao_tui.tui.panes.training.panel_lines import checkpoint_lines, event_lines, log_lines, sample_lines

        match self.chosen:
            case Panel.SAMPLES:
                return sample_lines(view, width, self._sample)
            case Panel.EVENTS:
                return event_lines(view, width)
            case Panel.LOG:
                return log_lines(self._log, width)
            case Panel.CHECKPOINTS:
                return checkpoint_lines(view, width)
            case Panel.ALERTS:
                return alert_lines(view.marks, width)
            case Panel.RANGE_TEST:
                return range_test_lines(view.marks, width)

    def on_click(self, event: events.Click) -> None:
        """A click on a name goes to its panel."""
        if event.widget is not self.query_one("#strip") or self._view is None:
            return
        x = 0
        for panel, span in zip(offered(self._view), _names(self.chosen, self._view), strict=True):
            if x <= event.x < x + len(span[0]):
                self.select(panel)
            x += len(span[0])


def offered(view: RunView | None) -> list[Panel]:
    """All but what only few runs have."""
    has_test = view is not None and view.marks.range_test is not None
    return [panel for panel in Panel if has_test or panel is not Panel.RANGE_TEST]


def _names(chosen: Panel, view: RunView) -> list[Span]:
    counts = {
        Panel.CHECKPOINTS: len(view.checkpoints),
        Panel.EVENTS: len(view.events),
        Panel.ALERTS: len(view.marks.alerts),
    }
    return [
        (
            f"[{panel}{f' {counts[panel]}' if counts.get(panel) else ''}]"
            if panel is chosen
            else f" {panel}{f' {counts[panel]}' if counts.get(panel) else ''} ",
            "info" if panel is chosen else "muted",
        )
        for panel in offered(view)
    ]


def _strip(chosen: Panel, view: RunView) -> Line:
    return tuple(_names(chosen, view))
