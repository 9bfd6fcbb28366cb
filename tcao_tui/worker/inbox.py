"""What people, signals and the budget want of the method, and the answers to people's requests."""

from __future__ import annotations

import math
from collections.abc import Callable

from tcao_tui.domain.events import ControlHandled, Verb
from tcao_tui.methods.port import Directive
from tcao_tui.store.port import ControlRequest, RunStore
from tcao_tui.worker.stopping import StopFlag

POLL_SECONDS = 0.25
"""How often the store is asked for requests, at most."""


class Inbox:
    """Requests of one worker process.

    Args:
        store: The run store.
        run_id: The run.
        stop: The flag that ends the worker.
        monotonic: Seconds on a clock that does not jump.
        poll_seconds: Time between two looks at the store.
    """

    def __init__(
        self,
        store: RunStore,
        run_id: str,
        stop: StopFlag,
        *,
        monotonic: Callable[[], float],
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._store, self._run_id, self.stop = store, run_id, stop
        self._monotonic, self.poll_seconds = monotonic, poll_seconds
        self._looked_at = -math.inf
        self._requests: list[ControlRequest] = []
        self._answered: set[int] = set()

    def look(self) -> list[ControlRequest]:
        """Unanswered requests, oldest first; asks the store at most once per `poll_seconds`."""
        now = self._monotonic()
        if now - self._looked_at >= self.poll_seconds:
            self._looked_at = now
            self._requests = self._store.pending_controls(self._run_id)
        waiting = [r for r in self._requests if r.request_id not in self._answered]
        if any(r.verb == "stop" for r in waiting):
            self.stop.set("request")
        return waiting

    def directive(self) -> Directive:
        """What the method should do after this step."""
        waiting = {r.verb for r in self.look()}
        if self.stop.cause is not None:
            return Directive.STOP
        if "pause" in waiting:
            return Directive.PAUSE
        return Directive.CHECKPOINT if "checkpoint" in waiting else Directive.CONTINUE

    def answers(self, *verbs: Verb, accepted: bool = True, reason: str = "") -> list[ControlHandled]:
        """Answers to the waiting requests for `verbs`, to be committed with what carried them out."""
        return [
            ControlHandled(request_id=r.request_id, verb=r.verb, accepted=accepted, reason=reason)
            for r in self.look()
            if r.verb in verbs
        ]

    def answered(self, answers: list[ControlHandled]) -> None:
        """Note that these answers are committed."""
        self._answered |= {a.request_id for a in answers}

    def changes(self) -> list[ControlRequest]:
        """Waiting requests for another value of a setting, oldest first."""
        return [r for r in self.look() if r.verb == "change"]

    def first(self, *verbs: Verb) -> Verb | None:
        """The oldest waiting request among `verbs`."""
        return next((r.verb for r in self.look() if r.verb in verbs), None)
