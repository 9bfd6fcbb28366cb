"""The table of a sweep: what each cell came to, and which is best. Pure; ties, gaps and chance are said.

Reading the runs is `services.sweep`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tcao_tui.domain.checks.evals import smallest_difference
from tcao_tui.domain.headlines import HEADLINES, Headline
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.run_view import RunStatus, RunView
from tcao_tui.domain.sweep import Overrides, varied, words
from tcao_tui.errors import UsageError

SCORE = Headline("score", "score", "higher", is_share=True)
"""The layer-3 score of a plan."""

WAITING = "waiting"
"""Status of a cell that has no run yet."""

PROBLEM = "not started"
"""Status of a cell whose run could not be started."""


@dataclass(frozen=True, slots=True)
class CellRow:
    """One cell as it stands.

    Attributes:
        run_id: Empty before its run exists.
        status: A `RunStatus`, `WAITING` or `PROBLEM`.
        value: The newest value of what the sweep is judged by; None when there is none.
        value_step: Updates after which it was taken.
        of: Rows that a score was taken on; 0 for other metrics.
        problem: Why its run could not be started.
    """

    index: int
    overrides: Overrides
    name: str
    run_id: str = ""
    status: str = WAITING
    step: int = 0
    total_steps: int = 0
    train_loss: float | None = None
    val_loss: float | None = None
    score: float | None = None
    tokens: int = 0
    cost_usd: float | None = 0.0
    value: float | None = None
    value_step: int = 0
    of: int = 0
    problem: str = ""
    is_best: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status not in (WAITING, RunStatus.CREATED) and not (
            self.status in set(RunStatus) and RunStatus(self.status).is_live
        )


@dataclass(frozen=True, slots=True)
class SweepTable:
    """All cells.

    Attributes:
        keys: Key paths that differ between cells, in the order in which they were given.
        measure: What cells are judged by.
        verdict: Which cell is best, or why none can be named, in a sentence or two.
        is_driven: Whether a sweeper is at work.
    """

    name: str
    keys: tuple[str, ...]
    measure: Headline
    rows: tuple[CellRow, ...]
    verdict: str
    is_driven: bool = False

    @property
    def best(self) -> tuple[CellRow, ...]:
        """The best cells: several when they tie, none when no cell has a value."""
        return tuple(row for row in self.rows if row.is_best)

    @property
    def cost_usd(self) -> float | None:
        """Spent so far; None as soon as one price is unknown."""
        costs = [row.cost_usd for row in self.rows]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    @property
    def is_over(self) -> bool:
        """Whether every cell is."""
        return all(row.is_over for row in self.rows)


@dataclass(frozen=True, slots=True)
class FollowedSweep:
    """A sweep that is watched: its table, or why there is none."""

    name: str
    table: SweepTable | None
    problem: str = ""


def measure_for(plan: Plan, by: str | None = None) -> Headline:
    """What the cells of a plan are judged by.

    Args:
        plan: Any of the cells.
        by: `score` or a metric; None for what the plan calls success, else what its method validates by.

    Raises:
        UsageError: Nobody knows which way of this metric is better.
    """
    known = {SCORE.key: SCORE, "dpo_loss": Headline("dpo_loss", "loss")} | {
        h.key: h for group in HEADLINES.values() for h in group if h.better
    }
    method = plan.stages[-1].method if plan.stages else "rl" if plan.method == "rlhf" else plan.method
    if by is None:
        wanted = plan.success.metric
        if wanted == SCORE.key and plan.evals.score is not None:
            return SCORE
        own = [h for h in HEADLINES.get(method, HEADLINES["sft"]) if h.better]
        held_out = [h for h in own if h.is_held_out]
        return known.get(wanted, SCORE) if wanted != SCORE.key and wanted in known else (held_out or own)[0]
    if by not in known:
        raise UsageError(f"no cell can be judged by {by!r}", where="--by", next_step=f"one of: {', '.join(known)}")
    return known[by]


def row_of(row: CellRow, view: RunView, measure: Headline) -> CellRow:
    """A cell with what its run came to."""
    # What was taken at step 0 is the base model's, the same for every cell.
    score = max((s for s in view.scores if s.step), key=lambda s: s.step, default=None)
    series = view.series.get(measure.key)
    if measure.key == SCORE.key:
        value, at = (score.value, score.step) if score is not None else (None, 0)
    else:
        value, at = (series.last, series.last_step) if series and series.last_step else (None, 0)
    return replace(
        row,
        run_id=view.run_id,
        status=str(view.status),
        step=view.step,
        total_steps=view.total_steps,
        train_loss=_last(view, "train_mean_nll"),
        val_loss=_last(view, "val_mean_nll"),
        score=score.value if score is not None else None,
        tokens=view.tokens,
        cost_usd=view.cost_usd,
        value=value,
        value_step=at,
        of=score.total if score is not None and measure.key == SCORE.key else 0,
    )


def table(name: str, rows: Sequence[CellRow], measure: Headline, *, is_driven: bool = False) -> SweepTable:
    """The cells with the best of them marked."""
    judged = [row for row in rows if row.value is not None and math.isfinite(row.value)]
    best = _best(judged, measure)
    marked = tuple(replace(row, is_best=row in best) for row in rows)
    return SweepTable(
        name, varied([row.overrides for row in rows]), measure, marked, _verdict(rows, judged, best, measure), is_driven
    )


def _last(view: RunView, key: str) -> float | None:
    """The newest value after training began."""
    series = view.series.get(key)
    return series.last if series is not None and series.last_step else None


def _goodness(row: CellRow, measure: Headline) -> float:
    value = row.value if row.value is not None else math.nan
    return value if measure.better == "higher" else -value


def _best(judged: Sequence[CellRow], measure: Headline) -> list[CellRow]:
    top = max((_goodness(row, measure) for row in judged), default=None)
    return [row for row in judged if _goodness(row, measure) == top]


def _verdict(rows: Sequence[CellRow], judged: Sequence[CellRow], best: Sequence[CellRow], measure: Headline) -> str:
    parts: list[str] = []
    way = f"{measure.word}, {measure.better} is better"
    if not best:
        parts.append(f"no cell has a {measure.word} yet" if not all(r.is_over for r in rows) else f"no {measure.word}")
    elif len(judged) == 1:
        parts.append(f"only cell {best[0].index} has a {measure.word}: {measure.text(best[0].value)}")
    elif len(best) > 1:
        parts.append(f"cells {_numbers(best)} tie at {measure.text(best[0].value)} ({way})")
        parts += _second(best, measure)
    else:
        so_far = "" if all(row.is_over for row in rows) else " so far"
        which = words(best[0].overrides, varied([row.overrides for row in rows]))
        parts.append(f"best{so_far}: cell {best[0].index} ({which}), {measure.text(best[0].value)}")
        parts[-1] += f" ({way})"
        parts += _chance(judged, best[0], measure)
    steps = {row.value_step for row in judged}
    if len(steps) > 1:
        parts.append("values were taken at different steps, so they are not like for like")
    if judged and (missing := [row for row in rows if row not in judged]):
        parts.append(f"without one: {'cell' if len(missing) == 1 else 'cells'} {_numbers(missing)}")
    return "; ".join(parts)


def _second(best: Sequence[CellRow], measure: Headline) -> list[str]:
    """Which of the tied cells validates best, where that is another measure."""
    known = [row for row in best if row.val_loss is not None and math.isfinite(row.val_loss)]
    if measure.key == "val_mean_nll" or len(known) < len(best):
        return []
    lowest = min(known, key=lambda row: row.val_loss or 0.0)
    alone = sum(row.val_loss == lowest.val_loss for row in known) == 1
    return [f"of these, cell {lowest.index} has the lowest validation loss"] if alone else []


def _chance(judged: Sequence[CellRow], best: CellRow, measure: Headline) -> list[str]:
    """Cells that a score cannot tell from the best one."""
    if not best.of:
        return []
    margin = smallest_difference(best.of)
    near = [r for r in judged if r is not best and abs((r.value or 0.0) - (best.value or 0.0)) < margin]
    if not near:
        return []
    lead = f"{'cell' if len(near) == 1 else 'cells'} {_numbers(near)}"
    return [f"on {best.of} rows its lead over {lead} may be chance (less than {margin * 100:.0f} points)"]


def _numbers(rows: Sequence[CellRow]) -> str:
    numbers = [str(row.index) for row in rows]
    return numbers[0] if len(numbers) == 1 else f"{', '.join(numbers[:-1])} and {numbers[-1]}"
