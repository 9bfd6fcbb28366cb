"""The learning-rate and rank range test: short runs around a plan's own values, read by how far their loss falls. Pure.

All runs start from the same weights and see the same batches in the same order, so their losses at the end of the
test can be held against each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, Literal

from tcao_tui.domain.pilot_range import cell_words, nearby_rates
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.sweep import STEPS_KEY
from tcao_tui.domain.training_events import RangeCellTrained, RangeTested
from tcao_tui.domain.watch_plan import RangeTest
from tcao_tui.domain.wording import number_text
from tcao_tui.errors import UsageError

DEFAULT_STEPS = 20

LOSSES = {"sft": "train_mean_nll", "preference_model": "train_mean_nll", "dpo": "dpo_loss", "distill": "teacher_kl"}
"""Training loss by method; what is not here has no loss that a few steps could be read by."""

LEARNING_RATE, LORA_RANK = "training.learning_rate", "training.lora_rank"

_FEWEST_LOSSES = 6
_RISE_IN_NOISES = 3.0
_CLEAR_IN_NOISES = 3.0
_ALIKE_IN_NOISES = 2.0
_SPIKE = 1.5

Shape = Literal["stable", "unstable", "not finite", "too short"]


@dataclass(frozen=True, slots=True)
class RangeRun:
    """One run of the test: its training losses from the first step on."""

    index: int
    learning_rate: float
    lora_rank: int
    losses: Sequence[float]


@dataclass(frozen=True, slots=True)
class RangeOutcome:
    """How a run's loss went.

    Attributes:
        end: Mean of its last fifth; NaN where it is too short or not finite.
        noise: Standard error of `end`, from how much the loss differs from step to step.
        step_noise: Standard deviation of one loss, by the same measure.
    """

    run: RangeRun
    shape: Shape
    end: float = math.nan
    noise: float = math.nan
    step_noise: float = math.nan


@dataclass(frozen=True, slots=True)
class RangeVerdict:
    """What the test says.

    Attributes:
        best: The run whose loss fell furthest and stayed stable; None when the test cannot tell.
        sentence: The result in words, with what it cannot tell.
    """

    best: RangeRun | None
    sentence: str
    outcomes: tuple[RangeOutcome, ...]


def range_settings(plan: Plan, *, steps: int, rank_limit: int) -> list[tuple[str, tuple[Any, ...]]]:
    """The grid of a test, and what makes its runs short, cheap and comparable.

    Args:
        plan: Whose values lie in the middle.
        steps: Of each run.
        rank_limit: Largest rank that makes sense for the model.

    Raises:
        UsageError: The method has no loss that a few steps could be read by.
    """
    if plan.method not in LOSSES:
        raise UsageError(
            f"a range test reads the training loss of a few steps, which method {plan.method} does not have",
            next_step="sweep it: --set training.learning_rate=... --by val_reward",
        )
    config = plan.training
    rates = dict.fromkeys(nearby_rates(config.learning_rate))
    ranks = dict.fromkeys(max(1, min(rank, rank_limit)) for rank in _around(config.lora_rank))
    fixed: list[tuple[str, Any]] = [
        (STEPS_KEY, steps),
        ("training.lr_schedule", "constant"),
        ("training.warmup_steps", 0),
        ("training.save_every", 0),
        ("training.eval_every", 0),
        ("evals.sample_prompts", []),
        ("evals.benchmarks", []),
        ("pilot", None),
        ("watch", {}),
    ]
    fixed += [("evals.score.max_rows", 1)] if plan.evals.score is not None else []
    varied = [(LEARNING_RATE, tuple(rate for rate in rates if 0 < rate <= 1)), (LORA_RANK, tuple(ranks))]
    return [*varied, *((path, (value,)) for path, value in fixed)]


def judge_range(runs: Sequence[RangeRun]) -> RangeVerdict:
    """Say which learning rate and rank the losses fall furthest with while staying stable, or why that is unknown."""
    outcomes = tuple(_outcome(run) for run in runs)
    stable = [outcome for outcome in outcomes if outcome.shape == "stable"]
    if len(stable) < 2:
        return RangeVerdict(None, _cannot_tell(outcomes), outcomes)
    start = fmean(run.losses[0] for run in (outcome.run for outcome in stable))
    first = min(stable, key=lambda outcome: outcome.end)
    if start - first.end <= _CLEAR_IN_NOISES * math.hypot(first.noise, first.step_noise):
        steps = len(first.run.losses)
        fell = f"no loss fell clearly past its own noise ({number_text(first.step_noise)}) in {steps} steps"
        return RangeVerdict(None, f"the test cannot tell: {fell}; use more --steps or higher rates", outcomes)
    # Among runs that cannot be told from the best one, the smallest adapter and then the lowest rate is the safe one.
    alike = [
        outcome
        for outcome in stable
        if outcome.end - first.end <= _ALIKE_IN_NOISES * math.hypot(outcome.noise, first.noise)
    ]
    best = min(alike, key=lambda outcome: (outcome.run.lora_rank, outcome.run.learning_rate))
    parts = [
        f"learning rate {best.run.learning_rate:g} at rank {best.run.lora_rank} falls furthest and stays stable: "
        f"loss {number_text(start)} to {number_text(best.end)} in {len(best.run.losses)} steps",
        *_alike(alike, best),
        *_edge(outcomes, best),
    ]
    return RangeVerdict(best.run, "; ".join(parts), outcomes)


def judge_pilot(cells: Sequence[RangeCellTrained], terms: RangeTest) -> RangeTested:
    """Whether a plan's own learning rate and rank lie in the good range, and what to change where they do not."""
    runs = [
        RangeRun(cell.index, cell.learning_rate, cell.lora_rank, [_number(loss) for loss in cell.losses])
        for cell in cells
    ]
    verdict = judge_range(runs)
    own_index = next((cell.index for cell in cells if cell.is_own), 0)
    own = next((outcome for outcome in verdict.outcomes if outcome.run.index == own_index), None)
    finding = "" if own is None else _worse(own, verdict, terms.min_fall)
    return RangeTested(
        passed=not finding,
        sentence=verdict.sentence,
        finding=finding,
        action=terms.if_worse if finding else "note",
        best=0 if verdict.best is None else verdict.best.index,
    )


def _worse(own: RangeOutcome, verdict: RangeVerdict, min_fall: float) -> str:
    best = next((outcome for outcome in verdict.outcomes if outcome.run is verdict.best), None)
    if own.shape in ("unstable", "not finite"):
        broke = "is unstable" if own.shape == "unstable" else "is no number"
        change = (
            f"training.learning_rate: {own.run.learning_rate / 10:.2g}" if best is None else _change(best.run, own.run)
        )
        return f"at the plan's own values ({_words(own.run)}) the loss {broke} within {_steps(own.run)}: {change}"
    if best is None or own.shape == "too short":
        return ""
    start = best.run.losses[0]
    fell, could = start - own.end, start - best.end
    if fell + _ALIKE_IN_NOISES * math.hypot(own.noise, best.noise) >= min_fall * could:
        return ""
    told = f"falls to {number_text(own.end)} in {_steps(own.run)}, and to {number_text(best.end)} at {_words(best.run)}"
    return f"at the plan's own values ({_words(own.run)}) the loss {told}: {_change(best.run, own.run)}"


def _words(run: RangeRun) -> str:
    return cell_words(run.learning_rate, run.lora_rank)


def _steps(run: RangeRun) -> str:
    return f"{len(run.losses)} steps"


def _change(best: RangeRun, own: RangeRun) -> str:
    changes = [f"{LEARNING_RATE}: {best.learning_rate:g}"] if best.learning_rate != own.learning_rate else []
    changes += [f"{LORA_RANK}: {best.lora_rank}"] if best.lora_rank != own.lora_rank else []
    return ", ".join(changes)


def _number(loss: float | None) -> float:
    return math.nan if loss is None else loss


def _around(rank: int) -> tuple[int, int, int]:
    return rank // 4, rank, rank * 4


def _outcome(run: RangeRun) -> RangeOutcome:
    losses = list(run.losses)
    if any(not math.isfinite(loss) for loss in losses):
        return RangeOutcome(run, "not finite")
    if len(losses) < _FEWEST_LOSSES:
        return RangeOutcome(run, "too short")
    width = max(2, len(losses) // 5)
    end = fmean(losses[-width:])
    # Second differences have six times the variance of the noise and little of the trend; the median leaves out the
    # first fall. 0.6745 is the median of a normal distribution's absolute value.
    bends = [before - 2 * at + after for before, at, after in zip(losses, losses[1:], losses[2:], strict=False)]
    step_noise = median(abs(bend) for bend in bends) / (0.6745 * math.sqrt(6))
    noise = step_noise / math.sqrt(width)
    means = [fmean(losses[i : i + width]) for i in range(len(losses) - width + 1)]
    rose = end - min(means) > _RISE_IN_NOISES * noise + 0.02 * abs(losses[0])
    spiked = losses[0] > 0 and max(losses) > _SPIKE * losses[0]
    return RangeOutcome(run, "unstable" if rose or spiked else "stable", end, noise, step_noise)


def _cannot_tell(outcomes: Sequence[RangeOutcome]) -> str:
    if not outcomes or all(outcome.shape == "too short" for outcome in outcomes):
        return f"the test cannot tell: no run has {_FEWEST_LOSSES} steps yet"
    counts = {shape: sum(o.shape == shape for o in outcomes) for shape in ("stable", "unstable", "not finite")}
    told = ", ".join(f"{count} {shape}" for shape, count in counts.items() if count)
    advice = "try lower rates" if counts["unstable"] + counts["not finite"] else "let more of its runs finish"
    return f"the test cannot tell: of {len(outcomes)} runs {told or 'none is long enough'}; {advice}"


def _alike(alike: Sequence[RangeOutcome], best: RangeOutcome) -> list[str]:
    others = [f"{o.run.learning_rate:g} at rank {o.run.lora_rank}" for o in alike if o is not best]
    if not others:
        return []
    return [f"it cannot be told from {', '.join(others)}: the smallest rank and then the lowest rate is named"]


def _edge(outcomes: Sequence[RangeOutcome], best: RangeOutcome) -> list[str]:
    rates = sorted({outcome.run.learning_rate for outcome in outcomes})
    if len(rates) > 1 and best.run.learning_rate in (rates[0], rates[-1]):
        way = "lower" if best.run.learning_rate == rates[0] else "higher"
        return [f"it is the {'lowest' if way == 'lower' else 'highest'} rate tried, so a {way} one may be better still"]
    return []
