"""A cell that a process has: started, followed by what it tells, told what was asked, and judged when it is over."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tcao_tui.clients import inspect_control
from tcao_tui.domain.eval_job import Ended, GaveUp, Job
from tcao_tui.domain.evaluation import CellRecord, CellState, ItemResult
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.services import detached
from tcao_tui.services.evaluation_processes import (
    CellReader,
    Told,
    identity,
    is_alive,
    last_words,
    newest_log,
    spawn_cell,
)
from tcao_tui.store.evaluation_dir import Ask


class LiveCell:
    """One cell with a process, or with one that has just died.

    Args:
        record: As it is stored.
        directory: Of the cell, below the evaluation's.
        quote: Prices, for what a process does not price itself.

    Attributes:
        record: As it is now.
    """

    def __init__(self, record: CellRecord, directory: Path, quote: PriceQuote) -> None:
        self.record = record
        self._directory, self._reader = directory, CellReader(directory, quote)
        self._asked: Ask = "go"
        self._is_child = False

    def start(self, job: Job, *, environ: Mapping[str, str], now: float) -> None:
        """Start a process that begins the cell or goes on with it."""
        process = spawn_cell(job, python=sys.executable, environ=environ)
        self._is_child = True
        self.record = self.record.model_copy(
            update={
                "state": CellState.STARTING,
                "process": process,
                "tried": self.record.tried + 1,
                "problem": "",
                "next_step": "",
                "started_at": self.record.started_at or now,
                "ended_at": None,
            }
        )

    def hear(self, asked: Ask) -> None:
        """Pass on what was asked, until the process has heard it."""
        process = self.record.process
        if asked in (self._asked, "go") or process is None:
            return
        if asked == "drain" and process.socket:
            heard = inspect_control.drain(Path(process.socket))
        else:
            who = identity(process)
            heard = who is None or who.terminate()
        if heard:
            self._asked = asked

    def look(self, now: float) -> tuple[list[ItemResult], bool]:
        """Take in what the process told; new results, and whether the process is gone."""
        # Whether it lives is found out first, so that the last words of one that died are all there.
        process = self.record.process
        code = detached.exit_status(process.pid) if self._is_child and process is not None else None
        alive = code is None and is_alive(process)
        items = self._reader.read()
        told = self._reader.told
        changes: dict[str, object] = {"counts": told.counts, "usage": told.usage}
        if told.counts.planned or told.counts.completed:
            changes["state"] = CellState.DRAINING if self._asked == "drain" else CellState.RUNNING
        if name := newest_log(self._directory):
            changes["log"] = f"{self._directory.parent.name}/{self._directory.name}/{name}"
        if not alive:
            over = ending(told, self._asked, code, last_words(self._directory))
            changes |= over | {"process": None, "ended_at": now}
        self.record = self.record.model_copy(update=changes)
        return items, not alive

    def close(self) -> None:
        """Let go of what was read."""
        self._reader.close()


def ending(told: Told, asked: Ask, code: int | None, words: str) -> dict[str, object]:
    """What becomes of a cell whose process is gone; LOST when it died and may be started again.

    Args:
        told: All that it told.
        asked: What had been asked of it.
        code: Its exit code, below zero for a signal; None when nobody knows.
        words: The last line that it printed.
    """
    counts = told.counts.model_copy(update={"in_flight": 0})
    missing = counts.planned - counts.completed
    match told.ended:
        case _ if asked == "cancel":
            return {"state": CellState.CANCELLED, "counts": counts}
        case Ended(numbers=numbers):
            problem = f"{missing} of {counts.planned} answers were not asked for" if missing else ""
            if counts.errored:
                problem = f"{counts.errored} of {counts.planned} answers ended in an error"
            state = CellState.PARTIAL if problem else CellState.DONE
            return {"state": state, "counts": counts, "numbers": numbers, "problem": problem}
        case GaveUp(problem=problem, next_step=step):
            return {"state": CellState.FAILED, "counts": counts, "problem": problem, "next_step": step}
        case None if asked == "drain":
            return {"state": CellState.PARTIAL, "counts": counts}
        case None:
            how = "was killed" if code is None or code < 0 else f"ended with code {code}"
            state = CellState.LOST if code is None or code < 0 else CellState.FAILED
            return {
                "state": state,
                "counts": counts,
                "problem": f"its process {how}: {words}" if words else f"its process {how}",
            }
