"""Files to rendered rows: checked against the approved hash, read in a stream, in slices that let others run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.data.check import DataReport, check_file, fields_of
from tcao_tui.data.order import BatchOrder
from tcao_tui.data.problems import Problems, RowProblem
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import ChatRow, RowRejected
from tcao_tui.domain.events import DataLoaded, LogLine, PhaseChanged
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer, quiet_renderers
from tcao_tui.methods.token_rows import TokenRows

_SLICE_SECONDS = 0.05
_TELL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class CheckedFiles:
    """Files that were read whole and hold no bad row."""

    train: DataReport
    validation: DataReport | None
    order: BatchOrder


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Rendered rows; `validation` None when the plan has no such file."""

    order: BatchOrder
    train: TokenRows
    validation: TokenRows | None


async def check_files(context: RunContext) -> CheckedFiles:
    """Read the files of the plan once, before anything is asked of the server.

    Raises:
        PlanInvalid: Bad rows (all of them are named), too few rows, or a file that is not the approved one.
    """
    config = context.plan.training
    train = await _checked(config.train_file, config, context.plan.data.train_file)
    validation = None
    if config.val_file is not None:
        validation = await _checked(config.val_file, config, context.plan.data.val_file)
    for report in (train, validation):
        for note in report.notes if report is not None else ():
            context.emit(LogLine(message=f"{report.path if report else ''}: {note}; accepted"))
    return CheckedFiles(train, validation, BatchOrder(train.rows, config.train_batch_size, config.seed))


async def _checked(path: Path, config: TrainingConfig, approved_sha256: str) -> DataReport:
    report = await asyncio.to_thread(check_file, path, fields_of(config))
    report.raise_if_bad()
    if approved_sha256 and report.sha256 != approved_sha256:
        raise PlanInvalid(
            "the file has changed since the plan was approved",
            where=str(path),
            next_step="put the approved file back, or approve the plan anew",
        )
    return report


async def load(context: RunContext, files: CheckedFiles, renderer: ChatRenderer) -> TrainingData:
    """Render all rows that will be used and tell what they hold.

    Raises:
        PlanInvalid: The renderer refuses rows, or no row would train anything.
    """
    config = context.plan.training
    if renderer.warning:
        context.emit(LogLine(level="warning", message=renderer.warning))
    with quiet_renderers():
        used = files.order.rows_used(config.num_steps)
        train = await _render(context, files.train, renderer, used)
        validation = None if files.validation is None else await _render(context, files.validation, renderer, None)
    _tell_about_empty_rows(context, files.train.path, train)
    if train.thinking_left_out:
        context.emit(
            LogLine(
                level="warning",
                message=f"{train.thinking_left_out} rows: renderer {renderer.name} writes earlier turns without their "
                "thinking; a renderer that preserves it has 'preserve_thinking' in its name",
            )
        )
    context.emit(
        DataLoaded(
            train_rows=len(train),
            val_rows=0 if validation is None else len(validation),
            batches_per_epoch=files.order.batches_per_epoch,
            train_tokens=train.tokens,
            loss_tokens=train.loss_tokens,
            truncated_rows=train.truncated,
        )
    )
    return TrainingData(files.order, train, validation)


async def _render(
    context: RunContext, report: DataReport, renderer: ChatRenderer, used: Container[int] | None
) -> TokenRows:
    config = context.plan.training
    rows = TokenRows(config.max_seq_len)
    problems = Problems()
    slice_end = time.monotonic() + _SLICE_SECONDS
    tell_at = time.monotonic() + _TELL_SECONDS
    reader = RowReader(report.path, report.fields, problems, kind="chat")
    for index, row in enumerate(reader):
        assert isinstance(row, ChatRow)
        try:
            if used is None or index in used:
                renderer.add_row(row, rows)
            else:
                rows.skip()
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
    if len(rows) != report.rows:
        raise PlanInvalid("the file changed while it was read", where=str(report.path), next_step="start again")
    return rows


def _tell_about_empty_rows(context: RunContext, path: Path, rows: TokenRows) -> None:
    if not rows.without_loss:
        return
    first = f"{path}:{rows.without_loss[0] + 1}"
    if len(rows.without_loss) == rows.used:
        raise PlanInvalid(
            "no row has a token that carries loss, so nothing would be learned",
            where=first,
            next_step="look at train_on_what, and at max_seq_len: prompts alone may fill it",
        )
    many = len(rows.without_loss)
    context.emit(LogLine(level="warning", message=f"{many} rows carry no loss and teach nothing; first: {first}"))
