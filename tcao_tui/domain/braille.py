"""A grid of braille dots: two by four dots per terminal cell. Knows nothing of axes, colours or Textual."""

from __future__ import annotations

_BLANK = 0x2800
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))

DOTS_WIDE = 2
DOTS_HIGH = 4


class DotGrid:
    """Dots of one curve; row 0 is the top.

    Args:
        width: Cells across.
        height: Cells down.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.masks = bytearray(width * height)

    def column(self, x: int, top: int, bottom: int) -> None:
        """Set the dots of dot column `x` from dot row `top` to `bottom`, both included, in either order."""
        if not 0 <= x < self.width * DOTS_WIDE:
            return
        if top > bottom:
            top, bottom = bottom, top
        cell, bits = x // DOTS_WIDE, _BITS[x % DOTS_WIDE]
        for y in range(max(top, 0), min(bottom, self.height * DOTS_HIGH - 1) + 1):
            self.masks[(y // DOTS_HIGH) * self.width + cell] |= bits[y % DOTS_HIGH]

    def line(self, x0: int, y0: int, x1: int, y1: int) -> None:
        """Join two dots, left to right, without gaps; `x1` must not lie left of `x0`."""
        span = x1 - x0
        if span <= 0:
            self.column(x0, y0, y1)
            return
        self.column(x0, y0, y0)
        before = y0
        for i in range(1, span + 1):
            y = round(y0 + (y1 - y0) * i / span)
            self._join(x0 + i, before, y)
            before = y

    def _join(self, x: int, before: int, y: int) -> None:
        if abs(y - before) <= 1:
            self.column(x, y, y)
        else:
            self.column(x, before + (1 if y > before else -1), y)

    def character(self, index: int) -> str:
        """The braille character of cell `index`, row by row from the top left."""
        return chr(_BLANK + self.masks[index])
