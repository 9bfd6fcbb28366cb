"""Rows of one's own as a task of Inspect: the same prompts and grades as during training.

A sample is named by its content, so that an item is the same one for every checkpoint, wherever its row stands.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    Content,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    get_model,
)
from inspect_ai.scorer import Metric, Scorer, accuracy, mean, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.tool import ToolCall, ToolInfo, ToolParams

from tcao_tui.data.rows import Conversation, Message
from tcao_tui.data.score_rows import ScoreRow, read_score_rows
from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.errors import PlanInvalid, UsageError
from tcao_tui.probes.inspect_judge import bound_judge, judged, order_mattered, preferred
from tcao_tui.probes.inspect_scorers import graded, metrics_of

_VERSION_DIGITS = 12


@dataclass(frozen=True, slots=True)
class RowsTask:
    """What `tcao_tui/rows` was given; empty texts were not.

    Attributes:
        max_rows: The first ones of the file; None takes all.
    """

    file: Path
    grader: str
    max_rows: int | None
    max_tokens: int
    temperature: float
    data_format: str
    input_field: str
    output_field: str
    rubric: str
    opponents: Path | None

    @property
    def fields(self) -> FieldMap | None:
        """How the rows are read, as far as it was said."""
        said = {
            "data_format": self.data_format,
            "input_field": self.input_field,
            "output_field": self.output_field,
        }
        given = {name: text for name, text in said.items() if text}
        return FieldMap.model_validate({"data_format": "", **given}) if given else None


def as_text(given: object, name: str) -> str:
    """An argument as `-T` reads it, which splits text at commas and takes ": " for a mapping.

    Raises:
        UsageError: It was taken for something else than text.
    """
    match given:
        case str():
            return given
        case list():
            return ",".join(map(str, cast("list[object]", given)))
        case _:
            raise UsageError(
                f"it was read as {type(given).__name__}, not as text",
                where=f"-T {name}",
                next_step="quote it twice, such as -T 'grader=\"regex:answer: (.+)\"'",
            )


def build(wanted: RowsTask) -> Task:
    """The task.

    Raises:
        PlanInvalid: Bad rows, or a grader that does not take its argument.
        UsageError: There is no such grader.
    """
    found = read_score_rows(wanted.file, wanted.fields, wanted.max_rows)
    clustered = any(row.cluster for row in found.rows)
    scorer, metrics = _scorer(wanted, clustered=clustered)
    opponents = _opponents(wanted, found.rows)
    return Task(
        dataset=MemoryDataset(
            [_sample(row, opponents.get(row.item), clustered=clustered) for row in found.rows],
            name=wanted.file.stem,
            location=str(wanted.file),
        ),
        solver=answer(),
        scorer=scorer,
        metrics=[*metrics],
        config=GenerateConfig(max_tokens=wanted.max_tokens, temperature=wanted.temperature),
        version=found.report.sha256[:_VERSION_DIGITS],
        display_name=wanted.file.name,
    )


def _scorer(wanted: RowsTask, *, clustered: bool) -> tuple[Scorer, Sequence[Metric]]:
    """What grades the rows. A judge that nobody named is refused here, before anything is paid."""
    error = stderr(cluster="cluster") if clustered else stderr()
    match wanted.grader:
        case "model":
            bound_judge()
            return judged(wanted.rubric), [accuracy(), error]
        case "pairwise":
            bound_judge()
            return preferred(wanted.rubric), [mean(), error, order_mattered()]
        case spec:
            return graded(spec), metrics_of(spec, clustered=clustered)


def _opponents(wanted: RowsTask, rows: Sequence[ScoreRow]) -> dict[str, str]:
    """Answers to beat by item, where there are any: of the row with the same prompt."""
    if wanted.opponents is None:
        return {}
    found = {_prompt_key(row): row.reference for row in read_score_rows(wanted.opponents, wanted.fields, None).rows}
    missing = [row for row in rows if _prompt_key(row) not in found]
    if missing:
        raise PlanInvalid(
            f"{len(missing)} of {len(rows)} rows have no answer to beat, the first in line {missing[0].line}",
            where=str(wanted.opponents),
            next_step="write a row with the same prompt for each of them",
        )
    return {row.item: found[_prompt_key(row)] for row in rows}


def _prompt_key(row: ScoreRow) -> str:
    return json.dumps([row.prompt, row.tools], sort_keys=True)


@solver
def answer() -> Solver:
    """One answer, with the tools of the row offered; calls of them are not carried out."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        tools = [_tool(spec) for spec in state.metadata.get("tools", ())]
        if not tools:
            return await generate(state, tool_calls="none")
        # `state.tools` takes only tools that could be carried out, with every parameter described.
        state.output = await get_model().generate(state.messages, tools)
        state.messages.append(state.output.message)
        return state

    return solve


def _sample(row: ScoreRow, opponent: str | None, *, clustered: bool) -> Sample:
    metadata: dict[str, Any] = {"line": row.line}
    if clustered:
        metadata["cluster"] = row.cluster or row.item
    if row.tags:
        metadata["tags"] = list(row.tags)
    if opponent is not None:
        metadata["opponent"] = opponent
    if row.tools:
        metadata["tools"] = list(row.tools)
    return Sample(input=_input(row.prompt), target=row.reference, id=row.item, metadata=metadata)


def _input(prompt: Conversation) -> str | list[ChatMessage]:
    match prompt:
        case [{"role": "user", "content": str() as text}]:
            return text
        case _:
            return [_message(turn) for turn in prompt]


def _message(turn: Message) -> ChatMessage:
    content = _content(turn["content"])
    match turn["role"]:
        case "system":
            return ChatMessageSystem(content=content)
        case "assistant":
            calls = [_call(call, number) for number, call in enumerate(turn.get("tool_calls", ()))]
            return ChatMessageAssistant(content=content, tool_calls=calls or None)
        case "tool":
            return ChatMessageTool(content=content, tool_call_id=turn.get("tool_call_id"), function=turn.get("name"))
        case _:
            return ChatMessageUser(content=content)


def _content(content: str | Sequence[Message]) -> str | list[Content]:
    if isinstance(content, str):
        return content
    return [
        ContentReasoning(reasoning=part["thinking"]) if part["type"] == "thinking" else ContentText(text=part["text"])
        for part in content
    ]


def _call(call: Message, number: int) -> ToolCall:
    function = call["function"]
    return ToolCall(
        id=call.get("id") or f"call_{number}",
        function=function["name"],
        arguments=cast("dict[str, Any]", json.loads(function["arguments"])),
    )


def _tool(spec: dict[str, Any]) -> ToolInfo:
    parameters: dict[str, Any] = spec["parameters"]
    # Inspect would add that there are no further properties, which training does not say.
    further = parameters.get("additionalProperties")
    return ToolInfo(
        name=spec["name"],
        description=spec["description"],
        parameters=ToolParams.model_validate({**parameters, "additionalProperties": further}),
    )
