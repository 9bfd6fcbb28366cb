"""Why a worker should end, told by a signal, a person or the budget; set once, read everywhere."""

from __future__ import annotations

from typing import Literal

from tcao_tui.domain.events import Outcome
from tcao_tui.errors import ExitCode

StopCause = Literal["signal", "request", "budget"]

_ENDS: dict[StopCause, tuple[Outcome, ExitCode, str]] = {
    "signal": ("interrupted", ExitCode.RESUMABLE, "the worker was told to end by a signal"),
    "request": ("stopped", ExitCode.RESUMABLE, "stopped on request"),
    "budget": ("budget", ExitCode.BUDGET, "the cap on cost was reached"),
}


class StopFlag:
    """The first cause wins. Setting it takes no lock, so a signal handler may do it at any moment."""

    def __init__(self) -> None:
        self._cause: StopCause | None = None
        self.signalled = False

    @property
    def cause(self) -> StopCause | None:
        """Why to stop; None: go on."""
        return self._cause

    @property
    def end(self) -> tuple[Outcome, ExitCode, str]:
        """Outcome, exit code and sentence of a worker that ends for this cause."""
        return _ENDS[self._cause or "signal"]

    def set(self, cause: StopCause) -> None:
        """Ask for an end."""
        self._cause = self._cause or cause
        self.signalled = self.signalled or cause == "signal"
