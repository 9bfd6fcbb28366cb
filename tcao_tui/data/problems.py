"""Rows that cannot be used: counted exactly, the first hundred kept with file, line and fix."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tcao_tui.errors import PlanInvalid

KEPT = 100


@dataclass(frozen=True, slots=True)
class RowProblem:
    """One bad row; `line` counts from 1, 0 is the file as a whole."""

    path: Path
    line: int
    what: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return f"{place}: {self.what} ({self.fix})"


@dataclass(slots=True)
class Problems:
    """All bad rows of one or several files; `of_whole_file` counts those that are no row but a file as a whole."""

    total: int = 0
    first: list[RowProblem] = field(default_factory=list[RowProblem])
    of_whole_file: int = 0

    def add(self, problem: RowProblem) -> None:
        """Count one more, and keep it if it is among the first hundred."""
        self.total += 1
        self.of_whole_file += not problem.line
        if len(self.first) < KEPT:
            self.first.append(problem)

    def raise_if_any(self) -> None:
        """Raises `PlanInvalid` that lists what was kept and counts the rest."""
        if not self.total:
            return
        lines = [str(problem) for problem in self.first]
        if self.total > len(lines):
            lines.append(f"... and {self.total - len(lines)} more")
        what = "1 row cannot be used" if self.total == 1 else f"{self.total} rows cannot be used"
        raise PlanInvalid(
            "\n".join([f"{what}:", *lines]),
            where=str(self.first[0].path),
            next_step="correct or remove these rows, then check the plan again",
        )
