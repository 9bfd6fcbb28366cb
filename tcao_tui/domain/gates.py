"""Gates: the checks that a plan must pass before it may be approved, and what a finding says.

The same gates serve the interview, `tcao check`, `tcao run`, replay and the LLM planner. The checks are in `checks`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["error", "warning", "note"]


class Gate(StrEnum):
    """The gates in the order in which they are checked; a later one may need what an earlier one established."""

    SCHEMA = "schema"
    COMBINATIONS = "combinations"
    DATA = "data"
    CAPABILITY = "capability"
    EVALS = "evals"
    COST = "cost"
    APPROVAL = "approval"


GATE_TITLES: dict[Gate, str] = {
    Gate.SCHEMA: "every value is of its kind",
    Gate.COMBINATIONS: "the values fit together",
    Gate.DATA: "the rows teach what is meant",
    Gate.CAPABILITY: "the server can do it",
    Gate.EVALS: "success can be measured honestly",
    Gate.COST: "the cost is known and within the cap",
    Gate.APPROVAL: "a person approved exactly this",
}


class Finding(BaseModel):
    """One thing that is wrong or odd; an error stops the plan.

    Attributes:
        path: Key path in the plan.
        got: What is there.
        expected: What would pass.
        fix: What to do, a command or a value.
        where: File and line, when the finding is about a row.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    gate: Gate
    severity: Severity = "error"
    path: str
    got: str
    expected: str
    fix: str
    where: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.path}: {self.got}; expected {self.expected}"


class GateResult(BaseModel):
    """One gate: "open" means that it cannot be judged yet, and `why_open` says what is missing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gate: Gate
    status: Literal["pass", "warn", "fail", "open"]
    findings: tuple[Finding, ...] = ()
    why_open: str = ""


def result_of(gate: Gate, findings: tuple[Finding, ...], why_open: str = "") -> GateResult:
    """The result that some findings of one gate come to."""
    own = tuple(finding for finding in findings if finding.gate is gate)
    if any(finding.severity == "error" for finding in own):
        return GateResult(gate=gate, status="fail", findings=own)
    if why_open:
        return GateResult(gate=gate, status="open", findings=own, why_open=why_open)
    warned = any(finding.severity == "warning" for finding in own)
    return GateResult(gate=gate, status="warn" if warned else "pass", findings=own)
