"""What the watch rules and the pilot have ordered of the run, from its record: it stands until it was obeyed.

An order outlives its worker: a run that was killed before it stopped or paused does so before it trains on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Literal

from tcao_tui.domain.events import ControlHandled, Finished, RunEvent, UnknownEvent
from tcao_tui.domain.pilot import pilot_text
from tcao_tui.domain.pipeline import stage_at, total_steps
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_events import Alert, PilotEnded, RangeTested, StageEnded
from tcao_tui.domain.watch import EARLY_STOPPING
from tcao_tui.methods.barriers import stronger
from tcao_tui.methods.port import Directive

OrderCause = Literal["alert", "early_stopping", "pilot"]
Finding = Alert | PilotEnded | RangeTested
"""What may order something."""


@dataclass(frozen=True, slots=True)
class Order:
    """What must happen: to stop at a checkpoint, to end the present stage there, or to pause until a person resumes.

    Attributes:
        step: As of which step.
        why: In words.
    """

    directive: Directive
    cause: OrderCause
    step: int
    why: str


@dataclass(slots=True)
class Orders:
    """Fold of a run's events.

    Attributes:
        raised: Rule and step of every alert; a step that is trained again raises none twice.
        pilot: Its judgement; given once in the life of a run.
    """

    raised: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    pilot: PilotEnded | None = None
    _open: list[Finding] = field(default_factory=list[Finding])

    def apply(self, event: RunEvent | UnknownEvent) -> None:
        """Fold one event; a person who stops or resumes the run has seen what it was ordered."""
        match event:
            case Alert():
                self.raised.add((event.rule, event.step))
                self._open.append(event)
            case PilotEnded():
                self.pilot = event
                self._open.append(event)
            case RangeTested():
                self._open.append(event)
            case StageEnded():
                self._open = [one for one in self._open if not isinstance(one, Alert) or one.rule != EARLY_STOPPING]
            case Finished(outcome="stopped") | ControlHandled(verb="resume", accepted=True):
                self._open.clear()
            case _:
                pass

    def standing(self, plan: Plan, step: int) -> Order | None:
        """The strongest order that was not obeyed yet.

        Args:
            plan: The approved plan.
            step: Where the attempt goes on: a stage that is trained again from before its end is not ended sooner.
        """
        orders = [order for event in self._open if (order := order_of(event, plan)) is not None]
        orders = [order for order in orders if order.directive is not Directive.FINISH or order.step <= step]
        return strongest(orders)


def order_of(event: Finding, plan: Plan) -> Order | None:
    """What an alert or a judgement orders; None when it only tells."""
    match event:
        case Alert(rule=rule, action="stop"):
            if rule != EARLY_STOPPING:
                return Order(Directive.STOP, "alert", event.step, _told(event))
            is_last = stage_at(plan, event.step).last_step == total_steps(plan)
            return Order(Directive.STOP if is_last else Directive.FINISH, rule, event.step, _told(event))
        case Alert(action="pause"):
            return Order(Directive.PAUSE, "alert", event.step, _told(event))
        case PilotEnded(passed=False, findings=findings):
            return Order(Directive.STOP, "pilot", event.step, f"the pilot did not pass: {'; '.join(findings)}")
        case PilotEnded() if plan.pilot is not None and plan.pilot.then == "ask":
            return Order(Directive.PAUSE, "pilot", event.step, f"the pilot passed: {pilot_text(event)}")
        case RangeTested(action="pause" | "stop"):
            directive = Directive.PAUSE if event.action == "pause" else Directive.STOP
            return Order(directive, "pilot", 0, f"range test: {event.finding}")
        case _:
            return None


def strongest(orders: Sequence[Order]) -> Order | None:
    """The first of those that ask for most."""
    asked = reduce(stronger, (order.directive for order in orders), Directive.CONTINUE)
    return next((order for order in orders if order.directive is asked), None)


def _told(alert: Alert) -> str:
    return f"{alert.rule.replace('_', ' ')}: {alert.evidence}"
