"""Early stopping: whether a held-out metric still gets better, and which step was the best."""

from __future__ import annotations

import math

from tcao_tui.domain.held_out import FALLING_METRICS
from tcao_tui.domain.watch_plan import EarlyStopping
from tcao_tui.domain.wording import number_text


class Patience:
    """Counts evals without a better value.

    Attributes:
        best_step: Step of the best value so far; None before the first eval.
    """

    def __init__(self, plan: EarlyStopping) -> None:
        self._plan = plan
        self._sign = 1.0 if plan.metric in FALLING_METRICS else -1.0
        self._best = math.inf
        self._waited = 0
        self._looked_to = -1
        self.best_step: int | None = None

    @property
    def metric(self) -> str:
        """What must keep getting better."""
        return self._plan.metric

    def take(self, step: int, value: float) -> str:
        """Take in an eval; why to stop, in words, or nothing. A value that is not finite is never better.

        Weights that a resumed run evaluates again count once.
        """
        if step <= self._looked_to:
            return ""
        self._looked_to = step
        cost = self._sign * value
        if cost < self._best - self._plan.min_delta or (self.best_step is None and math.isfinite(cost)):
            self._best, self._waited, self.best_step = cost, 0, step
            return ""
        self._waited += 1
        if self._waited < self._plan.patience:
            return ""
        if self.best_step is None:
            return f"{self.metric} was not finite in {self._waited} evals"
        best = f"{number_text(self._sign * self._best)} at step {self.best_step}"
        return f"{self.metric} did not get better than {best} in {self._waited} evals, up to step {step}"
