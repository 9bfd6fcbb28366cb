"""The rows whose loss is measured: the same ones for all weights, rendered as in training."""

from __future__ import annotations

import random
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from tcao_tui.data.check import DataReport, check_file
from tcao_tui.data.convert import to_imitate
from tcao_tui.data.problems import Problems, RowProblem
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import ChatRow, RowRejected
from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.domain.training_config import TrainOnWhat
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.rendering import ChatRenderer, quiet_renderers
from tcao_tui.probes.chat_voice import Voice
from tcao_tui.probes.rendered import rendering_config


@dataclass(frozen=True, slots=True)
class Row:
    """A row to measure.

    Attributes:
        item: Its line in the file, from 1: the file is known by its hash.
        tokens: Of the row, cut to the longest length.
        trained: Of its last tokens, whether each carries loss; the first of these does.
        text_bytes: UTF-8 bytes of the text that carries loss.
    """

    item: str
    tokens: Sequence[int]
    trained: Sequence[bool]
    text_bytes: int


def read_rows(task: EvalTask, voice: Voice) -> list[Row]:
    """The task's choice of rows; those without a token that carries loss are left out.

    Raises:
        PlanInvalid: The file cannot be read or is another one than was approved, or rows of it cannot be used.
    """
    said = task.arguments.get("fields")
    report = check_file(Path(task.target), None if said is None else FieldMap.model_validate(said), kind=None)
    report.raise_if_bad()
    if task.content and report.sha256 != task.content:
        raise PlanInvalid("the file has changed since the evaluation was approved", where=task.target)
    on_what = TypeAdapter[TrainOnWhat](TrainOnWhat).validate_python(task.arguments["train_on_what"])
    renderer = ChatRenderer(rendering_config(voice.model, voice.renderer, on_what), voice.cookbook.tokenizer)
    with quiet_renderers():
        return _rendered(report, _chosen(report.rows, task), renderer, int(str(task.arguments["max_seq_len"])))


def _chosen(count: int, task: EvalTask) -> Container[int]:
    """Places of all rows, or of a choice that depends on nothing but count and seed."""
    if task.limit is None or task.limit >= count:
        return range(count)
    return frozenset(random.Random(task.seed).sample(range(count), task.limit))


def _rendered(report: DataReport, chosen: Container[int], renderer: ChatRenderer, limit: int) -> list[Row]:
    problems = Problems()
    found: list[Row] = []
    reader = RowReader(report.path, report.fields, problems)
    for index, row in enumerate(reader):
        try:
            if index in chosen and (one := _row(str(reader.line), to_imitate(row), renderer, limit)) is not None:
                found.append(one)
        except RowRejected as error:
            problems.add(RowProblem(report.path, reader.line, error.what, error.fix))
    problems.raise_if_any()
    return found


def _row(item: str, row: ChatRow, renderer: ChatRenderer, limit: int) -> Row | None:
    tokens, marks = renderer.trained_tokens(row)
    # The first token is predicted from nothing, so it never carries loss.
    tokens, trained = tokens[:limit], [False, *marks[1:limit]]
    if not any(trained):
        return None
    counted = [token for token, counts in zip(tokens, trained, strict=True) if counts]
    text = str(renderer.cookbook.tokenizer.decode(counted))
    return Row(item, tokens, trained[trained.index(True) :], len(text.encode()))
