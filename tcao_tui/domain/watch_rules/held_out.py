"""A training that learns its rows by heart: better on them, worse on rows that it never sees."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import ClassVar

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.watch_plan import RuleName
from tcao_tui.domain.watch_rules.rule import Found, Recent, signals_of
from tcao_tui.domain.wording import number_text


@dataclass(frozen=True, slots=True)
class _Eval:
    """One eval: `held_out` and `training` are such that less is better."""

    step: int
    held_out: float
    training: float


class OverFitting:
    """Three evals in a row worse than the best one, while the training rows get better."""

    name: ClassVar[RuleName] = "over_fitting"
    within_steps: ClassVar[int] = 3
    LOSS_MARGIN = 0.01
    REWARD_MARGIN = 0.05

    def __init__(self, plan: Plan) -> None:
        signals = signals_of(plan)
        self._held_out, self._training = signals.held_out, signals.training
        self.reads = frozenset({signals.held_out, signals.training})
        self._sign = -1.0 if signals.held_out_rises else 1.0
        self._margin = self.REWARD_MARGIN if signals.held_out_rises else self.LOSS_MARGIN
        self._recent = Recent(10)
        self._best: _Eval | None = None
        self._after: list[_Eval] = []

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Judge one row; between evals the last judgement holds."""
        if self._training in values:
            self._recent.add(step, self._sign * values[self._training])
        held_out = self._sign * values.get(self._held_out, math.nan)
        if math.isfinite(held_out) and len(self._recent):
            self._take(_Eval(step, held_out, median(self._recent.values)))
        return self._found()

    def _take(self, seen: _Eval) -> None:
        if self._best is None or seen.held_out < self._best.held_out:
            self._best, self._after = seen, []
        else:
            self._after = [*self._after, seen][-self.within_steps :]

    def _found(self) -> Found | None:
        best, after = self._best, self._after
        if best is None or len(after) < self.within_steps:
            return None
        worse = self._margin * abs(best.held_out)
        last = after[-1]
        rises = all(each.held_out > best.held_out + worse for each in after) and last.held_out >= after[0].held_out
        if not rises or last.held_out <= best.held_out + 2 * worse or last.training >= best.training:
            return None
        evidence = (
            f"{self._held_out} {self._text(best.held_out)} at step {best.step}, {self._text(last.held_out)} at step "
            f"{last.step}; {self._training} went from {self._text(best.training)} to {self._text(last.training)}"
        )
        keep = f"use the checkpoint nearest to step {best.step}; training.num_steps: {best.step}"
        return Found("warning", best.step + 1, evidence, f"{keep}, or more rows")

    def _text(self, value: float) -> str:
        return number_text(self._sign * value)
