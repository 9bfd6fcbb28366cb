"""Numbers of trainings, made up step by step, and plans that they could be of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from tcao_tui.domain.plan import Plan

type Row = tuple[int, dict[str, float]]
TRAINING: dict[str, Any] = {
    "base_model": "m",
    "run_name": "n",
    "train_file": "t.jsonl",
    "learning_rate": 3e-4,
    "num_steps": 1000,
}
SECTIONS: dict[str, dict[str, Any]] = {
    "sft": {},
    "dpo": {"dpo": {}},
    "rl": {"rl": {}},
    "distill": {"distill": {"teacher_model": "t"}},
    "rlhf": {"rlhf": {}},
}


def plan_of(method: str, **changes: Any) -> Plan:
    training = {**TRAINING, **changes.pop("training", {})}
    return Plan.model_validate({"method": method, "training": training, **SECTIONS[method], **changes})


def noisy(value: float, share: float, seed: int) -> float:
    return value * (1 + share * Random(seed).gauss(0, 1))


def steps(count: int, **series: Callable[[int], float]) -> list[Row]:
    """Rows of steps 1 to `count`; a step whose value is None has no such key."""
    return [(step, {key: of(step) for key, of in series.items()}) for step in range(1, count + 1)]


def falling(step: int) -> float:
    return noisy(0.6 + 2.4 * math.exp(-step / 25), 0.05, step)


def with_evals(rows: Iterable[Row], every: int, **series: Callable[[int], float]) -> list[Row]:
    found: list[Row] = []
    for step, values in rows:
        found.append((step, values))
        if step % every == 0:
            found.append((step, {key: of(step) for key, of in series.items()}))
    return found


def at(step: int, bad: float, good: Callable[[int], float]) -> Callable[[int], float]:
    return lambda now: bad if now == step else good(now)


def since(step: int, bad: Callable[[int], float], good: Callable[[int], float]) -> Callable[[int], float]:
    return lambda now: bad(now) if now >= step else good(now)


def flat(value: float, share: float = 0.05) -> Callable[[int], float]:
    return lambda step: noisy(value, share, step)


def reward(step: int) -> float:
    return min(1.0, noisy(0.2 + 0.5 * (1 - math.exp(-step / 20)), 0.06, step))
