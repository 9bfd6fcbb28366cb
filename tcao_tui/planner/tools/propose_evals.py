"""The tool that says how success is measured: the task's own eval first, then a few public benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from tcao_tui.domain.benchmarks.table import suite
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.use_cases import USE_CASES
from tcao_tui.planner.changes import Change, proposed
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.envelope import cleaned
from tcao_tui.planner.port import Interview, Tool, ToolOutcome


class ProposedBenchmark(BaseModel):
    """A public benchmark."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="Task of Inspect Evals, such as inspect_evals/gsm8k.")
    limit: int | None = Field(default=100, ge=1, description="Samples; empty: all.")
    why: str = Field(min_length=1, description="What it really measures and how it bears on the goal, one sentence.")


class ProposeEvals(Tool):
    """Settle how success is measured, or see what stands when nothing is given.

    The eval of the person's own task comes first, on rows that are never trained on; without one no plan passes.
    """

    name: ClassVar[str] = "propose_evals"

    score_file: str | None = Field(default=None, description="Rows with the wanted answers, never trained on.")
    grader: str | None = Field(default=None, description="Grader of the task's own eval.")
    max_rows: int | None = Field(default=None, ge=1, description="Rows scored.")
    max_tokens: int | None = Field(default=None, ge=1, description="Tokens generated per answer.")
    benchmarks: list[ProposedBenchmark] | None = Field(default=None, description="Few and focused; [] for none.")
    metric: str | None = Field(default=None, description="What success is judged by: score, or a benchmark's name.")
    threshold: float | None = Field(default=None, description="Value to reach, decided before training.")
    must_not_regress: list[str] | None = Field(default=None, description="Metrics that must not get worse.")
    reason: str = Field(default="", description="Why this suite, one sentence.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Set what is given, or show what stands."""
        changes = list(self._changes())
        if not changes:
            return ToolOutcome({"ok": True, "evals": evals_json(interview.sheet), "offered": offered(interview.sheet)})
        return proposed(interview, changes)

    def _changes(self) -> Iterator[Change]:
        given: dict[str, Any] = {
            "evals.score.file": self.score_file,
            "evals.score.grader": self.grader,
            "evals.score.max_rows": self.max_rows,
            "evals.score.max_tokens": self.max_tokens,
            "success.metric": self.metric,
            "success.threshold": self.threshold,
            "success.must_not_regress": self.must_not_regress,
        }
        if self.benchmarks is not None:
            given["evals.benchmarks"] = [benchmark.model_dump() for benchmark in self.benchmarks]
        for path, value in given.items():
            if value is not None:
                yield Change(path, value, self.reason or "how success is measured")


def offered(sheet: PlanSheet) -> list[dict[str, Any]]:
    """Public benchmarks that bear on the plan's kind of use, with what each measures and needs."""
    use = sheet.draft.get("use_case")
    known = suite(use.value) if use is not None and use.value in USE_CASES else ()
    return [
        {"name": one.name, "samples": one.samples, "why": one.why, "needs": one.needs, "caveat": one.caveat}
        for one in known
    ]


def evals_json(sheet: PlanSheet) -> dict[str, Any]:
    """Everything of a plan that measures, with who decided and why."""
    return {
        path: {"value": cleaned(filled.value), "by": filled.by, "reason": cleaned(filled.reason)}
        for path, filled in sheet.draft.items()
        if path.startswith(("evals.", "success."))
    }
