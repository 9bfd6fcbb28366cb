"""The feed of evaluations: the matrix again and again, told when anything in it differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tcao_tui.tui.feed import Feed, Pace

if TYPE_CHECKING:
    from tcao_tui.domain.eval_matrix import EvalMatrix
    from tcao_tui.domain.evaluation import CellKey
    from tcao_tui.tui.evals_port import CellItems, EvaluationsPort


_WATCHED = Pace()
_READ = Pace(2.0, 4.0, 3600.0)
"""Items of a cell that is over are read once."""


class EvalsFeed(Feed):
    """Watches the evaluations of a run, or shows logs.

    Args:
        open_evals: Opens the port; called in a thread.
        pace: How long to wait.

    Attributes:
        source: The port, once it is open; what is asked of evaluations goes through it too.
    """

    @dataclass
    class Found(Message):
        """The matrix as it stands."""

        matrix: EvalMatrix

    def __init__(self, open_evals: Callable[[], EvaluationsPort], pace: Pace = _WATCHED) -> None:
        super().__init__(pace)
        self._open = open_evals
        self.source: EvaluationsPort | None = None
        self._seen: EvalMatrix | None = None

    def read(self) -> list[Message]:
        """The matrix when it differs."""
        source = self.source = self.source or self._open()
        matrix = source.poll()
        if self._seen is not None and (matrix.changed, matrix.is_driven) == (self._seen.changed, self._seen.is_driven):
            return []
        self._seen = matrix
        return [self.Found(matrix)]

    def next_wait(self, changed: bool) -> float:
        """Fast while things change, slow when nothing is under way."""
        if changed:
            return self._pace.fast_seconds
        live = self._seen is not None and any(cell.record.state.is_live for cell in self._seen.cells.values())
        return min(self._waits * 1.6, self._pace.live_seconds if live else self._pace.idle_seconds)

    def close(self) -> None:
        """Let the port go."""
        if self.source is not None:
            self.source.close()
            self.source = None


class ItemsFeed(Feed):
    """Watches the items of one cell; one that is over is read once.

    Args:
        source: The port; stays open.
        cell: The cell.
        is_live: Whether more may come.
        pace: How long to wait.
    """

    @dataclass
    class Found(Message):
        """The items as they stand."""

        found: CellItems

    def __init__(self, source: EvaluationsPort, cell: CellKey, is_live: Callable[[], bool], pace: Pace = _READ) -> None:
        super().__init__(pace)
        self._source, self._cell, self._is_live = source, cell, is_live
        self._seen: CellItems | None = None

    def read(self) -> list[Message]:
        """The items when they differ."""
        found = self._source.items(self._cell)
        if found == self._seen:
            return []
        self._seen = found
        return [self.Found(found)]

    def next_wait(self, changed: bool) -> float:
        """Again and again while the cell is at work."""
        return self._pace.live_seconds if self._is_live() else self._pace.idle_seconds
