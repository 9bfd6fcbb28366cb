"""Cells of several evaluations come together: the same task over the same weights is one cell, whoever asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcao_tui.domain.evaluation import CellKey, CellRecord, CellState, EvalTask, EvaluationRecord, Subject
from tcao_tui.domain.plain_text import one_line


@dataclass(frozen=True, slots=True)
class Found:
    """A cell as one evaluation has it; `record` names task and subject as that evaluation does."""

    evaluation_id: str
    record: CellRecord
    asked_at: float

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """Above that of another cell of the same task and weights when it is the one to show."""
        record = self.record
        has_results = record.state.is_live or record.counts.completed > 0
        return record.state is CellState.DONE, has_results, record.ended_at or self.asked_at


@dataclass(frozen=True, slots=True)
class Merged:
    """What several evaluations asked for, without what stands twice.

    Attributes:
        subjects: The base first, then by step; each has a name of its own.
        tasks: By layer; each has a name of its own.
        cells: Under those names.
        notes: Tasks of one name that do not mean the same.
    """

    subjects: tuple[Subject, ...]
    tasks: tuple[EvalTask, ...]
    cells: Mapping[CellKey, Found]
    notes: tuple[str, ...]


def merge(evaluations: Sequence[tuple[EvaluationRecord, Sequence[CellRecord]]]) -> Merged:
    """Bring evaluations together.

    Args:
        evaluations: Each with its cells, the newest first: its names and guardrails count.
    """
    tasks = _distinct([task for record, _ in evaluations for task in record.spec.tasks], lambda task: task.identity)
    subjects = _distinct(
        [subject for record, _ in evaluations for subject in record.spec.subjects], lambda subject: subject.identity
    )
    cells: dict[CellKey, Found] = {}
    for record, found in evaluations:
        task_ids = {task.name: task.identity for task in record.spec.tasks}
        subject_ids = {subject.name: subject.identity for subject in record.spec.subjects}
        for cell in found:
            key = CellKey(tasks[task_ids[cell.task]].name, subjects[subject_ids[cell.subject]].name)
            here = Found(record.evaluation_id, cell, record.created_at)
            if key not in cells or here.rank > cells[key].rank:
                cells[key] = here
    return Merged(
        subjects=tuple(sorted(subjects.values(), key=lambda subject: (not subject.is_base, subject.step))),
        tasks=tuple(sorted(tasks.values(), key=lambda task: task.layer)),
        cells=cells,
        notes=tuple(_settings_notes(tasks)),
    )


def _distinct[T: EvalTask | Subject](parts: Sequence[T], identity: Callable[[T], str]) -> dict[str, T]:
    """By identity, in the order in which they come; a name that another one has gets the end of the identity."""
    found: dict[str, T] = {}
    taken: set[str] = set()
    for part in parts:
        if (key := identity(part)) not in found:
            name = next(each for each in _names(part.name, key) if each not in taken)
            taken.add(name)
            found[key] = part if name == part.name else part.model_copy(update={"name": name})
    return found


def _names(name: str, identity: str) -> Iterator[str]:
    """The name, and with more and more of the identity: paths of one step in three attempts end alike."""
    yield name
    yield from (f"{name} ({identity[-length:]})" for length in (6, 10, len(identity)))


def _settings_notes(tasks: Mapping[str, EvalTask]) -> Iterator[str]:
    by_name = {task.name: task for task in tasks.values()}
    for identity, task in tasks.items():
        name, _, mark = task.name.rpartition(" (")
        if mark == f"{identity[-6:]})" and name in by_name:
            what = ", ".join(_differences(by_name[name], task))
            yield one_line(f"{task.name} differs from {name} and is not compared with it: {what}", 300)


def _differences(first: EvalTask, second: EvalTask) -> Iterator[str]:
    one, other = (task.model_dump(mode="json", exclude={"name", "is_guardrail"}) for task in (first, second))
    for key, value in other.items():
        if value != one[key]:
            yield f"{key} {_short(value)} instead of {_short(one[key])}"


def _short(value: object) -> str:
    return one_line(str(value), 40) or "none"
