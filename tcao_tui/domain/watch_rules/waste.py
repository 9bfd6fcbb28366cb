"""Steps that are paid for and bring little: nothing to learn in the batch, a crawl, the end of the budget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import median
from typing import ClassVar

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.watch_plan import RuleName
from tcao_tui.domain.watch_rules.losses import MASK_KEY
from tcao_tui.domain.watch_rules.rule import SPENT_KEY, Found, Recent
from tcao_tui.domain.wording import count_text, money_text, share_text


class AllMasked:
    """A batch without a single token that carries loss, at once."""

    name: ClassVar[RuleName] = "all_masked"
    within_steps: ClassVar[int] = 1

    def __init__(self, plan: Plan) -> None:
        self.reads = frozenset({MASK_KEY})
        self._config = plan.training

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Judge one row."""
        if values[MASK_KEY] != 0:
            return None
        suggestion = (
            f"training.max_seq_len: {2 * self._config.max_seq_len} if prompts fill it, or another "
            f"training.train_on_what than {self._config.train_on_what}; `tcao data preview` shows the mask"
        )
        return Found("critical", step, f"no token of the batch of step {step} carries loss", suggestion)


class ThroughputCollapse:
    """Five steps in a row at less than a quarter of the usual tokens per second."""

    name: ClassVar[RuleName] = "throughput_collapse"
    within_steps: ClassVar[int] = 5
    KEY, SECONDS_KEY = "tokens_per_second", "step_seconds"
    LEAST_SHARE = 0.25
    SLOWER = 2.0
    """Steps must also take this many times longer: short answers are no crawl."""

    def __init__(self, plan: Plan) -> None:
        del plan
        self.reads = frozenset({self.KEY})
        self._usual, self._last = Recent(50), Recent(5)
        self._usual_seconds, self._last_seconds = Recent(50), Recent(5)

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Judge one row."""
        speed, seconds = values[self.KEY], values.get(self.SECONDS_KEY, math.nan)
        self._last_seconds.add(step, seconds)
        found = self._crawl(step) if self._last.add(step, speed) else None
        if found is None:
            self._usual.add(step, speed)
            self._usual_seconds.add(step, seconds)
        return found

    def _crawl(self, step: int) -> Found | None:
        if len(self._usual) < 20 or not self._last.is_full:
            return None
        usual, best = median(self._usual.values), max(self._last.values)
        if best >= self.LEAST_SHARE * usual or not self._takes_longer():
            return None
        since = self._last.steps[0]
        evidence = (
            f"{count_text(best)} tokens per second at best, steps {since} to {step}; usual are {count_text(usual)}"
        )
        return Found("note", since, evidence, "nothing in the plan: see whether the server is short of capacity")

    def _takes_longer(self) -> bool:
        if not len(self._usual_seconds) or not len(self._last_seconds):
            return True
        return median(self._last_seconds.values) > self.SLOWER * median(self._usual_seconds.values)


class Budget:
    """Four fifths of the cap are spent, then all of it; at the cap the worker stops whatever the action says."""

    name: ClassVar[RuleName] = "budget"
    within_steps: ClassVar[int] = 1
    FIRST_SHARE = 0.8

    def __init__(self, plan: Plan) -> None:
        self._cap_usd = plan.budget.max_cost_usd or 0.0
        self.reads = frozenset({SPENT_KEY} if self._cap_usd > 0 else ())
        self._steps = plan.training.num_steps

    def look(self, step: int, values: Mapping[str, float]) -> Found | None:
        """Judge what has been spent so far."""
        share = values[SPENT_KEY] / self._cap_usd
        if not share >= self.FIRST_SHARE:
            return None
        spent = f"{money_text(values[SPENT_KEY])} of {money_text(self._cap_usd)}"
        evidence = f"{share_text(share)} of the cap is spent at step {step} of {self._steps}: {spent}"
        suggestion = f"training.num_steps: {step}, or a higher budget.max_cost_usd in a plan of its own"
        return Found("warning" if share < 1 else "critical", step, evidence, suggestion)
