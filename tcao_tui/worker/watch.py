"""The worker's watch over one attempt: rows go to rules, early stopping and pilot, findings become events and orders.

What is judged, and how, stands in `domain.watch` and `domain.pilot`; here it is fed, and told only once.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcao_tui.domain.cost import CostEstimate, known_sum
from tcao_tui.domain.events import DataLoaded, MetricRow, RunEvent, Scored, Spend
from tcao_tui.domain.pilot import Pilot, PilotStep, judge
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_events import Alert, PilotEnded, RangeTested, StageEnded
from tcao_tui.domain.watch import Watcher
from tcao_tui.methods.port import Directive
from tcao_tui.worker.journal import Journal
from tcao_tui.worker.orders import Finding, Order, order_of, strongest

_FIRST_STEPS, _LAST_STEPS = 200, 2_000
"""Of a long past only these steps of each stage are looked at again: the rules remember no more."""


class Watch:
    """Watches one attempt; what earlier ones recorded is looked at first, so that it goes on where they were.

    Args:
        plan: The approved plan.
        journal: What was committed; the attempt is open and its `Resumed` is in.
        estimate: What the person consented to; None when it was not kept.

    Attributes:
        order: What must happen as soon as possible; None: go on.
    """

    def __init__(self, plan: Plan, journal: Journal, estimate: CostEstimate | None) -> None:
        self._plan, self._journal, self._estimate = plan, journal, estimate
        self._watcher = Watcher(plan)
        self._pilot_steps: list[PilotStep] = []
        self._data: DataLoaded | None = None
        self._other_usd: float | None = 0.0
        self._best_step: int | None = None
        self._unsaved_best: int | None = None
        point = journal.lineage.resume_steps.get(journal.attempt, 0)
        self.order: Order | None = journal.orders.standing(plan, point)
        if journal.lineage.attempts > 1:
            self._look_back()

    @property
    def best_step(self) -> int | None:
        """The best step so far by what early stopping looks at."""
        return self._watcher.best_step

    @property
    def is_spoiled(self) -> bool:
        """Whether the present weights are worth nothing, because the last loss was no number."""
        return self._watcher.is_spoiled

    @property
    def wants_checkpoint(self) -> bool:
        """Whether the present weights are the best so far and are not saved."""
        return self._unsaved_best is not None

    def look(self, row: MetricRow, spends: Sequence[Spend]) -> list[Finding]:
        """Take in a row that is about to be committed; what to commit with it."""
        spent_usd = self._journal.spent_with(spends)
        trained = row.batch is not None
        found: list[Finding] = []
        found += self._watcher.observe(row.step, row.values, trained=trained, spent_usd=spent_usd)
        if trained:
            found += self._piloted(row, spends)
        else:
            self._other_usd = known_sum([self._other_usd, *(spend.usd for spend in spends)])
        self._note_best(row.step)
        return self._told(found)

    def hear(self, events: Sequence[RunEvent]) -> list[Finding]:
        """Take in events that are about to be committed; what to commit with them."""
        found: list[Finding] = []
        for event in events:
            match event:
                case DataLoaded():
                    self._data = event
                case RangeTested():
                    self._told([event])
                case StageEnded() if self.order is not None and self.order.directive is Directive.FINISH:
                    self.order = None
                case Scored(step=step, value=value):
                    found += self._watcher.score(step, value)
                    self._note_best(step)
                case _:
                    pass
        return self._told(found)

    def paid(self, spends: Sequence[Spend]) -> list[Finding]:
        """Take in what was spent on no update and is about to be committed; what to commit with it."""
        self._other_usd = known_sum([self._other_usd, *(spend.usd for spend in spends)])
        return self._told(self._watcher.observe(0, {}, trained=False, spent_usd=self._journal.spent_with(spends)))

    def saved(self, step: int) -> None:
        """The weights of `step` are saved."""
        if self._unsaved_best is not None and step >= self._unsaved_best:
            self._unsaved_best = None

    def obeyed(self) -> None:
        """A person has let the run go on."""
        self.order = None

    def _look_back(self) -> None:
        """Judge again what is recorded, and say nothing: it was said then."""
        point = self._journal.lineage.resume_steps.get(self._journal.attempt, 0)
        for row in self._journal.rows():
            trained = row.batch is not None
            if not trained or self._watcher.step_of_stage(row.step) <= _FIRST_STEPS or row.step > point - _LAST_STEPS:
                self._watcher.observe(row.step, row.values, trained=trained)
            if not trained:
                self._watcher.score(row.step, self._journal.lineage.scores.get((row.attempt, row.step)))
            if trained and self._is_pilot(row.step):
                self._pilot_steps.append(PilotStep(row.step, row.values))
        self._watcher.observe(point, {}, trained=False, spent_usd=self._journal.spent_usd)
        self._best_step = self._watcher.best_step

    def _is_pilot(self, step: int) -> bool:
        return self._plan.pilot is not None and self._journal.orders.pilot is None and step <= self._plan.pilot.steps

    def _piloted(self, row: MetricRow, spends: Sequence[Spend]) -> list[PilotEnded]:
        terms = self._plan.pilot
        if terms is None or not self._is_pilot(row.step):
            return []
        tokens, usd = sum(spend.tokens for spend in spends), known_sum([spend.usd for spend in spends])
        self._pilot_steps.append(PilotStep(row.step, row.values, tokens, usd))
        if row.step < terms.steps:
            return []
        pilot = Pilot(self._plan, self._pilot_steps, self._data, self._other_usd, self._estimate)
        return [judge(pilot, terms)]

    def _note_best(self, step: int) -> None:
        if self._watcher.best_step != self._best_step:
            self._best_step = self._watcher.best_step
            self._unsaved_best = step if step > 0 else None

    def _told(self, found: Sequence[Finding]) -> list[Finding]:
        """Those that were not told before, such as of a step that is trained again; all of them are obeyed."""
        for event in found:
            order = order_of(event, self._plan)
            if order is not None:
                self.order = strongest([order] if self.order is None else [self.order, order])
        raised = self._journal.orders.raised
        return [event for event in found if not isinstance(event, Alert) or (event.rule, event.step) not in raised]
