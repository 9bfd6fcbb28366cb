"""Levels and gains of the cells of one task, and what keeps them from being compared.

Scores of one subject are held against the base's on the same items; what was lost on the way (errors, answers without
a grade, answers cut off) is compared too, since it moves a score as much as the weights do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcao_tui.domain.eval_matrix import CellView, Level
from tcao_tui.domain.eval_merge import Found
from tcao_tui.domain.evaluation import CellKey, CellState, EvalTask, ItemResult
from tcao_tui.domain.selection import Evidence
from tcao_tui.domain.statistics.levels import level
from tcao_tui.domain.statistics.paired import Difference, ItemScore, compare, holm
from tcao_tui.domain.statistics.verdict import MOST_UNUSABLE, Outcome, Scores, Task, outcome


@dataclass(frozen=True, slots=True)
class Lost:
    """Shares of a cell's items that say nothing of the weights, 0 to 1."""

    errored: float = 0.0
    unscored: float = 0.0
    truncated: float = 0.0
    unusable: float = 0.0

    def gaps(self, base: Lost) -> Iterator[str]:
        """In words, each share that differs too much from the base's."""
        words = (("ended in an error", self.errored, base.errored), ("have no grade", self.unscored, base.unscored))
        for word, ours, theirs in (*words, ("were cut off", self.truncated, base.truncated)):
            if abs(ours - theirs) > MOST_UNUSABLE:
                yield f"{ours:.1%} of its answers {word}, {theirs:.1%} of the base's"


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The items of one cell, read once."""

    scores: Scores
    level: Level | None
    lost: Lost


def measure(items: Sequence[ItemResult]) -> Measured:
    """Take in the items of a cell."""
    graded = [(item.value, item.cluster or item.item) for item in items if item.value is not None]
    scores = {item.item: ItemScore(item.value, item.cluster) for item in items}
    found = level([value for value, _ in graded], [cluster for _, cluster in graded])
    return Measured(scores, found, _lost(items))


def _lost(items: Sequence[ItemResult]) -> Lost:
    if not items:
        return Lost()
    errored = sum(bool(item.error) for item in items)
    unscored = sum(item.value is None and not item.error for item in items)
    truncated = sum(item.truncated for item in items)
    unusable = sum(item.value is None or item.truncated for item in items)
    return Lost(*(count / len(items) for count in (errored, unscored, truncated, unusable)))


class Gains:
    """Differences from the base, calculated again only where one of the two cells changed."""

    def __init__(self) -> None:
        self._known: dict[CellKey, tuple[Measured, Measured, Difference]] = {}

    def gain(self, key: CellKey, ours: Measured, base: Measured, *, higher_is_better: bool) -> Difference:
        """`ours` against the base, above zero when it is better."""
        known = self._known.get(key)
        if known is None or known[0] is not ours or known[1] is not base:
            pair = (ours.scores, base.scores) if higher_is_better else (base.scores, ours.scores)
            known = self._known[key] = (ours, base, compare(*pair))
        return known[2]


def cell_views(
    task: EvalTask, base: str, cells: Mapping[str, tuple[Found, Measured]], gains: Gains
) -> dict[CellKey, CellView]:
    """The cells of one task.

    Args:
        task: Under its name in the matrix.
        base: Name of the subject that the others are held against; empty when it was not evaluated.
        cells: By subject.
        gains: Keeps differences from one call to the next.
    """
    reference = cells.get(base)
    found: dict[str, Difference] = {}
    if reference is not None and reference[1].level is not None:
        for subject, (_, ours) in cells.items():
            if subject != base and ours.level is not None:
                key = CellKey(task.name, subject)
                found[subject] = gains.gain(key, ours, reference[1], higher_is_better=task.higher_is_better)
    corrected = dict(zip(found, holm([gain.p_value for gain in found.values()]), strict=True))
    return {
        CellKey(task.name, subject): _view(
            cell, None if subject == base else reference, found.get(subject), corrected.get(subject, 1.0)
        )
        for subject, cell in cells.items()
    }


def evidence(task: EvalTask, base: str, cells: Mapping[str, tuple[Found, Measured]]) -> Evidence:
    """What the selection rule is given of a task: cells that are done, or were ended without a choice of items."""
    done = {
        subject: ours
        for subject, (found, ours) in cells.items()
        if found.record.state in (CellState.DONE, CellState.PARTIAL) and ours.level is not None
    }
    lost = {} if base not in done else {name: list(ours.lost.gaps(done[base].lost)) for name, ours in done.items()}
    scores = {subject: ours.scores for subject, ours in done.items()}
    return Evidence(
        spec=task,
        scores=Task(task.name, scores, higher_is_better=task.higher_is_better),
        gaps={name: "; ".join(gaps) for name, gaps in lost.items() if gaps},
    )


def _view(
    cell: tuple[Found, Measured], reference: tuple[Found, Measured] | None, gain: Difference | None, p_value: float
) -> CellView:
    found, ours = cell
    gaps = list(ours.lost.gaps(reference[1].lost)) if reference is not None and gain is not None else []
    said: Outcome | None = None
    if gain is not None:
        said = "left out" if gaps else outcome(gain, p_value)
    return CellView(
        evaluation_id=found.evaluation_id,
        record=found.record,
        level=ours.level,
        gain=gain,
        p_value=p_value,
        outcome=said,
        unusable=ours.lost.unusable,
        caution="; ".join([*gaps, *_unfinished(found), *_other_items(ours, reference)]),
    )


def _unfinished(found: Found) -> Iterator[str]:
    record = found.record
    given, planned = record.counts.completed, record.counts.planned
    if record.state is CellState.PARTIAL or (record.state.is_over and 0 < given < planned):
        yield f"only {given:,} of {planned:,} answers were given"


def _other_items(ours: Measured, reference: tuple[Found, Measured] | None) -> Iterator[str]:
    """Where both are done and were not asked the same."""
    if reference is None or not ours.scores or not reference[1].scores:
        return
    asked, base_asked = ours.scores.keys(), reference[1].scores.keys()
    alone, missing = len(asked - base_asked), len(base_asked - asked)
    if alone and missing:
        yield f"{alone:,} of its items are not among the base's, and {missing:,} of the base's not among its"
