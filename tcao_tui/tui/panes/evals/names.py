"""Short names for subjects and tasks, and how scores of a task read. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tcao_tui.domain.eval_matrix import EvalMatrix, Level
from tcao_tui.domain.evaluation import EvalTask, Subject
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import number_text

LAYERS: dict[int, str] = {1: "training", 2: "benchmarks", 3: "product"}
"""What each layer measures."""


def subject_names(subjects: Sequence[Subject]) -> dict[str, str]:
    """By full name: `base`, and the step alone where all checkpoints are of one run and each step stands once."""
    trained = [subject for subject in subjects if not subject.is_base]
    steps = {subject.step for subject in trained}
    alike = len({subject.run_id for subject in trained}) == 1 and len(steps) == len(trained) and 0 not in steps
    bases = sum(subject.is_base for subject in subjects)
    return {subject.name: _subject_name(subject, is_only_base=bases == 1, by_step=alike) for subject in subjects}


def _subject_name(subject: Subject, *, is_only_base: bool, by_step: bool) -> str:
    if subject.is_base and is_only_base:
        return "base"
    if by_step and not subject.is_base:
        return f"step {subject.step}"
    return one_line(subject.name)


def task_names(tasks: Sequence[EvalTask]) -> dict[str, str]:
    """By full name: the last part, where no two are the same, with an arrow down where lower is better."""
    last = [task.name.rpartition("/")[2] for task in tasks]
    return {
        task.name: one_line(short if last.count(short) == 1 else task.name) + ("" if task.higher_is_better else " ↓")
        for task, short in zip(tasks, last, strict=True)
    }


@dataclass(frozen=True, slots=True)
class Scale:
    """How the scores of one task read.

    Attributes:
        is_share: They are shares, shown as percent; other numbers are shown as they are.
        low, high: Ends of the bar that a score is drawn as.
        higher_is_better: A taller bar is always better.
    """

    is_share: bool
    low: float
    high: float
    higher_is_better: bool

    def text(self, value: float) -> str:
        """`72.4%` or `2.143`."""
        return f"{value * 100:.1f}%" if self.is_share else number_text(value)

    def interval(self, level: Level) -> str:
        """`68-76`, in the unit of the score; empty where there is none."""
        if not math.isfinite(level.low):
            return ""
        if self.is_share:
            return f"{level.low * 100:.0f}-{level.high * 100:.0f}"
        return f"{number_text(level.low)}-{number_text(level.high)}"

    def change(self, gain: float) -> str:
        """A difference with its sign: `+4.2 points` or `+0.021`; above zero is better."""
        return f"{gain * 100:+.1f} points" if self.is_share else f"{gain:+.3g}"

    def height(self, value: float) -> float:
        """How good a score is, 0 to 1."""
        if self.high <= self.low:
            return 1.0
        share = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        return share if self.higher_is_better else 1 - share


def scale_of(task: EvalTask, matrix: EvalMatrix) -> Scale:
    """The scale of a task: percent when every score of it is within 0 and 1 and none is a loss."""
    levels = [cell.level for key, cell in matrix.cells.items() if key.task == task.name and cell.level is not None]
    return scale_for(task, [level.mean for level in levels])


def scale_for(task: EvalTask, values: Iterable[float]) -> Scale:
    """The same, for some values of it."""
    known = [value for value in values if math.isfinite(value)]
    if task.harness != "held_out" and all(0 <= value <= 1 for value in known):
        return Scale(True, 0.0, 1.0, task.higher_is_better)
    return Scale(False, min(known, default=0.0), max(known, default=1.0), task.higher_is_better)
