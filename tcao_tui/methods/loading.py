"""Files of a plan to rows: checked against the approved hash, then read in slices that let others run.

What becomes of a row is the method's business.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from tcao_tui.data.check import DataReport, check_file, fields_of
from tcao_tui.data.problems import Problems, RowProblem
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import Row, RowRejected
from tcao_tui.domain.data_profile import RowKind
from tcao_tui.domain.events import LogLine, PhaseChanged
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer

_SLICE_SECONDS = 0.05
_TELL_SECONDS = 2.0

type TakeRow = Callable[[int, Row, int], None]
"""Gets a row with its index, from 0, and its line, from 1; raises `RowRejected` when it cannot be used."""


async def checked(
    context: RunContext, path: Path, config: TrainingConfig, approved_sha256: str, kind: RowKind
) -> DataReport:
    """Read a file whole, before anything is asked of the server; peculiarities that are accepted are told.

    Args:
        context: The worker.
        path: The file.
        config: How its rows are read.
        approved_sha256: Hash of what was approved, hex; "" when the plan has none.
        kind: What its rows must be.

    Raises:
        PlanInvalid: Bad rows, all of them named, or a file that is not the approved one.
    """
    report = await asyncio.to_thread(check_file, path, fields_of(config), kind)
    report.raise_if_bad()
    if approved_sha256 and report.sha256 != approved_sha256:
        raise PlanInvalid(
            "the file has changed since the plan was approved",
            where=str(path),
            next_step="put the approved file back, or approve the plan anew",
        )
    for note in report.notes:
        context.emit(LogLine(message=f"{path}: {note}; accepted"))
    return report


async def each_row(context: RunContext, report: DataReport, kind: RowKind, take: TakeRow) -> None:
    """Read a checked file again and hand over each row.

    Raises:
        PlanInvalid: `take` refuses rows, all of which are named, or the file has changed meanwhile.
    """
    problems = Problems()
    slice_end = time.monotonic() + _SLICE_SECONDS
    tell_at = time.monotonic() + _TELL_SECONDS
    reader = RowReader(report.path, report.fields, problems, kind=kind)
    for index, row in enumerate(reader):
        try:
            take(index, row, reader.line)
        except RowRejected as error:
            problems.add(RowProblem(report.path, reader.line, error.what, error.fix))
        if (now := time.monotonic()) >= slice_end:
            await asyncio.sleep(0)
            slice_end = time.monotonic() + _SLICE_SECONDS
        if now >= tell_at:
            tell_at = now + _TELL_SECONDS
            detail = f"{report.path.name}: {index + 1:,} of {report.rows:,} rows to tokens"
            context.emit(PhaseChanged(phase="loading", detail=detail))
    problems.raise_if_any()
    if reader.rows != report.rows:
        raise PlanInvalid("the file changed while it was read", where=str(report.path), next_step="start again")


def tell_about_renderer(context: RunContext, renderer: ChatRenderer) -> None:
    """Log what a person should know about this choice of renderer."""
    if renderer.warning:
        context.emit(LogLine(level="warning", message=renderer.warning))
