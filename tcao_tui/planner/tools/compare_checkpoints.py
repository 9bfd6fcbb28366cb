"""The tool that lays the checkpoints of a run side by side."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, cast

from pydantic import Field

from tcao_tui.planner.desk import Desk
from tcao_tui.planner.envelope import cleaned, enveloped
from tcao_tui.planner.port import Interview, Tool, ToolOutcome
from tcao_tui.planner.run_reports import not_there_yet
from tcao_tui.planner.tools.read_run import SOURCE


class CompareCheckpoints(Tool):
    """Lay the checkpoints of a run side by side: step, validation loss, scores; and name the best by each measure.

    Differences are counts, not tests: a few rows more or less can be chance.
    """

    name: ClassVar[str] = "compare_checkpoints"

    id: str = Field(default="latest", description="Id or name of the run, or latest.")

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Compare. Raises `TcaoError` when there is no such run."""
        report = await asyncio.to_thread(desk.read_run, self.id)
        checkpoints = cast("list[dict[str, Any]]", report.get("checkpoints") or [])
        result: dict[str, Any] = {
            "ok": True,
            "best": cleaned(best_by_measure(checkpoints)),
            "not_there_yet": not_there_yet(report),
            "checkpoints": enveloped(SOURCE, checkpoints),
        }
        return ToolOutcome(result)


def best_by_measure(checkpoints: list[dict[str, Any]]) -> dict[str, Any]:
    """The best checkpoint by validation loss and by each score; a measure that none has is left out."""
    measured = [one for one in checkpoints if one["val_loss"] is not None]
    best = {"val_loss": _named(min(measured, key=lambda one: one["val_loss"]))} if measured else {}
    for name in sorted({name for one in checkpoints for name in one["scores"]}):
        scored = [one for one in checkpoints if name in one["scores"]]
        best[name] = _named(max(scored, key=lambda one: one["scores"][name]))
    return best


def _named(checkpoint: dict[str, Any]) -> dict[str, Any]:
    return {"name": checkpoint["name"], "step": checkpoint["step"]}
