"""What is done with a verdict: a person chooses weights, and a build is let through or not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from tcao_tui.domain.eval_matrix import EvalMatrix
from tcao_tui.domain.eval_words import gain_text, level_text
from tcao_tui.domain.evaluation import CellKey, Choice, EvalTask, Subject
from tcao_tui.errors import Refused, UsageError
from tcao_tui.store.evaluations import EvaluationStore

if TYPE_CHECKING:
    from tcao_tui.domain.statistics.paired import Difference
    from tcao_tui.domain.statistics.verdict import Scores

BASE = "base"


def subject_named(matrix: EvalMatrix, wanted: str) -> Subject:
    """The subject that is meant by its name, its step, its `tinker://` path, or `base`.

    Raises:
        UsageError: None or several are meant.
    """
    found = [one for one in matrix.subjects if wanted in (one.name, one.checkpoint or BASE)]
    found = found or [one for one in matrix.subjects if one.checkpoint and wanted.removeprefix("@") == str(one.step)]
    if len(found) != 1:
        known = ", ".join(subject.name for subject in matrix.subjects)
        raise UsageError(
            f"{wanted} is {'several' if found else 'none'} of what was evaluated: {known}",
            next_step="name one of these",
        )
    return found[0]


def task_named(matrix: EvalMatrix, wanted: str) -> EvalTask:
    """The task of a name, which may lack what stands before its last slash. Raises `UsageError`."""
    found = [task for task in matrix.tasks if task.name == wanted]
    found = found or [task for task in matrix.tasks if task.name.endswith(f"/{wanted}")]
    if len(found) != 1:
        known = ", ".join(task.name for task in matrix.tasks) or "none"
        raise UsageError(
            f"{wanted} is not one of the tasks that were evaluated: {known}", next_step="name one of these"
        )
    return found[0]


def choose(
    store: EvaluationStore,
    matrix: EvalMatrix,
    wanted: str,
    reason: str,
    *,
    run_id: str,
    by: str,
    clock: Callable[[], float] = time.time,
) -> Choice:
    """Record a person's word on the weights to use.

    Raises:
        UsageError: The weights were not evaluated, or there is no reason.
        Refused: The evaluations are about no run.
    """
    if not run_id:
        raise Refused("these evaluations are about no run, so nothing keeps the choice", next_step="tcao eval ls")
    if not reason.strip():
        raise UsageError("a choice needs a reason, for whoever asks later", next_step="--reason WORDS")
    subject = subject_named(matrix, wanted)
    choice = Choice(
        run_id=run_id,
        subject=subject.name,
        checkpoint=subject.checkpoint,
        reason=reason.strip(),
        by=by,
        at=clock(),
    )
    store.choose(choice)
    return choice


def under(matrix: EvalMatrix, subject: str, limits: Mapping[str, float]) -> Iterator[str]:
    """Scores of a subject that do not reach a limit, in words; what has no score does not.

    Args:
        matrix: The evaluations.
        subject: Its name.
        limits: By the name of the task, in units of its score; a ceiling where lower is better.

    Raises:
        UsageError: There is no such task.
    """
    for name, limit in limits.items():
        task = task_named(matrix, name)
        cell = matrix.cells.get(CellKey(task.name, subject))
        level = None if cell is None else cell.level
        if level is None:
            yield f"{task.name}: {subject} has no score"
        elif (level.mean < limit) if task.higher_is_better else (level.mean > limit):
            side = "under" if task.higher_is_better else "above"
            yield f"{task.name}: {level_text(level)} of {subject} is {side} {limit:g}"


def clearly_worse(store: EvaluationStore, matrix: EvalMatrix, subject: str, than: str) -> Iterator[str]:
    """Tasks on which a subject is clearly worse than another, corrected over the tasks; "cannot tell" is not worse."""
    from tcao_tui.domain.eval_cells import measure  # loads the statistics
    from tcao_tui.domain.statistics.paired import compare, holm
    from tcao_tui.domain.statistics.verdict import outcome

    def scores(task: EvalTask, name: str) -> Scores:
        cell = matrix.cells.get(CellKey(task.name, name))
        if cell is None:
            return {}
        return measure(store.items(cell.evaluation_id, [cell.record.key])[cell.record.key]).scores

    gains: dict[str, Difference] = {}
    for task in matrix.tasks:
        ours, theirs = scores(task, subject), scores(task, than)
        gains[task.name] = compare(ours, theirs) if task.higher_is_better else compare(theirs, ours)
    corrected = holm([gain.p_value for gain in gains.values()])
    for (name, gain), p_value in zip(gains.items(), corrected, strict=True):
        if outcome(gain, p_value) == "worse":
            yield f"{name}: {subject} is clearly worse than {than}: {gain_text(gain)}, p {p_value:.2g}"
