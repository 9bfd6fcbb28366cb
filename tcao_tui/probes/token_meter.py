"""Measures rows in tokens: all of them up to a bound, beyond it an evenly spaced sample."""

from __future__ import annotations

from dataclasses import dataclass

from tcao_tui.data.row_text import row_text
from tcao_tui.data.rows import ChatRow, PreferenceRow, Row, RowRejected
from tcao_tui.data.spread import SpreadCounter
from tcao_tui.domain.data_profile import Spread, TokenStats
from tcao_tui.probes.rendered import RowRenderer

ROWS_MEASURED = 10_000
CHARACTERS_MEASURED = 32 * 2**20
"""Half a minute of work or less, whatever the size of the file."""

LONGEST_CHARACTERS = 2**20
"""Longer rows are not tokenised but guessed at four characters a token: no model takes them whole."""

_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class _Measured:
    line: int
    characters: int
    tokens: int = 0
    trained: int = 0
    teaches: bool = True
    refusal: str = ""


class SampledMeter:
    """Measures every row, then every second, every fourth one and so on, so that the work stays bounded.

    Args:
        renderer: Turns rows into tokens.
        max_seq_len: Where rows are cut, in tokens.
        rows, characters: Bounds of what is kept.
    """

    def __init__(
        self, renderer: RowRenderer, max_seq_len: int, rows: int = ROWS_MEASURED, characters: int = CHARACTERS_MEASURED
    ) -> None:
        self._renderer = renderer
        self._max_seq_len = max_seq_len
        self._limits = rows, characters
        self._stride = 1
        self._seen = 0
        self._kept: list[_Measured] = []
        self._characters = 0

    def add(self, row: Row, line: int) -> None:
        """Take in the next row."""
        if self._seen % self._stride == 0:
            measured = self._measure(row, line)
            self._kept.append(measured)
            self._characters += measured.characters
            while len(self._kept) > self._limits[0] or (self._characters > self._limits[1] and len(self._kept) > 1):
                self._kept, self._stride = self._kept[::2], self._stride * 2
                self._characters = sum(one.characters for one in self._kept)
        self._seen += 1

    def stats(self) -> TokenStats:
        """What was measured, scaled up to all rows taken in."""
        scale = self._seen / max(1, len(self._kept))
        fine = [one for one in self._kept if not one.refusal]
        cut = [one.line for one in fine if one.tokens > self._max_seq_len]
        empty = [one.line for one in fine if not one.teaches]
        refused = [one for one in self._kept if one.refusal]
        return TokenStats(
            model=self._renderer.model,
            renderer=self._renderer.name,
            max_seq_len=self._max_seq_len,
            measured="all" if self._stride == 1 else "sample",
            rows_measured=len(self._kept),
            row=_spread([one.tokens for one in fine], scale),
            completion=_spread([one.trained for one in fine], scale),
            truncated_rows=round(len(cut) * scale),
            empty_mask_rows=round(len(empty) * scale),
            refused_rows=round(len(refused) * scale),
            first_truncated=cut[0] if cut else 0,
            first_empty_mask=empty[0] if empty else 0,
            first_refused=refused[0].line if refused else 0,
            refusal=refused[0].refusal if refused else "",
        )

    def _measure(self, row: Row, line: int) -> _Measured:
        text = row_text(row, line)
        characters = len(text.whole)
        if characters > LONGEST_CHARACTERS:
            return self._guess(row, line, characters, len(text.system) + len(text.prompt))
        try:
            sides = self._renderer.render(row)
        except RowRejected as error:
            return _Measured(line, characters, refusal=error.what)
        trained = [side.trained_within(self._max_seq_len) for side in sides]
        return _Measured(
            line,
            characters,
            tokens=max(len(side.tokens) for side in sides),
            trained=sum(trained),
            teaches=all(count or side.asks for count, side in zip(trained, sides, strict=True)),
        )

    def _guess(self, row: Row, line: int, characters: int, prompt: int) -> _Measured:
        tokens, start = characters // _CHARACTERS_PER_TOKEN, prompt // _CHARACTERS_PER_TOKEN
        if not isinstance(row, ChatRow | PreferenceRow):
            return _Measured(line, characters, start)
        trained = max(0, min(tokens, self._max_seq_len) - start)
        return _Measured(line, characters, tokens, trained, teaches=trained > 0)


def _spread(values: list[int], scale: float) -> Spread:
    counter = SpreadCounter()
    counter.add(values)
    return counter.spread(scale) or Spread(p50=0, p95=0, max=0, total=0)
