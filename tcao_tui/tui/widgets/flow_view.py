"""Lines that are made for the width they get, so that text wraps and the height follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.geometry import Size

from tcao_tui.tui.widgets.line_view import Line, LineView

type Make = Callable[[int], Sequence[Line]]
"""Lines for a width in cells."""


class FlowView(LineView):
    """Text in a scrolling column.

    Args:
        make: Makes the lines.
        pick: Whether there is a row cursor.
    """

    def __init__(self, make: Make, *, pick: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(pick=pick, id=id, classes=classes)
        self._make = make
        self._made_for = 0

    def remake(self, make: Make) -> None:
        """Show something else."""
        self._make = make
        if self.size.width:
            self._made_for = self.size.width
            self.show(make(self._made_for))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as the text takes at this width."""
        self._fit(width)
        return len(self.lines)

    def on_resize(self, event: events.Resize) -> None:
        """Wrap for the new width."""
        self._fit(self.size.width)  # the size of the event counts the border too
        super().on_resize(event)

    def _fit(self, width: int) -> None:
        if width and width != self._made_for:
            self._made_for = width
            self._lines = self._make(width)
