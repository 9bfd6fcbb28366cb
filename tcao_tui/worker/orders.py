"""What the watch rules and the pilot have ordered of the run, from its record: it stands until it was obeyed.

An order outlives its worker: a run that was killed before it stopped or paused does so before it trains on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tcao_tui.domain.events import ControlHandled, Finished, RunEvent, UnknownEvent
from tcao_tui.domain.pilot import pilot_text
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_events import Alert, PilotEnded
from tcao_tui.domain.watch import EARLY_STOPPING

OrderCause = Literal["alert", "early_stopping", "pilot"]


@dataclass(frozen=True, slots=True)
class Order:
    """To stop at a checkpoint, or to pause until a person resumes; `why` is in words."""

    stops: bool
    cause: OrderCause
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
    _open: list[Alert | PilotEnded] = field(default_factory=list[Alert | PilotEnded])

    def apply(self, event: RunEvent | UnknownEvent) -> None:
        """Fold one event; a person who stops or resumes the run has seen what it was ordered."""
        match event:
            case Alert():
                self.raised.add((event.rule, event.step))
                self._open.append(event)
            case PilotEnded():
                self.pilot = event
                self._open.append(event)
            case Finished(outcome="stopped") | ControlHandled(verb="resume", accepted=True):
                self._open.clear()
            case _:
                pass

    def standing(self, plan: Plan) -> Order | None:
        """The strongest order that was not obeyed yet."""
        orders = [order for event in self._open if (order := order_of(event, plan)) is not None]
        return next((order for order in orders if order.stops), orders[0] if orders else None)


def order_of(event: Alert | PilotEnded, plan: Plan) -> Order | None:
    """What an alert or a judgement orders; None when it only tells."""
    match event:
        case Alert(rule=rule, action="stop"):
            cause = EARLY_STOPPING if rule == EARLY_STOPPING else "alert"
            return Order(stops=True, cause=cause, why=_told(event))
        case Alert(action="pause"):
            return Order(stops=False, cause="alert", why=_told(event))
        case PilotEnded(passed=False, findings=findings):
            return Order(stops=True, cause="pilot", why=f"the pilot did not pass: {'; '.join(findings)}")
        case PilotEnded() if plan.pilot is not None and plan.pilot.then == "ask":
            return Order(stops=False, cause="pilot", why=f"the pilot passed: {pilot_text(event)}")
        case _:
            return None


def _told(alert: Alert) -> str:
    return f"{alert.rule.replace('_', ' ')}: {alert.evidence}"
