"""The errors a person meets, and the exit codes of every command.

    TcaoError                 something failed                        exit 1
    ├── UsageError            the command line is wrong               exit 2
    ├── PlanInvalid           a plan or config does not validate      exit 3
    ├── NeedsInput            an approval or an answer is missing     exit 4
    ├── CredentialsError      no key, or the server refused it        exit 5
    ├── BudgetExceeded        the cap of the plan was reached         exit 6
    ├── BackendError          the server or the model failed          exit 7
    ├── Refused               the request makes no sense right now    exit 8
    └── Resumable             stopped early, `tcao resume` goes on    exit 75

Each error says what happened, where (file:line, key path, step) and the next step to take.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of every command; stable, because scripts depend on them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    PLAN_INVALID = 3
    NEEDS_INPUT = 4
    CREDENTIALS = 5
    BUDGET = 6
    BACKEND = 7
    REFUSED = 8
    RESUMABLE = 75
    INTERRUPTED = 130


class TcaoError(Exception):
    """Base of all errors that are shown to a person.

    Args:
        what: What happened, one sentence.
        where: File and line, key path or step; empty when there is no such place.
        next_step: The command or change that helps; empty when none is known.
        details: More for scripts: further keys of the JSON result.
    """

    title: ClassVar[str] = "Failed"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(
        self, what: str, *, where: str = "", next_step: str = "", details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step
        self.details = details or {}

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class UsageError(TcaoError):
    """The command line is wrong."""

    title = "Usage"
    exit_code = ExitCode.USAGE


class PlanInvalid(TcaoError):
    """A plan, config or data file does not validate; nothing was spent."""

    title = "Invalid plan"
    exit_code = ExitCode.PLAN_INVALID


class NeedsInput(TcaoError):
    """An approval or an answer is missing and cannot be asked for here."""

    title = "Needs approval"
    exit_code = ExitCode.NEEDS_INPUT


class CredentialsError(TcaoError):
    """No key was found, or the server refused it."""

    title = "Credentials"
    exit_code = ExitCode.CREDENTIALS


class BudgetExceeded(TcaoError):
    """The cap that the plan sets on its cost was reached."""

    title = "Budget"
    exit_code = ExitCode.BUDGET


class BackendError(TcaoError):
    """The server or the model failed and retrying did not help."""

    title = "Backend"
    exit_code = ExitCode.BACKEND


class Refused(TcaoError):
    """The request makes no sense in the present state."""

    title = "Refused"
    exit_code = ExitCode.REFUSED


class Resumable(TcaoError):
    """The work stopped early and can be resumed without loss."""

    title = "Resumable"
    exit_code = ExitCode.RESUMABLE


def error_of(exit_code: int, what: str, *, where: str = "", next_step: str = "") -> TcaoError:
    """The error that another process met and told by its exit code; the general one for a code that says no more."""
    kinds = (UsageError, PlanInvalid, NeedsInput, CredentialsError, BudgetExceeded, BackendError, Refused, Resumable)
    by_code: dict[int, type[TcaoError]] = {int(kind.exit_code): kind for kind in kinds}
    return by_code.get(exit_code, TcaoError)(what, where=where, next_step=next_step)
