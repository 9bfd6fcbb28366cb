"""Judges a pilot: what its first steps measured, what the whole run would cost, and what speaks against the rest.

Pure. When to judge and what to do about it is the worker's business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tcao_tui.domain.cost import CostEstimate, CostKind, known_sum
from tcao_tui.domain.events import DataLoaded
from tcao_tui.domain.pipeline import STAGED_METHODS, stage_plans
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.robust import fall
from tcao_tui.domain.training_events import PilotEnded
from tcao_tui.domain.watch_plan import PilotPlan
from tcao_tui.domain.watch_rules.losses import MASK_KEY
from tcao_tui.domain.watch_rules.policy import ZeroAdvantage
from tcao_tui.domain.watch_rules.rule import REWARD_KEY, lower_rate, signals_of
from tcao_tui.domain.wording import count_text, duration_text, money_text, number_text, share_text

STILL = 0.002
"""A loss that fell by less than this share, noise taken into account, did not fall at all."""


@dataclass(frozen=True, slots=True)
class PilotStep:
    """One update of the pilot: its row, and what it used; None where an earlier worker trained it.

    Attributes:
        usd: None is unknown as well.
    """

    step: int
    values: Mapping[str, float]
    tokens: int | None = None
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class Pilot:
    """All that is known when the pilot is over.

    Attributes:
        plan: As approved.
        steps: In their order.
        data: Counts of the rows; None when the method tells none.
        other_usd: Cost of what was not training so far; None is unknown.
        estimate: What the person consented to; None when it was not kept.
    """

    plan: Plan
    steps: Sequence[PilotStep]
    data: DataLoaded | None
    other_usd: float | None
    estimate: CostEstimate | None

    @property
    def first(self) -> Plan:
        """The training that these steps belong to: of a pipeline its first stage."""
        return stage_plans(self.plan)[0].plan


def judge(pilot: Pilot, terms: PilotPlan) -> PilotEnded:
    """Whether the rest of the run may follow, and the numbers that decide it."""
    measured = _measured(pilot)
    gates: tuple[Callable[[Pilot, PilotPlan, Mapping[str, float]], Iterator[str]], ...] = (
        _finite,
        _learns,
        _rewarded,
        _whole_rows,
        _affordable,
    )
    findings = tuple(finding for gate in gates for finding in gate(pilot, terms, measured))
    return PilotEnded(
        step=pilot.steps[-1].step if pilot.steps else 0, passed=not findings, findings=findings, measured=measured
    )


def pilot_text(ended: PilotEnded) -> str:
    """Its numbers in a line: `about $1.20 and 2h10m in all, loss 2.31 -> 1.9, 0.4% of rows cut`."""
    told = ended.measured
    costs = [money_text(told["projected_cost_usd"])] if "projected_cost_usd" in told else []
    costs += [duration_text(told["projected_hours"] * 3600)] if "projected_hours" in told else []
    parts = [f"about {' and '.join(costs)} in all"] if costs else []
    if "first_loss" in told and "last_loss" in told:
        parts.append(f"loss {number_text(told['first_loss'])} -> {number_text(told['last_loss'])}")
    parts += [f"mean reward {number_text(told['reward'])}"] if "reward" in told else []
    parts += [f"{share_text(told['truncated_share'])} of rows cut"] if told.get("truncated_share") else []
    return ", ".join(parts) or f"{ended.step} steps"


def _measured(pilot: Pilot) -> dict[str, float]:
    steps, config = pilot.steps, pilot.plan.training
    found: dict[str, float] = {}
    if seconds := _finite_values(steps, "step_seconds"):
        found["step_seconds"] = median(seconds)
        if pilot.plan.method not in STAGED_METHODS:
            found["projected_hours"] = median(seconds) * config.num_steps / 3600
    if tokens := [step.tokens for step in steps if step.tokens is not None]:
        found["tokens_per_step"] = _mean(tokens)
    if pilot.data is not None and pilot.data.train_rows:
        found["truncated_share"] = pilot.data.truncated_rows / pilot.data.train_rows
    if losses := _finite_values(steps, signals_of(pilot.first).loss):
        found["first_loss"], found["last_loss"] = losses[0], losses[-1]
    for name, key in (("reward", REWARD_KEY), ("zero_advantage_share", ZeroAdvantage.KEY)):
        if values := _finite_values(steps, key):
            found[name] = _mean(values)
    if (projected := _projected_usd(pilot)) is not None:
        found["projected_cost_usd"] = projected
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _projected_usd(pilot: Pilot) -> float | None:
    """The whole run at the pilot's cost of a step, and all else as it was estimated, or as it has cost so far."""
    costs = [step.usd for step in pilot.steps if step.tokens is not None]
    known = [usd for usd in costs if usd is not None]
    if pilot.plan.method in STAGED_METHODS or not known or len(known) < len(costs):
        return None
    all_steps = _mean(known) * pilot.plan.training.num_steps
    estimate = pilot.estimate
    if estimate is not None and estimate.total.expected_usd is not None:
        return all_steps + estimate.total.expected_usd - (_expected_usd(pilot, estimate) or 0.0)
    return None if pilot.other_usd is None else all_steps + pilot.other_usd


def _expected_usd(pilot: Pilot, estimate: CostEstimate) -> float | None:
    """What all steps were estimated to cost."""
    kinds = _kinds_of_a_step(pilot.plan)
    return known_sum(line.usd.expected_usd for line in estimate.lines if line.kind in kinds)


def _kinds_of_a_step(plan: Plan) -> tuple[CostKind, ...]:
    """Lines of the estimate that a step's ledger entries belong to; RL and distillation sample what they train on."""
    return ("training", "sampling") if plan.rl is not None or plan.distill is not None else ("training",)


def _finite(pilot: Pilot, terms: PilotPlan, measured: Mapping[str, float]) -> Iterator[str]:
    key = signals_of(pilot.first).loss
    for step in pilot.steps:
        loss = step.values.get(key, 0.0)
        if not math.isfinite(loss) and step.values.get(MASK_KEY) != 0:
            yield f"{key} is {number_text(loss)} at step {step.step}: {lower_rate(pilot.first)}"
            return


def _learns(pilot: Pilot, terms: PilotPlan, measured: Mapping[str, float]) -> Iterator[str]:
    signals, config = signals_of(pilot.first), pilot.first.training
    after_warmup = [step for step in pilot.steps if step.step > config.warmup_steps]
    losses = _finite_values(after_warmup, signals.loss)
    half = len(losses) // 2
    if half < 2:
        return
    seen = fall(losses[:half], losses[-half:])
    if seen.size + seen.error >= STILL * seen.start or seen.end <= signals.low:
        return
    told = f"{signals.loss} went from {number_text(seen.start)} to {number_text(seen.end)}"
    if seen.size + seen.error < 0:
        yield f"the loss rises, {told}: {lower_rate(pilot.first)}"
    else:
        rate = min(1.0, 3 * config.learning_rate)
        yield f"the loss does not fall, {told}: training.learning_rate: {rate:.2g}, and look at the loss mask"


def _rewarded(pilot: Pilot, terms: PilotPlan, measured: Mapping[str, float]) -> Iterator[str]:
    share = measured.get("zero_advantage_share", 0.0)
    if share >= 1:
        reward = number_text(measured.get("reward"))
        yield (
            f"all answers to each prompt earned the same in every step (mean reward {reward}), so nothing is "
            "learned: easier or harder prompts, a larger rl.group_size, or SFT first"
        )


def _whole_rows(pilot: Pilot, terms: PilotPlan, measured: Mapping[str, float]) -> Iterator[str]:
    share = measured.get("truncated_share", 0.0)
    if share > terms.max_truncated_share:
        longer = 2 * pilot.first.training.max_seq_len
        most = share_text(terms.max_truncated_share)
        yield f"{share_text(share)} of rows are cut, allowed are {most}: training.max_seq_len: {longer}"


def _affordable(pilot: Pilot, terms: PilotPlan, measured: Mapping[str, float]) -> Iterator[str]:
    projected, cap = measured.get("projected_cost_usd"), pilot.plan.budget.max_cost_usd
    if projected is not None and cap is not None and projected > cap:
        yield f"the whole run would cost {money_text(projected)}, and its cap is {money_text(cap)}: fewer steps"
    estimate = pilot.estimate
    if estimate is None or pilot.plan.method in STAGED_METHODS:
        return
    expected = estimate.total.expected_usd
    if projected is not None and expected:
        if projected > terms.max_cost_factor * expected:
            yield f"the whole run would cost {money_text(projected)}, approved was about {money_text(expected)}"
        return
    # Where steps are free or of unknown price, their tokens tell whether the estimate was right.
    tokens = sum(line.tokens for line in estimate.lines if line.kind in _kinds_of_a_step(pilot.plan))
    projected_tokens = measured.get("tokens_per_step", 0.0) * pilot.plan.training.num_steps
    if tokens and projected_tokens > terms.max_cost_factor * tokens:
        yield f"the whole run would use {count_text(projected_tokens)} tokens, estimated were {count_text(tokens)}"


def _finite_values(steps: Sequence[PilotStep], key: str) -> list[float]:
    values = (step.values.get(key, math.nan) for step in steps)
    return [value for value in values if math.isfinite(value)]


def _mean(values: Sequence[float]) -> float:
    """Of numbers as they come: where `statistics.fmean` raises, since a sum leaves the range of floats, infinity."""
    return sum(values) / len(values)
