"""A line chart that repaints only the cells that changed; drawing itself is `plot.draw`.

textual-plot and textual-hires-canvas were looked at first: they need numpy at start-up and repaint the whole canvas,
which costs first paint and bytes over SSH.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tcao_tui.tui.widgets.plot import LABEL_WIDTH, Frame, Ink, PlotSpec, draw, step_range

_EMPTY = PlotSpec(title="", curves=())
_CURVE_VARIABLES = ("primary", "warning", "success", "secondary", "accent", "error", "foreground", "foreground-muted")
_INK_VARIABLES = {
    Ink.TEXT: "foreground",
    Ink.AXIS: "foreground-muted",
    Ink.TITLE: "foreground",
    Ink.GHOST: "foreground",
    Ink.MARK: "accent",
    Ink.CURSOR: "warning",
    Ink.ALERT: "error",
}
_BOLD = frozenset({Ink.TITLE, Ink.ALERT})
_GHOST_SHARE = 0.35


class LineChart(Widget):
    """Curves over steps with axes, marks, a value cursor and NaN marks.

    `show` may be called as often as one likes: it draws, compares and asks for a repaint of the differing cells only.
    """

    DEFAULT_CSS = """
    LineChart {
        height: 1fr;
        min-height: 4;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._spec = _EMPTY
        self._frame: Frame | None = None
        self._styles: list[Style] = []

    @property
    def spec(self) -> PlotSpec:
        """What is drawn now."""
        return self._spec

    @property
    def frame(self) -> Frame | None:
        """The picture on screen; None before the first layout."""
        return self._frame

    def show(self, spec: PlotSpec) -> None:
        """Draw `spec` and repaint what differs from the screen."""
        self._spec = spec
        self._redraw()

    def step_at(self, x: int) -> int:
        """The step under cell column `x` of the widget."""
        first, last = step_range(self._spec)
        share = (x - LABEL_WIDTH) / max(self.size.width - LABEL_WIDTH, 1)
        return round(first + min(max(share, 0.0), 1.0) * (last - first))

    def _redraw(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        before, self._frame = self._frame, draw(self._spec, width, height)
        spans = ((y, self._frame.changed_span(before, y)) for y in range(height))
        regions = [Region(span[0], y, span[1] - span[0], 1) for y, span in spans if span]
        if regions:
            self.refresh(*regions)

    def on_resize(self, _event: events.Resize) -> None:
        """Draw for the new size."""
        self._redraw()

    def notify_style_update(self) -> None:
        """Look the colours up anew after a theme change."""
        super().notify_style_update()
        self._styles = []

    def render_line(self, y: int) -> Strip:
        """One row of the picture as styled segments."""
        frame = self._frame
        if frame is None or y >= frame.height:
            return Strip.blank(self.size.width, self.rich_style)
        styles = self._ink_styles()
        characters, inks = frame.rows[y], frame.inks[y]
        segments: list[Segment] = []
        start = 0
        for x in range(1, frame.width + 1):
            if x == frame.width or inks[x] != inks[start]:
                segments.append(Segment("".join(characters[start:x]), styles[inks[start]]))
                start = x
        return Strip(segments, frame.width)

    def _ink_styles(self) -> list[Style]:
        # Component classes would style each ink through the CSS engine, which costs most of a chart's first paint.
        if not self._styles:
            names = [*(_INK_VARIABLES[ink] for ink in Ink if ink is not Ink.CURVE), *_CURVE_VARIABLES]
            self._styles = [self._made_ink(number, name) for number, name in enumerate(names)]
        return self._styles

    def _made_ink(self, number: int, variable: str) -> Style:
        behind = self.background_colors[1]
        variables = self.app.theme_variables
        color = behind + Color.parse(variables.get(variable, variables["foreground"]))
        if number == Ink.GHOST:
            color = behind.blend(color, _GHOST_SHARE)
        return Style(color=color.rich_color, bgcolor=behind.rich_color, bold=number in _BOLD or None)
