"""Watches a training: rows in, alerts out. No I/O, no clock, and a state that does not grow with the run.

What a rule looks for stands in `watch_rules`; what becomes of an alert is the worker's business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from tcao_tui.domain.early_stopping import Patience
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_events import Alert, Severity
from tcao_tui.domain.watch_plan import Action, RuleName
from tcao_tui.domain.watch_rules.held_out import OverFitting
from tcao_tui.domain.watch_rules.losses import MASK_KEY, LossExplosion, LossStuck, NotFinite, Plateau
from tcao_tui.domain.watch_rules.policy import EntropyCollapse, KlBlowUp, RewardCollapse, ZeroAdvantage
from tcao_tui.domain.watch_rules.rule import SPENT_KEY, Found, Rule, signals_of
from tcao_tui.domain.watch_rules.waste import AllMasked, Budget, ThroughputCollapse

EARLY_STOPPING = "early_stopping"
REARM_ROWS = 20
"""Rows without a finding after which the same rule may raise again."""

_RANKS: tuple[Severity, ...] = ("note", "warning", "critical")
RULES: dict[RuleName, Callable[[Plan], Rule]] = {
    "not_finite": NotFinite,
    "loss_explosion": LossExplosion,
    "loss_stuck": LossStuck,
    "plateau": Plateau,
    "over_fitting": OverFitting,
    "reward_collapse": RewardCollapse,
    "zero_advantage": ZeroAdvantage,
    "entropy_collapse": EntropyCollapse,
    "kl_blow_up": KlBlowUp,
    "all_masked": AllMasked,
    "throughput_collapse": ThroughputCollapse,
    "budget": Budget,
}


class _Bell:
    """Raises once, again when it gets worse, and anew after it was quiet for a while."""

    def __init__(self, rule: Rule, action: Action) -> None:
        self.rule, self.action = rule, action
        self._rank = -1
        self._quiet = 0

    def hear(self, step: int, values: Mapping[str, float]) -> Alert | None:
        if not self.rule.reads & values.keys():
            return None
        found = self.rule.look(step, values)
        if found is None:
            self._quiet += 1
            if self._quiet >= REARM_ROWS:
                self._rank = -1
            return None
        self._quiet = 0
        rank = _RANKS.index(found.severity)
        if rank <= self._rank:
            return None
        self._rank = rank
        return self._alert(step, found)

    def _alert(self, step: int, found: Found) -> Alert:
        return Alert(
            rule=self.rule.name,
            severity=found.severity,
            step=step,
            since=found.since,
            evidence=found.evidence,
            suggestion=found.suggestion,
            action=self.action,
        )


class Watcher:
    """All rules of a plan. A stage of a pipeline is a training of its own, so its rules begin anew.

    Args:
        plan: The approved plan; `watch` of it, or of its stages, says what each rule does.
    """

    def __init__(self, plan: Plan) -> None:
        self._stages = stage_plans(plan)
        self._is_spoiled = False
        # A run has one budget, which does not begin anew with a stage.
        self._budget = _bells(plan, only="budget")
        self._begin(0)

    @property
    def best_step(self) -> int | None:
        """The step that early stopping would keep; None without early stopping, or before the first eval."""
        return None if self._patience is None else self._patience.best_step

    @property
    def is_spoiled(self) -> bool:
        """Whether the last update had a loss that is not finite, so that the weights after it are worth nothing."""
        return self._is_spoiled

    def step_of_stage(self, step: int) -> int:
        """Updates of its own stage at this step of the run."""
        return step - max(stage.first_step for stage in self._stages if stage.first_step < max(step, 1))

    def observe(
        self, step: int, values: Mapping[str, float], *, trained: bool, spent_usd: float | None = None
    ) -> list[Alert]:
        """Take in one recorded row.

        Args:
            step: Updates applied.
            values: Its numbers; NaN, infinities and missing keys are fine.
            trained: Whether an update was trained, or something was only measured.
            spent_usd: Cost of the run so far, this row included; None is unknown.

        Returns:
            What is newly wrong, of this row or as of it.
        """
        if trained and step > self._stages[self._stage].last_step and self._stage + 1 < len(self._stages):
            self._begin(self._stage + 1)
        elif not trained and self._is_between_stages(step):
            return []
        if trained:
            loss = values.get(self._loss, 0.0)
            self._is_spoiled = not math.isfinite(loss) and values.get(MASK_KEY) != 0
        spent = {} if spent_usd is None else {SPENT_KEY: spent_usd}
        heard = [bell.hear(step, values) for bell in self._bells]
        heard += [bell.hear(step, spent) for bell in self._budget]
        heard += [self._evaluated(step, key, value) for key, value in values.items()]
        return [alert for alert in heard if alert is not None]

    def score(self, step: int, value: float | None) -> list[Alert]:
        """Take in a layer-3 score, 0 to 1; None when nothing could be graded."""
        alert = None if value is None or self._is_between_stages(step) else self._evaluated(step, "score", value)
        return [] if alert is None else [alert]

    def _begin(self, stage: int) -> None:
        plan = self._stages[stage].plan
        self._stage, self._loss = stage, signals_of(plan).loss
        self._bells = _bells(plan, besides="budget")
        self._patience = None if plan.watch.early_stopping is None else Patience(plan.watch.early_stopping)
        self._has_stopped = False

    def _is_between_stages(self, step: int) -> bool:
        """Whether an eval is the last of one stage or the first of the next: nothing can tell, and little is lost."""
        return any(stage.index > 0 and stage.first_step == step for stage in self._stages)

    def _evaluated(self, step: int, key: str, value: float) -> Alert | None:
        if self._patience is None or key != self._patience.metric or self._has_stopped:
            return None
        why = self._patience.take(step, value)
        if not why:
            return None
        self._has_stopped = True
        best = self._patience.best_step
        suggestion = "" if best is None else f"use the checkpoint of step {best}; training.num_steps: {best}"
        return Alert(
            rule=EARLY_STOPPING,
            severity="note",
            step=step,
            since=step,
            evidence=why,
            suggestion=suggestion,
            action="stop",
        )


def _bells(plan: Plan, *, only: RuleName | None = None, besides: RuleName | None = None) -> list[_Bell]:
    rules = [rule(plan) for name, rule in RULES.items() if name != besides and only in (None, name)]
    bells = [_Bell(rule, plan.watch.action(rule.name)) for rule in rules]
    return [bell for bell in bells if bell.action != "off"]
