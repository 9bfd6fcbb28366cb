"""Losses that break, explode, never fall, or no longer fall."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import median
from typing import ClassVar

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.robust import fall, spread
from tcao_tui.domain.watch_plan import RuleName
from tcao_tui.domain.watch_rules.rule import REWARD_KEY, Found, Recent, lower_rate, signals_of
from tcao_tui.domain.wording import number_text

MASK_KEY = "num_loss_tokens"


class NotFinite:
    """A loss or reward is NaN or infinite, at once; a held-out one only if it was finite before."""

    name: ClassVar[RuleName] = "not_finite"
    within_steps: ClassVar[int] = 1

    def __init__(self, plan: Plan) -> None:
        signals = signals_of(plan)
        self.reads = frozenset({signals.loss, signals.held_out, REWARD_KEY} - {""})
        self._held_out, self._plan = signals.held_out, plan
        self._held_out_was_finite = False

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Judge one row; a batch without any loss token is the business of `AllMasked`."""
        if values.get(MASK_KEY) == 0:
            return None
        bad = [key for key in sorted(self.reads & values.keys()) if not math.isfinite(values[key])]
        if not self._held_out_was_finite:
            bad = [key for key in bad if key != self._held_out]
        self._held_out_was_finite |= math.isfinite(values.get(self._held_out, math.nan))
        if not bad:
            return None
        clip = "training.grad_clip_norm: 1.0, " if self._plan.training.grad_clip_norm == 0 else ""
        evidence = f"{bad[0]} is {number_text(values[bad[0]])} at step {step}"
        return Found("critical", step, evidence, f"{clip}{lower_rate(self._plan)}, from the last good checkpoint")


class LossExplosion:
    """One loss ten times the usual, or most of five far above the lowest level so far, or above the very first loss."""

    name: ClassVar[RuleName] = "loss_explosion"
    within_steps: ClassVar[int] = 3
    SPIKE = 10.0
    RISE = 2.0
    RISE_OVER_FIRST = 3.0
    """Where no level is known yet; a single batch may be an easy one."""

    LEAST_NATS = 0.5
    """A rise of less is never an explosion: near zero, losses differ by large factors."""

    SIGMAS = 6.0

    def __init__(self, plan: Plan) -> None:
        self._key, self._plan = signals_of(plan).loss, plan
        self.reads = frozenset({self._key} - {""})
        self._usual, self._level, self._last = Recent(20), Recent(10), Recent(5)
        self._lowest, self._noise = math.inf, 0.0
        self._first: float | None = None

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Judge one row."""
        loss = values[self._key]
        if not self._last.add(step, loss):
            return None
        self._first = loss if self._first is None else self._first
        found = self._spike(step, loss) or self._rise(self._first)
        self._usual.add(step, loss)
        self._level.add(step, loss)
        if self._level.is_full and (level := median(self._level.values)) < self._lowest:
            # A loss that creeps up would look noisy later on.
            self._lowest, self._noise = level, spread(self._usual.values)
        return found

    def _spike(self, step: int, loss: float) -> Found | None:
        if len(self._usual) < 5:
            return None
        usual = median(self._usual.values)
        if loss <= max(self.SPIKE * usual, usual + self.LEAST_NATS):
            return None
        return self._found(step, f"{self._key} {number_text(loss)} at step {step}, usual are {number_text(usual)}")

    def _rise(self, first: float) -> Found | None:
        if not self._last.is_full:
            return None
        over_first = max(self.RISE_OVER_FIRST * first, first + self.LEAST_NATS)
        over_lowest = max(
            self.RISE * self._lowest,
            self._lowest + self.LEAST_NATS,
            self._lowest + self.SIGMAS * self._noise,
        )
        limit, now = min(over_first, over_lowest), median(self._last.values)
        if now <= limit:
            return None
        since, was = self._last.first_above(limit), number_text(min(first, self._lowest))
        return self._found(since, f"{self._key} about {number_text(now)} from step {since} on, it was {was} before")

    def _found(self, since: int, evidence: str) -> Found:
        # What breaks with the first updates is off by more than what breaks later.
        rate = lower_rate(self._plan, 10 if since <= self._plan.training.warmup_steps + 10 else 3)
        return Found("critical", since, evidence, f"{rate}, training.warmup_steps: 10 or more")


class LossStuck:
    """The loss never fell: after half of the plan's steps, 20 to 50, it is where it was, as far as noise lets one see.

    Where single steps differ by more than about a tenth it waits until more of them tell, so it may come later.
    """

    name: ClassVar[RuleName] = "loss_stuck"
    within_steps: ClassVar[int] = 50
    LEAST_FALL = 0.02
    SURE_FALL = 0.05
    FIRST_FALL = 1.25
    """First losses this many times the present one are a fall that was over before the comparison began."""

    def __init__(self, plan: Plan) -> None:
        signals = signals_of(plan)
        self._key, self._low, self._plan = signals.loss, signals.low, plan
        self.reads = frozenset({self._key} - {""})
        half = min(max(plan.training.num_steps // 2, 20), 50) // 2
        self._head, self._tail = Recent(half), Recent(half)
        self._warmup = plan.training.warmup_steps
        self._fell = False

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Judge one row."""
        if self._warmup > 0:
            self._warmup -= 1
            return None
        if self._fell:
            return None
        (self._tail if self._head.is_full else self._head).add(step, values[self._key])
        if not self._tail.is_full:
            return None
        seen = fall(self._head.values, self._tail.values)
        first = max(self._head.values[:3])
        self._fell = seen.size - seen.error > self.SURE_FALL * seen.start or first > self.FIRST_FALL * seen.end
        if self._fell or seen.end <= self._low or seen.size + seen.error >= self.LEAST_FALL * seen.start:
            return None
        since, was = self._head.steps[0], number_text(seen.start)
        evidence = f"{self._key} {number_text(seen.end)} at step {step}, {was} about step {since}: it does not fall"
        return Found("warning", since, evidence, self._suggestion())

    def _suggestion(self) -> str:
        config = self._plan.training
        rate = f"training.learning_rate: {min(config.learning_rate * 10, 1):.2g}"
        return f"{rate}; if that changes nothing, training.lora_rank: {config.lora_rank * 2}, and look at the rows"


class Plateau:
    """The loss fell, and of late it does not: two stretches of 50, 100 or 200 steps lie level.

    The stretches are as long as the noise asks for: 50 where single steps differ by less than 5 per cent.
    """

    name: ClassVar[RuleName] = "plateau"
    within_steps: ClassVar[int] = 110
    STRETCHES = (50, 100, 200)
    LEAST_FALL = 0.03
    _EVERY = 10

    def __init__(self, plan: Plan) -> None:
        signals = signals_of(plan)
        self._key, self._low, self._plan = signals.loss, signals.low, plan
        self.reads = frozenset({self._key} - {""})
        self._first, self._recent = Recent(5), Recent(2 * self.STRETCHES[-1])
        self._rows = 0
        self._found: Found | None = None

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Judge one row; the stretches are compared every ten steps."""
        loss = values[self._key]
        if not self._first.is_full:
            self._first.add(step, loss)
        self._recent.add(step, loss)
        self._rows += 1
        if self._rows % self._EVERY == 0:
            self._compare(step)
        return self._found

    def _compare(self, step: int) -> None:
        values = self._recent.values
        for length in self.STRETCHES:
            if len(values) < 2 * length or self._rows + length > self._plan.training.num_steps:
                return
            seen = fall(values[-2 * length : -length], values[-length:])
            least = self.LEAST_FALL * seen.start
            if seen.size - 2 * seen.error > least or seen.end <= self._low:
                # A longer stretch falls although the last part of it is level.
                self._found = None if length == self.STRETCHES[0] else self._found
                return
            if abs(seen.size) + seen.error < least and median(self._first.values) > 1.1 * seen.end:
                since = self._recent.steps[-2 * length]
                evidence = f"{self._key} stays at {number_text(seen.end)} from step {since} to {step}"
                self._found = Found("note", since, evidence, self._suggestion(step))
                return

    def _suggestion(self, step: int) -> str:
        config = self._plan.training
        if config.lr_schedule == "constant":
            return f"training.lr_schedule: cosine, or stop here: training.num_steps: {step}"
        return f"stop here: training.num_steps: {step}; or more and other rows"
