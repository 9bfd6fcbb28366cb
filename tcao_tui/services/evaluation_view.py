"""Watching evaluations: reads what changed in the store, and gives one matrix of tasks times subjects per poll.

Statistics are loaded with the first poll, which belongs into a thread: they take a second to import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tcao_tui.domain.eval_matrix import CellView, EvalMatrix, Selection
from tcao_tui.domain.eval_merge import Found, Merged, merge
from tcao_tui.domain.evaluation import CellKey, CellRecord, Choice, EvalTask, EvaluationRecord, Subject
from tcao_tui.store.evaluations import EvaluationStore, EvaluationSummary

if TYPE_CHECKING:
    from tcao_tui.domain.eval_cells import Gains, Measured
    from tcao_tui.domain.selection import Evidence, Wishes

type IsDriven = Callable[[str], bool]
"""Whether a process goes on with an evaluation, by its id."""

type Row = dict[str, tuple[Found, Measured]]
"""Cells of one task by subject."""


def _nobody(evaluation_id: str) -> bool:
    return False


class EvaluationFollower:
    """Watches all evaluations of a run, or one.

    Args:
        store: The store.
        run_id: The run; None with `evaluation_id`.
        evaluation_id: The evaluation; None with `run_id`.
        title: What people call it; empty for the title of the newest evaluation.
        is_driven: Whether a process goes on with an evaluation.
        wishes: What a person asks of the selection rule; None for nothing.
    """

    def __init__(
        self,
        store: EvaluationStore,
        *,
        run_id: str | None = None,
        evaluation_id: str | None = None,
        title: str = "",
        is_driven: IsDriven = _nobody,
        wishes: Wishes | None = None,
    ) -> None:
        self._store, self._is_driven, self._wishes = store, is_driven, wishes
        self._run_id, self._evaluation_id, self._title = run_id, evaluation_id, title
        self._changes: dict[str, int] = {}
        self._records: dict[str, EvaluationRecord] = {}
        self._cells: dict[str, list[CellRecord]] = {}
        self._measured: dict[tuple[str, CellKey], Measured] = {}
        self._gains: Gains | None = None
        self._choice: Choice | None = None
        self._selection: tuple[tuple[str, list[str], list[Evidence]], Selection] | None = None
        self._matrix: EvalMatrix | None = None

    @property
    def is_of_run(self) -> bool:
        """Whether all evaluations of a run are watched, not one alone."""
        return self._evaluation_id is None

    @property
    def run_id(self) -> str:
        """The run that they are about; empty for none."""
        if self._run_id is not None or self._evaluation_id is None:
            return self._run_id or ""
        return self._store.evaluation(self._evaluation_id).spec.run_id

    def poll(self) -> EvalMatrix:
        """The matrix as it is now; the very same one while nothing changes.

        Raises:
            UsageError: There is no such evaluation.
        """
        summaries = self._summaries()
        changed = [one.evaluation_id for one in summaries if self._changes.get(one.evaluation_id) != one.changes]
        is_driven = any(self._is_driven(one.evaluation_id) for one in summaries)
        choice = self._chosen(summaries)
        if self._matrix is None or changed or choice != self._choice:
            self._choice = choice
            for evaluation_id in changed:
                self._read(evaluation_id)
            self._changes = {one.evaluation_id: one.changes for one in summaries}
            self._matrix = self._calculate([one.evaluation_id for one in summaries], is_driven)
        elif is_driven != self._matrix.is_driven:
            self._matrix = replace(self._matrix, is_driven=is_driven, changed=self._matrix.changed + 1)
        return self._matrix

    def _summaries(self) -> Sequence[EvaluationSummary]:
        """Those that are watched, the newest first."""
        if self._evaluation_id is None:
            return self._store.evaluations(run_id=self._run_id)
        record = self._store.evaluation(self._evaluation_id)
        found = self._store.evaluations(run_id=record.spec.run_id)
        return [one for one in found if one.evaluation_id == self._evaluation_id]

    def _chosen(self, summaries: Sequence[EvaluationSummary]) -> Choice | None:
        run_ids = {one.run_id for one in summaries if one.run_id}
        choices = [choice for run_id in run_ids for choice in self._store.choices(run_id)]
        return max(choices, key=lambda choice: choice.at, default=None)

    def _read(self, evaluation_id: str) -> None:
        """Read the cells of an evaluation, and the items of those that may have new ones."""
        if evaluation_id not in self._records:
            self._records[evaluation_id] = self._store.evaluation(evaluation_id)
        before = {cell.key: cell for cell in self._cells.get(evaluation_id, [])}
        self._cells[evaluation_id] = self._store.cells(evaluation_id)
        for cell in self._cells[evaluation_id]:
            if cell.state.is_live or cell != before.get(cell.key):
                self._measured.pop((evaluation_id, cell.key), None)

    def _calculate(self, newest_first: Sequence[str], is_driven: bool) -> EvalMatrix:
        from tcao_tui.domain.eval_cells import Gains, cell_views

        merged = merge([(self._records[each], self._cells[each]) for each in newest_first])
        base = next((subject.name for subject in merged.subjects if subject.is_base), "")
        rows = self._measure(merged)
        self._gains = gains = self._gains or Gains()
        cells: dict[CellKey, CellView] = {}
        for task in merged.tasks:
            cells |= cell_views(task, base, rows[task.name], gains)
        titles = [self._records[each].spec.title for each in newest_first]
        return EvalMatrix(
            title=self._title or next(iter(titles), ""),
            subjects=merged.subjects,
            tasks=merged.tasks,
            base=base,
            cells=cells,
            selection=self._select(merged.tasks, merged.subjects, base, rows),
            notes=(*merged.notes, *_missing(merged.subjects, base)),
            is_driven=is_driven,
            changed=self._matrix.changed + 1 if self._matrix is not None else 0,
        )

    def _measure(self, merged: Merged) -> dict[str, Row]:
        """The cells of each task; items are read of those only that are not known."""
        from tcao_tui.domain.eval_cells import measure

        wanted: dict[str, list[CellKey]] = {}
        for found in merged.cells.values():
            if _place(found) not in self._measured:
                wanted.setdefault(found.evaluation_id, []).append(found.record.key)
        for evaluation_id, keys in wanted.items():
            items = self._store.items(evaluation_id, keys)
            self._measured |= {(evaluation_id, key): measure(items.get(key, ())) for key in keys}
        rows: dict[str, Row] = {task.name: {} for task in merged.tasks}
        for key, found in merged.cells.items():
            rows[key.task][key.subject] = found, self._measured[_place(found)]
        return rows

    def _select(
        self, tasks: Sequence[EvalTask], subjects: Sequence[Subject], base: str, rows: Mapping[str, Row]
    ) -> Selection | None:
        from tcao_tui.domain.eval_cells import evidence
        from tcao_tui.domain.selection import Wishes, select

        candidates = [subject.name for subject in subjects if subject.name != base]
        if not base or not candidates:
            return None
        found = [evidence(task, base, rows[task.name]) for task in tasks]
        given = (base, candidates, found)
        if self._selection is None or self._selection[0] != given:
            self._selection = given, select(*given, self._wishes or Wishes())
        return replace(self._selection[1], choice=self._choice)


def _place(found: Found) -> tuple[str, CellKey]:
    return found.evaluation_id, found.record.key


def _missing(subjects: Sequence[Subject], base: str) -> Sequence[str]:
    if base or not subjects:
        return ()
    return ("The base model was not evaluated: there is nothing that the checkpoints can be held against.",)
