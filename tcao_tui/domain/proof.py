"""Values of a proof: what a run's record is held against, and the report. The checks themselves are `verify`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from tcao_tui.domain.events import MetricRow, Spend, StoredEvent
from tcao_tui.domain.lineage import History, TrainedStep
from tcao_tui.domain.run_view import RunStatus, RunSummary

Verdict = Literal["ok", "failed", "not checked"]

MOST_NAMED = 5
"""Problems that are named one by one; further ones are counted."""


class ListedCheckpoint(Protocol):
    """A checkpoint of the run as the server lists it."""

    @property
    def path(self) -> str:
        """Its `tinker://` path."""
        ...

    @property
    def name(self) -> str:
        """Name under which it was saved."""
        ...

    @property
    def kind(self) -> str:
        """`training`, `sampler` or `external`."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that the store holds of one run, each in the order of its commits.

    Attributes:
        approved_hashes: Of each approval, oldest first.
    """

    summary: RunSummary
    events: Sequence[StoredEvent]
    rows: Sequence[MetricRow]
    spends: Sequence[Spend]
    approved_hashes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outside:
    """What the record is held against; None and empty are not known.

    Attributes:
        remote: The server's complete list of the run's checkpoints.
        plan_hash: Approval hash of the plan file in the run's directory, at the prices of the newest approval.
        plan_problem: Why there is no such hash.
        config_hash: Mark that checkpoints of this plan carry.
        cap_usd: Cost at which the plan says to stop.
        in_flight_steps: Updates that may have been sent when the cap was reached.
        now: Unix seconds.
    """

    now: float
    remote: Sequence[ListedCheckpoint] | None = None
    plan_hash: str = ""
    plan_problem: str = ""
    config_hash: str = ""
    cap_usd: float | None = None
    in_flight_steps: int = 1


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant: what was found, and at which steps.

    Attributes:
        name: Stable key for scripts.
        title: The invariant as a sentence.
        evidence: What was found.
        steps: Steps that are concerned, at most a few of them.
        next_step: What to do about a failure.
    """

    name: str
    title: str
    verdict: Verdict
    evidence: str = ""
    steps: tuple[int, ...] = ()
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """All checks of one run."""

    run_id: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return all(check.verdict != "failed" for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"run_id": self.run_id, "ok": self.ok, "checks": [asdict(check) for check in self.checks]}


@dataclass(frozen=True, slots=True)
class Case:
    """A run under proof: its record, what it is held against, and the lineage that follows from both."""

    record: Record
    outside: Outside
    history: History
    trained: Sequence[TrainedStep]
    lineage: Sequence[TrainedStep]

    @property
    def completed(self) -> bool:
        """Whether the run says that it is completed."""
        return self.record.summary.recorded_status is RunStatus.COMPLETED


class Judgement:
    """Verdict of one check: failures win over evidence; nothing said is nothing checked."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.steps: list[int] = []
        self.evidence = ""
        self.not_checked = ""
        self.next_step = ""

    def fail(self, problem: str, *steps: int) -> None:
        """Say what is wrong, and at which steps."""
        self.problems.append(problem)
        self.steps += steps

    def check(self, name: str, title: str) -> Check:
        """The check that this comes to."""
        if self.problems:
            rest = len(self.problems) - MOST_NAMED
            named = "; ".join(self.problems[:MOST_NAMED]) + (f"; and {rest} more" if rest > 0 else "")
            return Check(name, title, "failed", named, tuple(self.steps[:MOST_NAMED]), self.next_step)
        if self.not_checked:
            return Check(name, title, "not checked", self.not_checked)
        return Check(name, title, "ok", self.evidence)
