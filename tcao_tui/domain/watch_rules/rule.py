"""What a watch rule is, what it finds, and which metric means what in which method."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_events import Severity
from tcao_tui.domain.watch_plan import RuleName

SPENT_KEY = "spent_usd"
"""Under this key a rule sees what the run has cost so far, USD."""

REWARD_KEY = "reward_mean"


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule sees at this moment.

    Attributes:
        since: The first step of it; checkpoints before are good.
        evidence: Its numbers, in words.
        suggestion: What to change, with a key of the plan and a value.
    """

    severity: Severity
    since: int
    evidence: str
    suggestion: str


class Rule(Protocol):
    """Judges a training from its rows; keeps a bounded state, never raises, and asks no clock.

    Attributes:
        within_steps: From the first bad step on, after how many it is found at the latest; of `over_fitting` evals.
        reads: Keys of which a row must have one to be looked at.
    """

    name: ClassVar[RuleName]
    within_steps: ClassVar[int]
    reads: frozenset[str]

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Take in one row; what is wrong as of it, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Signals:
    """Metrics of one method by what they mean.

    Attributes:
        loss: What must fall; empty where nothing does.
        low: Loss from which on it may stay: it has learned its rows, and a flat curve is no fault.
        held_out: Measured on rows that are not trained on.
        held_out_rises: Whether more of it is better.
        training: The training metric that `held_out` is compared with.
    """

    loss: str
    low: float
    held_out: str
    held_out_rises: bool
    training: str


_IMITATION = Signals("train_mean_nll", 0.3, "val_mean_nll", False, "train_mean_nll")
_SIGNALS = {
    "dpo": Signals("dpo_loss", 0.3, "val_dpo_loss", False, "dpo_loss"),
    "rl": Signals("", 0.0, "val_reward", True, REWARD_KEY),
}
_TO_TEACHER = Signals("teacher_kl", 0.05, "val_teacher_kl", False, "teacher_kl")


def signals_of(plan: Plan) -> Signals:
    """Which metrics tell how a training of one stage goes; losses in nats per token, of `dpo` per pair."""
    if plan.distill is not None and plan.distill.mode == "on_policy":
        return _TO_TEACHER
    return _SIGNALS.get(plan.method, _IMITATION)


class Recent:
    """The last finite values of one metric, with their steps."""

    def __init__(self, size: int) -> None:
        self._pairs: deque[tuple[int, float]] = deque(maxlen=size)

    def add(self, step: int, value: float) -> bool:
        """Take in a value; whether it is finite, since others are left out."""
        if math.isfinite(value):
            self._pairs.append((step, value))
            return True
        return False

    def __len__(self) -> int:
        return len(self._pairs)

    @property
    def is_full(self) -> bool:
        """Whether as many values as it holds have come."""
        return len(self._pairs) == self._pairs.maxlen

    @property
    def steps(self) -> list[int]:
        """Their steps, oldest first."""
        return [step for step, _ in self._pairs]

    @property
    def values(self) -> list[float]:
        """Oldest first."""
        return [value for _, value in self._pairs]

    def first_above(self, limit: float) -> int:
        """Step of the oldest value above `limit`; of the newest when none is."""
        return next((step for step, value in self._pairs if value > limit), self._pairs[-1][0])


def lower_rate(plan: Plan, divisor: float = 3) -> str:
    """The suggestion to learn more slowly."""
    return f"training.learning_rate: {plan.training.learning_rate / divisor:.2g}"
