"""Conversations to rendered rows, and what a person should know about them."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.data.check import DataReport
from tcao_tui.data.convert import to_imitate
from tcao_tui.data.order import BatchOrder, Order, TokenOrder
from tcao_tui.data.rows import Row
from tcao_tui.domain.data_profile import RowKind
from tcao_tui.domain.events import DataLoaded, LogLine
from tcao_tui.domain.plan_data import PAIR_FORMATS
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.loading import checked, each_row, tell_about_renderer
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer, quiet_renderers
from tcao_tui.methods.token_rows import TokenRows


@dataclass(frozen=True, slots=True)
class CheckedFiles:
    """Files that were read whole and hold no bad row."""

    train: DataReport
    validation: DataReport | None
    order: BatchOrder


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Rendered rows; `validation` None when the plan has no such file."""

    order: Order
    train: TokenRows
    validation: TokenRows | None


async def check_files(context: RunContext) -> CheckedFiles:
    """Read the files of the plan once, before anything is asked of the server.

    Raises:
        PlanInvalid: Bad rows (all of them are named), too few rows, or a file that is not the approved one.
    """
    config, kind = context.plan.training, _kind_of(context.plan.training)
    train = await checked(context, config.train_file, config, context.plan.data.train_file, kind)
    validation = None
    if config.val_file is not None:
        validation = await checked(context, config.val_file, config, context.plan.data.val_file, kind)
    return CheckedFiles(train, validation, BatchOrder(train.rows, _rows_per_batch(config), config.seed))


async def load(context: RunContext, files: CheckedFiles, renderer: ChatRenderer) -> TrainingData:
    """Render all rows that will be used and tell what they hold.

    Raises:
        PlanInvalid: The renderer refuses rows, or no row would train anything.
    """
    config = context.plan.training
    tell_about_renderer(context, renderer)
    with quiet_renderers():
        used = None if config.batch_tokens else files.order.rows_used(config.num_steps)
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
    order: Order = files.order
    if config.batch_tokens:
        order = TokenOrder(train.lengths, config.batch_tokens, config.seed)
    context.emit(
        DataLoaded(
            train_rows=len(train),
            val_rows=0 if validation is None else len(validation),
            batches_per_epoch=order.batches_per_epoch,
            train_tokens=train.tokens,
            loss_tokens=train.loss_tokens,
            truncated_rows=train.truncated,
        )
    )
    return TrainingData(order, train, validation)


async def _render(
    context: RunContext, report: DataReport, renderer: ChatRenderer, used: Container[int] | None
) -> TokenRows:
    rows = TokenRows(context.plan.training.max_seq_len)

    def take(index: int, row: Row, line: int) -> None:
        if used is None or index in used:
            renderer.add_row(to_imitate(row), rows)
        else:
            rows.skip()

    await each_row(context, report, _kind_of(context.plan.training), take)
    return rows


def _rows_per_batch(config: TrainingConfig) -> int:
    """With a token budget batches are cut once the rows are tokens; any number of rows will do until then."""
    return 1 if config.batch_tokens else config.train_batch_size


def _kind_of(config: TrainingConfig) -> RowKind:
    return "preference" if config.data_format in PAIR_FORMATS else "chat"


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
