"""Rows to prompts that are asked, in the plan's order; what an answer is worth is the reward's business."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

import tinker

from tcao_tui.data.check import DataReport
from tcao_tui.data.convert import text_content
from tcao_tui.data.order import BatchOrder
from tcao_tui.data.rows import Conversation, PreferenceRow, ProblemRow, Row, RowRejected
from tcao_tui.domain.data_profile import RowKind
from tcao_tui.domain.events import DataLoaded
from tcao_tui.domain.method_params import RlParams
from tcao_tui.methods.loading import checked, each_row, tell_about_renderer
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer, quiet_renderers


@dataclass(frozen=True, slots=True)
class Problem:
    """A prompt as turns and as tokens, and the wanted answer.

    Attributes:
        chosen: Of a preference row, the turns that people liked better; its last one is the reference.
    """

    turns: Conversation
    prompt: tinker.ModelInput
    reference: str
    chosen: Conversation


@dataclass(frozen=True, slots=True)
class ProblemFiles:
    """Files that were read whole and hold no bad row, of this kind."""

    kind: RowKind
    train: DataReport
    validation: DataReport | None
    order: BatchOrder


@dataclass(frozen=True, slots=True)
class Problems:
    """Prompts by row of the training file, those that are used, and the held-out ones."""

    train: dict[int, Problem]
    validation: list[Problem]


async def check_files(context: RunContext, kind: RowKind) -> ProblemFiles:
    """Read the files of the plan once, before anything is asked of the server.

    Raises:
        PlanInvalid: Bad rows (all of them are named), too few rows, or a file that is not the approved one.
    """
    config, approved = context.plan.training, context.plan.data
    train = await checked(context, config.train_file, config, approved.train_file, kind)
    validation = None
    if config.val_file is not None:
        validation = await checked(context, config.val_file, config, approved.val_file, kind)
    return ProblemFiles(kind, train, validation, BatchOrder(train.rows, config.train_batch_size, config.seed))


async def load(context: RunContext, files: ProblemFiles, renderer: ChatRenderer) -> Problems:
    """Render all prompts that will be asked, and tell what the files hold.

    Raises:
        PlanInvalid: The renderer refuses rows, or a prompt leaves no room for an answer.
    """
    tell_about_renderer(context, renderer)
    used = files.order.rows_used(context.plan.training.num_steps)
    with quiet_renderers():
        train = await _read(context, files, files.train, renderer, used)
        held_out = {} if files.validation is None else await _read(context, files, files.validation, renderer, None)
    context.emit(
        DataLoaded(
            train_rows=files.train.rows,
            val_rows=len(held_out),
            batches_per_epoch=files.order.batches_per_epoch,
            train_tokens=sum(problem.prompt.length for problem in train.values()),
            loss_tokens=0,
        )
    )
    return Problems(train, list(held_out.values()))


async def _read(
    context: RunContext, files: ProblemFiles, report: DataReport, renderer: ChatRenderer, used: Container[int] | None
) -> dict[int, Problem]:
    found: dict[int, Problem] = {}
    longest, answer = context.plan.training.max_seq_len, (context.plan.rl or RlParams()).max_tokens

    def take(index: int, row: Row, line: int) -> None:
        if used is not None and index not in used:
            return
        turns, reference, chosen = _asked(row)
        prompt = renderer.prompt(turns)
        if prompt.length + answer > longest:
            raise RowRejected(
                f"its prompt has {prompt.length:,} tokens, which with {answer:,} of an answer are more than "
                f"max_seq_len {longest:,}",
                "raise max_seq_len, lower rl.max_tokens, or remove the row",
            )
        found[index] = Problem(turns, prompt, reference, chosen)

    await each_row(context, report, files.kind, take)
    return found


def _asked(row: Row) -> tuple[Conversation, str, Conversation]:
    match row:
        case ProblemRow():
            return row.prompt, row.answer, []
        case PreferenceRow():
            return row.prompt, text_content(row.chosen[-1]["content"]), row.chosen
        case _:
            raise RowRejected("is neither a problem nor a preference", "look at data_format")
