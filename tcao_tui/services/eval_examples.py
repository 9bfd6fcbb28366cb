"""Single answers for a report: items that turned, those that still fail, and scores by tag.

Transcripts are asked of a provider, since logs are read by a process of their own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import fmean

from tcao_tui.data.score_rows import read_score_rows
from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.domain.eval_matrix import CellView, EvalMatrix
from tcao_tui.domain.eval_report import Failure, Flip, TagScore
from tcao_tui.domain.evalset import FAILURE_WORDS, failure_kind
from tcao_tui.domain.evaluation import CellKey, EvalTask, ItemResult
from tcao_tui.domain.transcript import Transcript
from tcao_tui.errors import TcaoError
from tcao_tui.store.evaluations import EvaluationStore

type ReadTranscript = Callable[[CellView, str], Transcript | None]
"""The first epoch of an item of a cell; None where no transcript is kept."""

FLIPS_SHOWN = 3
FAILURES_SHOWN = 3
FAILURES_LOOKED_AT = 20
_FAILED = 0.5
"""Scores below, on a scale from 0 to 1, are failures."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Items of a task for the base and for the subject of the report."""

    task: EvalTask
    base: CellView
    subject: CellView
    before: Mapping[str, ItemResult]
    after: Mapping[str, ItemResult]

    @property
    def gains(self) -> dict[str, float]:
        """How much better the subject did, by item, where both have a grade."""
        sign = 1.0 if self.task.higher_is_better else -1.0
        return {
            name: sign * (ours.value - base.value)
            for name, ours in self.after.items()
            if (base := self.before.get(name)) and ours.value is not None and base.value is not None
        }

    @property
    def failed(self) -> list[str]:
        """Items on which the subject fails."""
        values = {name: found.value for name, found in self.after.items() if found.value is not None}
        return [name for name, value in values.items() if (value < _FAILED) == self.task.higher_is_better]


def read_answers(store: EvaluationStore, matrix: EvalMatrix, subject: str) -> list[Answers]:
    """The items of every task of layers 2 and 3 that base and subject have."""
    found: list[Answers] = []
    for task in matrix.tasks:
        base, ours = (matrix.cells.get(CellKey(task.name, name)) for name in (matrix.base, subject))
        if task.layer > 1 and base is not None and ours is not None and subject != matrix.base:
            found.append(Answers(task, base, ours, _items(store, base), _items(store, ours)))
    return found


def _items(store: EvaluationStore, cell: CellView) -> dict[str, ItemResult]:
    found = store.items(cell.evaluation_id, [cell.record.key])
    return {item.item: item for item in found[cell.record.key]}


def flips(found: Answers, read: ReadTranscript) -> Iterator[Flip]:
    """The items that turned most, a few each way."""
    gains = found.gains
    for is_gain in (True, False):
        turned = sorted((name for name, gain in gains.items() if gain and (gain > 0) == is_gain), key=_order(gains))
        shown = (flip for name in turned if (flip := _flip(found, name, read, is_gain)))
        yield from islice(shown, FLIPS_SHOWN)


def _order(gains: Mapping[str, float]) -> Callable[[str], tuple[float, str]]:
    return lambda name: (-abs(gains[name]), name)


def _flip(found: Answers, item: str, read: ReadTranscript, is_gain: bool) -> Flip | None:
    before, after = _read(read, found.base, item), _read(read, found.subject, item)
    if before is None or after is None:
        return None
    return Flip(found.task.name, item, _asked(after), after.target, _said(before), _said(after), is_gain)


def failures(found: Answers, read: ReadTranscript) -> list[Failure]:
    """The first items on which the subject fails, with what kind of failure each seems to be."""
    looked_at = islice(found.failed, FAILURES_LOOKED_AT)
    transcripts = [transcript for item in looked_at if (transcript := _read(read, found.subject, item))]
    return [
        Failure(
            task=found.task.name,
            item=one.item,
            asked=_asked(one),
            wanted=one.target,
            given=_said(one),
            kind=FAILURE_WORDS[failure_kind(one.target, _answer(one))],
        )
        for one in transcripts
    ]


def kinds(found: Sequence[Failure]) -> dict[str, int]:
    """How many failures there are of each kind, the most frequent first."""
    return dict(Counter(failure.kind for failure in found).most_common())


def tag_scores(found: Answers) -> Iterator[TagScore]:
    """Mean scores by tag, where the task is made of rows that have tags and are still there."""
    tagged: dict[str, list[str]] = defaultdict(list)
    for item, tags in _tags(found.task).items():
        for tag in tags:
            tagged[tag].append(item)
    for tag, items in sorted(tagged.items()):
        before, after = (
            _mean([side[item].value for item in items if item in side]) for side in (found.before, found.after)
        )
        yield TagScore(found.task.name, tag, len(items), before, after)


def _tags(task: EvalTask) -> Mapping[str, Sequence[str]]:
    if "file" not in task.files:
        return {}
    said = {
        name: str(text) for name in ("data_format", "input_field", "output_field") if (text := task.arguments.get(name))
    }
    try:
        rows = read_score_rows(
            Path(task.files["file"]), FieldMap.model_validate({"data_format": "", **said}) if said else None, None
        )
    except (TcaoError, OSError):
        return {}
    return {row.item: row.tags for row in rows.rows}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _read(read: ReadTranscript, cell: CellView, item: str) -> Transcript | None:
    try:
        return read(cell, item)
    except (TcaoError, OSError):
        return None


def _asked(found: Transcript) -> str:
    return next((turn.text for turn in reversed(found.turns) if turn.role == "user"), "")


def _answer(found: Transcript) -> str:
    return next((turn.text for turn in reversed(found.turns) if turn.role == "assistant"), "")


def _said(found: Transcript) -> str:
    """The answer, and what the scorer said of it."""
    notes = [f"[{score.scorer}: {score.value}] {score.explanation}".rstrip() for score in found.scores]
    ends = [f"[{word}]" for word in (found.error, found.limit) if word]
    return "\n".join([_answer(found), *notes, *ends])
