"""What goes wrong when a model learns from its own answers: rewards, advantages, entropy, distance from the start."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import median
from typing import ClassVar, Literal

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.robust import spread
from tcao_tui.domain.watch_plan import RuleName
from tcao_tui.domain.watch_rules.rule import REWARD_KEY, Found, Recent, lower_rate
from tcao_tui.domain.wording import number_text, share_text

MASTERED = 0.9
"""A mean reward from which on nothing is left to learn: equal rewards and sure answers are then no fault."""


class RewardCollapse:
    """Most of five mean rewards lie below half of the best level so far, by more than noise."""

    name: ClassVar[RuleName] = "reward_collapse"
    within_steps: ClassVar[int] = 3
    LEAST_FALL = 0.05
    SIGMAS = 4.0

    def __init__(self, plan: Plan) -> None:
        self.reads = frozenset({REWARD_KEY})
        self._plan = plan
        self._level, self._usual, self._last = Recent(10), Recent(50), Recent(5)
        self._best = -math.inf

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Judge one row."""
        reward = values[REWARD_KEY]
        if not self._last.add(step, reward):
            return None
        found = self._collapsed(step)
        self._usual.add(step, reward)
        self._level.add(step, reward)
        if self._level.is_full:
            self._best = max(self._best, median(self._level.values))
        return found

    def _collapsed(self, step: int) -> Found | None:
        if not (self._last.is_full and math.isfinite(self._best)):
            return None
        least = max(self.LEAST_FALL, 0.5 * abs(self._best), self.SIGMAS * spread(self._usual.values))
        now = median(self._last.values)
        if now >= self._best - least:
            return None
        since = next(
            at for at, reward in zip(self._last.steps, self._last.values, strict=True) if reward < self._best - least
        )
        evidence = f"mean reward about {number_text(now)} at step {step}, it was up to {number_text(self._best)}"
        rl = self._plan.rl
        pull = f", rl.kl_penalty_coef: {max(0.01, 2 * rl.kl_penalty_coef):g}" if rl is not None else ""
        return Found("critical", since, evidence, f"{lower_rate(self._plan)}{pull}; read the rollouts")


class ZeroAdvantage:
    """For ten steps nearly all groups earned the same within the group, and taught nothing."""

    name: ClassVar[RuleName] = "zero_advantage"
    within_steps: ClassVar[int] = 10
    KEY = "zero_advantage_share"
    MOST = 0.8

    def __init__(self, plan: Plan) -> None:
        self.reads = frozenset({self.KEY})
        self._plan = plan
        self._shares, self._rewards = Recent(10), Recent(10)

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Judge one row."""
        self._rewards.add(step, values.get(REWARD_KEY, math.nan))
        if not self._shares.add(step, values[self.KEY]) or not self._shares.is_full:
            return None
        share, reward = median(self._shares.values), _level_of(self._rewards)
        if min(self._shares.values) < self.MOST or reward >= MASTERED:
            return None
        since = self._shares.steps[0]
        evidence = (
            f"{share_text(share)} of groups earn the same, steps {since} to {step}; mean reward {number_text(reward)}"
        )
        rl = self._plan.rl
        size = f"rl.group_size: {min(256, 2 * rl.group_size)}, " if rl is not None else ""
        return Found("warning", since, evidence, f"{size}easier prompts, or SFT on some answers first (start_from)")


class EntropyCollapse:
    """Answers became all alike, or random: most of five entropies are below a tenth, or above thrice, of the first."""

    name: ClassVar[RuleName] = "entropy_collapse"
    within_steps: ClassVar[int] = 3
    KEY = "entropy"
    COLLAPSE = 0.1
    BLOW_UP = 3.0
    LEAST_NATS = 1.0

    def __init__(self, plan: Plan) -> None:
        self.reads = frozenset({self.KEY})
        self._plan = plan
        self._first, self._last, self._rewards = Recent(5), Recent(5), Recent(5)

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Judge one row; sure answers that earn nearly all there is are what RL is for."""
        self._rewards.add(step, values.get(REWARD_KEY, math.nan))
        if not self._first.is_full:
            self._first.add(step, values[self.KEY])
            return None
        self._last.add(step, values[self.KEY])
        if not self._last.is_full:
            return None
        start, now = median(self._first.values), median(self._last.values)
        evidence = f"entropy {number_text(now)} nats per token at step {step}, {number_text(start)} at the start"
        since = self._last.steps[0]
        if now > max(self.BLOW_UP * start, start + self.LEAST_NATS):
            return Found("critical", since, evidence, f"{lower_rate(self._plan)}; read the rollouts for noise")
        if now < self.COLLAPSE * start and _level_of(self._rewards) < MASTERED:
            return Found("warning", since, evidence, f"{lower_rate(self._plan)}; harder or more varied prompts")
        return None


class KlBlowUp:
    """The weights run away, from the sampler that gave the answers or from the model that training started with.

    `kl_sample_train` is to stay below 0.01 (cookbook, `references/rl.md`): most of five above it are a warning, one
    above 0.1 is critical. Answers that were sampled ahead come from older weights, so both limits rise with
    `max_steps_off_policy`: two steps ahead alone gave 0.02 to 0.05 in healthy runs. `kl_reference`, whose size is the
    method's choice, must be large and five times the usual.
    """

    name: ClassVar[RuleName] = "kl_blow_up"
    within_steps: ClassVar[int] = 3
    SAMPLE_KEY, REFERENCE_KEY = "kl_sample_train", "kl_reference"
    MOST_SUSTAINED, MOST_AT_ONCE = 0.01, 0.1
    MORE_PER_STEP_AHEAD = 3
    LEAST_REFERENCE = 0.5
    REFERENCE_RISE = 5.0

    def __init__(self, plan: Plan) -> None:
        self.reads = frozenset({self.SAMPLE_KEY, self.REFERENCE_KEY})
        self._plan = plan
        ahead = plan.rl.max_steps_off_policy if plan.rl is not None else 0
        self._sustained = self.MOST_SUSTAINED * (1 + self.MORE_PER_STEP_AHEAD * ahead)
        self._at_once = self.MOST_AT_ONCE * (1 + self.MORE_PER_STEP_AHEAD * ahead)
        self._sample, self._reference, self._usual = Recent(5), Recent(5), Recent(50)

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Judge one row."""
        return self._from_sampler(step, values) or self._from_start(step, values)

    def _from_sampler(self, step: int, values: Mapping[str, float]) -> Found | None:
        now = abs(values.get(self.SAMPLE_KEY, math.nan))
        if not self._sample.add(step, now):
            return None
        wanted = f"wanted < {self._sustained:g}"
        if now > self._at_once:
            return self._found("critical", step, f"kl_sample_train {number_text(now)} at step {step}, {wanted}")
        level = median(self._sample.values)
        if not self._sample.is_full or level <= self._sustained:
            return None
        since = self._sample.first_above(self._sustained)
        return self._found("warning", since, f"kl_sample_train about {number_text(level)} from step {since} on")

    def _from_start(self, step: int, values: Mapping[str, float]) -> Found | None:
        now = abs(values.get(self.REFERENCE_KEY, math.nan))
        if not self._reference.add(step, now):
            return None
        level = median(self._reference.values)
        usual = median(self._usual.values) if len(self._usual) >= 10 else math.inf
        self._usual.add(step, now)
        if not self._reference.is_full or level <= max(self.LEAST_REFERENCE, self.REFERENCE_RISE * usual):
            return None
        evidence = f"kl_reference about {number_text(level)} nats per token at step {step}, usual {number_text(usual)}"
        return self._found("critical", self._reference.steps[0], evidence)

    def _found(self, severity: Literal["warning", "critical"], since: int, evidence: str) -> Found:
        plan = self._plan
        if plan.dpo is not None:
            pull = f", dpo.beta: {min(10.0, 2 * plan.dpo.beta):g}"
        elif plan.rl is not None:
            pull = ", rl.num_substeps: 1" if plan.rl.num_substeps > 1 else ""
            pull += ", rl.max_steps_off_policy: 0" if plan.rl.max_steps_off_policy else ""
            pull += f", rl.kl_penalty_coef: {max(0.01, 2 * plan.rl.kl_penalty_coef):g}"
        else:
            pull = ""
        return Found(severity, since, evidence, f"{lower_rate(plan)}{pull}")


def _level_of(rewards: Recent) -> float:
    """Median reward; 0 when none was told."""
    return median(rewards.values) if len(rewards) else 0.0
