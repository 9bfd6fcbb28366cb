"""What a run's furthest checkpoint gets wrong in evals of the product, as cases of an eval set."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tcao_tui.domain.eval_matrix import CellView, EvalMatrix
from tcao_tui.domain.evalset import Case
from tcao_tui.domain.evaluation import CellKey
from tcao_tui.domain.transcript import Transcript
from tcao_tui.errors import UsageError
from tcao_tui.services.eval_examples import ReadTranscript, read_answers
from tcao_tui.services.eval_reference import follow_evaluations
from tcao_tui.services.eval_transcripts import transcripts_below
from tcao_tui.services.evalset import failed_cases
from tcao_tui.store.port import RunStore


def failures_of(store: RunStore, runs_root: Path, reference: str, *, most: int) -> list[Case]:
    """Items of layer 3 that were answered wrongly, with the wanted answers.

    Args:
        store: The store.
        runs_root: Its root.
        reference: A run or an evaluation.
        most: Cases at most.

    Raises:
        UsageError: Nothing of layer 3 was evaluated, or there is no such run.
    """
    matrix = follow_evaluations(store, runs_root, reference).poll()
    subject = _furthest(matrix)
    with transcripts_below(runs_root) as read:
        found = _failed(store, matrix, subject, read)
        return failed_cases(islice(found, most), f"eval of {subject}")


def _furthest(matrix: EvalMatrix) -> str:
    """The last checkpoint with an eval of layer 3."""
    own = [task.name for task in matrix.tasks if task.layer == 3]
    for subject in reversed(matrix.subjects):
        if not subject.is_base and any(CellKey(name, subject.name) in matrix.cells for name in own):
            return subject.name
    raise UsageError(
        f"nothing of {matrix.title} was evaluated by evals of its own", next_step="tcao eval RUN --layer 3"
    )


def _failed(store: RunStore, matrix: EvalMatrix, subject: str, read: ReadTranscript) -> Iterator[Transcript]:
    for answers in read_answers(store.evaluations, matrix, subject):
        if answers.task.layer == 3:
            cell: CellView = answers.subject
            yield from (one for item in answers.failed if (one := read(cell, item)) is not None)
