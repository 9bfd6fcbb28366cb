"""Why a worker should end: a signal, a person, the budget, or what watches the run; set once, read everywhere."""

from __future__ import annotations

from typing import Literal

from tcao_tui.domain.events import Outcome
from tcao_tui.errors import ExitCode

StopCause = Literal["signal", "request", "budget", "alert", "early_stopping", "pilot"]

_ENDS: dict[StopCause, tuple[Outcome, ExitCode, str]] = {
    "signal": ("interrupted", ExitCode.RESUMABLE, "the worker was told to end by a signal"),
    "request": ("stopped", ExitCode.RESUMABLE, "stopped on request"),
    "budget": ("budget", ExitCode.BUDGET, "the cap on cost was reached"),
    "alert": ("stopped", ExitCode.RESUMABLE, "a watch rule stopped it"),
    # The plan asked for it, and the best weights are kept: nothing went wrong.
    "early_stopping": ("stopped", ExitCode.OK, "stopped early"),
    "pilot": ("stopped", ExitCode.REFUSED, "the pilot did not pass"),
}


class StopFlag:
    """The first cause wins. Setting it takes no lock, so a signal handler may do it at any moment."""

    def __init__(self) -> None:
        self._cause: StopCause | None = None
        self._why = ""
        self.signalled = False

    @property
    def cause(self) -> StopCause | None:
        """Why to stop; None: go on."""
        return self._cause

    @property
    def end(self) -> tuple[Outcome, ExitCode, str]:
        """Outcome, exit code and sentence of a worker that ends for this cause."""
        outcome, exit_code, what = _ENDS[self._cause or "signal"]
        return outcome, exit_code, self._why or what

    def set(self, cause: StopCause, why: str = "") -> None:
        """Ask for an end; `why` says more than the cause alone."""
        if self._cause is None:
            # The sentence first: who sees the cause may read it at once.
            self._why = why
            self._cause = cause
        self.signalled = self.signalled or cause == "signal"
