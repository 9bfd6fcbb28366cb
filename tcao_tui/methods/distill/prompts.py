"""Rows of any kind to prompts that the student answers, for each teacher those of its own file."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.data.check import DataReport
from tcao_tui.data.order import BatchOrder
from tcao_tui.data.rows import PromptRow, Row, RowRejected
from tcao_tui.domain.method_params import DistillParams
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.loading import checked, each_row
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.rl.problems import Problem


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A file that was read whole and holds no bad row, and the order in which its prompts are asked."""

    report: DataReport
    order: BatchOrder


@dataclass(frozen=True, slots=True)
class PromptFiles:
    """Files of the teachers, in their order, and held-out prompts for the first one."""

    train: tuple[PromptFile, ...]
    validation: DataReport | None


def shares_of(batch_size: int, teachers: int) -> list[int]:
    """Prompts of a batch that each teacher gets: the same, the first ones having what is left over.

    Raises:
        PlanInvalid: There are more teachers than prompts in a batch.
    """
    if batch_size < teachers:
        raise PlanInvalid(
            f"a batch of {batch_size} prompts cannot be shared by {teachers} teachers",
            where="training.train_batch_size",
            next_step=f"set it to {teachers} or more",
        )
    return [batch_size // teachers + (number < batch_size % teachers) for number in range(teachers)]


async def check_prompt_files(context: RunContext, params: DistillParams) -> PromptFiles:
    """Read the files of the plan once, before anything is asked of the server.

    Raises:
        PlanInvalid: Bad rows (all of them are named), too few rows, or a file that is not the approved one.
    """
    config, approved = context.plan.training, context.plan.data
    files: list[tuple[Path, str]] = [(config.train_file, approved.train_file)]
    for number, teacher in enumerate(params.more_teachers):
        files.append((teacher.prompts_file, next(iter(approved.teacher_files[number:]), "")))
    found: list[PromptFile] = []
    for (path, sha256), share in zip(files, shares_of(config.train_batch_size, len(files)), strict=True):
        report = await checked(context, path, config, sha256, "prompt")
        found.append(PromptFile(report, BatchOrder(report.rows, share, config.seed)))
    validation = None
    if config.val_file is not None:
        validation = await checked(context, config.val_file, config, approved.val_file, "prompt")
    return PromptFiles(tuple(found), validation)


async def read_prompts(
    context: RunContext, report: DataReport, renderer: ChatRenderer, used: Container[int] | None
) -> dict[int, Problem]:
    """Prompts by row, those that are used; None: all.

    Raises:
        PlanInvalid: The renderer refuses rows, or a prompt leaves no room for an answer.
    """
    assert context.plan.distill is not None
    longest, answer = context.plan.training.max_seq_len, context.plan.distill.max_tokens
    found: dict[int, Problem] = {}

    def take(index: int, row: Row, line: int) -> None:
        assert isinstance(row, PromptRow)
        if used is not None and index not in used:
            return
        prompt = renderer.prompt(row.prompt)
        if prompt.length + answer > longest:
            raise RowRejected(
                f"its prompt has {prompt.length:,} tokens, which with {answer:,} of an answer are more than "
                f"max_seq_len {longest:,}",
                "raise max_seq_len, lower distill.max_tokens, or remove the row",
            )
        found[index] = Problem(row.prompt, prompt, "", [])

    await each_row(context, report, "prompt", take)
    return found
