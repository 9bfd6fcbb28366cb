"""Lines of inked text that repaint only the cells that changed; scrolls, and has a row cursor when wanted.

Textual's DataTable was measured first: 1,000 rows of 12 columns take 0.32 s of CPU to settle, and changing ten cells
repaints every visible row (65 ms). Here work and bytes follow what is visible and differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.color import Color
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tcao_tui.tui.widgets.changed_cells import Run, runs_of

Span = tuple[str, str]
"""Text and the name of its ink."""

Line = Sequence[Span]


class LazyLines[RowT](Sequence[Line]):
    """Lines of rows, made when they are looked at: a table of thousands costs what is in sight.

    Args:
        rows: What there is.
        line: Draws one of them.
    """

    def __init__(self, rows: Sequence[RowT], line: Callable[[RowT], Line]) -> None:
        self._rows, self._drawn = rows, line

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self._drawn(row) for row in self._rows[index]]
        return self._drawn(self._rows[index])


INKS: dict[str, tuple[str, str]] = {
    "text": ("foreground", ""),
    "muted": ("foreground-muted", ""),
    "strong": ("foreground", "bold"),
    "title": ("foreground-muted", "bold"),
    "ok": ("success", ""),
    "warn": ("warning", ""),
    "bad": ("error", "bold"),
    "info": ("primary", ""),
    "accent": ("accent", ""),
    "second": ("secondary", ""),
    "rule": ("line", ""),
    "pick": ("primary", "bold underline"),
}
"""Theme variable and attributes of each ink; component classes would say the same and cost start-up 10 ms."""

_CURSOR_SHARE = 0.25


def changed_runs(old: Line, new: Line, width: int) -> list[Run]:
    """Cells that differ; the whole width where wide characters make cells hard to count."""
    if old == new:
        return []
    if any(cell_len(text) != len(text) for text, _ink in (*old, *new)):
        return [(0, width)]
    before, after = ([(c, ink) for text, ink in line for c in text][:width] for line in (old, new))
    blank = (" ", "")
    size = max(len(before), len(after))
    before += [blank] * (size - len(before))
    after += [blank] * (size - len(after))
    return runs_of(i for i in range(size) if before[i] != after[i])


class LineView(ScrollView):
    """Shows lines; `show` may be called as often as one likes.

    Args:
        pick: Whether there is a row cursor, moved by keys and mouse.
        hides_cursor: Whether the cursor is seen only while the view has the focus.
    """

    DEFAULT_CSS = """
    LineView {
        height: auto;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        scrollbar-color: $line;
        scrollbar-background: $background;
        background: transparent;
    }
    """

    @dataclass
    class Picked(Message):
        """Enter or a click on the row under the cursor."""

        index: int

    @dataclass
    class Moved(Message):
        """The cursor stands on another row."""

        index: int

    def __init__(
        self, *, pick: bool = False, hides_cursor: bool = False, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.can_focus = pick
        self._pick = pick
        self._hides_cursor = hides_cursor
        self._cursor = 0
        self._lines: Sequence[Line] = ()
        self._painted: dict[int, Line] = {}
        self._styles: dict[str, Style] = {}

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown now, all of it."""
        return self._lines

    @property
    def cursor(self) -> int:
        """Row under the cursor, from 0."""
        return self._cursor

    @property
    def is_at_end(self) -> bool:
        """Whether the last line is in sight."""
        return self.scroll_offset.y >= self.max_scroll_y

    def show(self, lines: Sequence[Line]) -> None:
        """Show `lines` (read lazily, only those in sight) and repaint what differs."""
        count_changed = len(lines) != len(self._lines)
        self._lines = lines
        if count_changed:
            self.virtual_size = Size(self.size.width, len(lines))
            if self.styles.is_auto_height:
                self.refresh(layout=True)
            self._cursor = min(self._cursor, max(len(lines) - 1, 0))
        for index in self._visible():
            self._repaint(index)

    def move_to(self, index: int) -> None:
        """Put the cursor on row `index` and scroll it into sight."""
        index = min(max(index, 0), max(len(self._lines) - 1, 0))
        before, self._cursor = self._cursor, index
        if before != index:
            self.refresh_line(before)
            self.refresh_line(index)
            self.post_message(self.Moved(index))
        top, height = self.scroll_offset.y, self.size.height
        if not height or top <= index < top + height:
            return
        self.scroll_to(y=index if index < top else index - height + 1, animate=False, immediate=True)

    def scroll_lines(self, count: int) -> None:
        """Scroll down by `count` lines, up when negative."""
        self.scroll_to(y=self.scroll_offset.y + count, animate=False)

    def show_end(self) -> None:
        """Scroll to the last line."""
        self.scroll_to(y=max(len(self._lines) - self.size.height, 0), animate=False, immediate=True)

    def _visible(self) -> range:
        top = self.scroll_offset.y
        return range(top, top + self.size.height)

    def _line(self, index: int) -> Line:
        return self._lines[index] if 0 <= index < len(self._lines) else ()

    def _repaint(self, index: int) -> None:
        new, width = self._line(index), self.size.width
        runs = changed_runs(self._painted.get(index, ()), new, width)
        if runs:
            self._painted[index] = new
            y = index - self.scroll_offset.y
            self.refresh(*(Region(start, y, stop - start, 1) for start, stop in runs))

    def render_line(self, y: int) -> Strip:
        """One row as styled segments."""
        index = y + self.scroll_offset.y
        line = self._painted[index] = self._line(index)
        strip = Strip([Segment(text, self._ink(ink)) for text, ink in line if text])
        strip = strip.adjust_cell_length(self.size.width, self._ink("text"))
        if index == self._cursor and index < len(self._lines) and self._shows_cursor:
            strip = Strip(Segment.apply_style(strip, post_style=self._ink("cursor")), strip.cell_length)
        return strip

    @property
    def _shows_cursor(self) -> bool:
        return self._pick and (self.has_focus or not self._hides_cursor)

    def _ink(self, name: str) -> Style:
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self._made_ink(name)
        return style

    def _made_ink(self, name: str) -> Style:
        behind = self.background_colors[1]
        variables = self.app.theme_variables
        if name == "cursor":  # the inks of the row stay, only what is behind them changes
            behind = behind.blend(Color.parse(variables["primary"]), _CURSOR_SHARE)
            return Style(bgcolor=behind.rich_color, bold=True)
        variable, attributes = INKS[name]
        color = behind + Color.parse(variables.get(variable, variables["foreground"]))
        return Style(
            color=color.rich_color,
            bgcolor=behind.rich_color,
            bold="bold" in attributes or None,
            underline="underline" in attributes or None,
        )

    def notify_style_update(self) -> None:
        """Look the colours up anew after a theme change."""
        super().notify_style_update()
        self._styles = {}

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as there are lines."""
        return len(self._lines)

    def on_resize(self, event: events.Resize) -> None:
        """Forget what was painted at another size."""
        self._painted = {}
        self.virtual_size = Size(event.size.width, len(self._lines))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a second one picks."""
        index = event.y + self.scroll_offset.y
        if self._pick and index < len(self._lines):
            if event.chain > 1:
                self.post_message(self.Picked(index))
            self.move_to(index)
