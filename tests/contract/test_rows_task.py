"""Rows of one's own as a task of Inspect, answered by the real SDK from the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval_async
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import ChatMessageAssistant, ChatMessageTool, get_model

from tcao_tui import paths
from tcao_tui.errors import PlanInvalid, UsageError
from tcao_tui.probes.inspect_entry import rows

pytestmark = pytest.mark.usefixtures("inspect_places")

QUESTIONS = [
    {"input": "What is 1 + 1?", "output": "2", "document": "sums", "tags": ["easy", "format"]},
    {"input": "What is 2 + 2?", "output": "4", "document": "sums"},
    {"input": "Name a city.", "output": "Paris"},
]


def written(path: Path, records: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)


async def evaluated(log_dir: Path, file: str, **arguments: Any) -> EvalLog:
    model = get_model(f"tcao/{paths.TINY_MODEL_NAME}", profile="local", memoize=False)
    async with model:
        [log] = await eval_async(rows(file, **arguments), model=model, log_dir=str(log_dir / "logs"))
    return read_eval_log(log.location)


async def test_rows_are_asked_greedily_and_each_item_has_its_place_its_tags_and_its_cluster(tmp_path: Path) -> None:
    log = await evaluated(tmp_path, written(tmp_path / "own.jsonl", QUESTIONS), grader="includes", max_tokens=6)
    assert log.status == "success", log.error
    assert log.eval.dataset.name == "own"
    assert (log.plan.config.temperature, log.plan.config.max_tokens) == (0.0, 6)
    assert log.samples is not None
    first, second, third = sorted(log.samples, key=lambda sample: sample.metadata["line"])
    assert first.metadata == {"line": 1, "cluster": "sums", "tags": ["easy", "format"]}
    assert second.metadata["cluster"] == "sums"
    assert third.metadata["cluster"] == third.id
    assert all(sample.output.usage and sample.output.usage.output_tokens <= 6 for sample in log.samples)
    assert log.results is not None
    assert {"accuracy", "stderr"} <= log.results.scores[0].metrics.keys()


def test_an_item_keeps_its_name_when_rows_are_moved_and_a_copy_gets_its_own(tmp_path: Path) -> None:
    forth = rows(written(tmp_path / "forth.jsonl", QUESTIONS))
    back = rows(written(tmp_path / "back.jsonl", [*reversed(QUESTIONS), QUESTIONS[0]]))
    first = [sample.id for sample in forth.dataset]
    assert [sample.id for sample in back.dataset] == [*reversed(first), f"{first[0]}-2"]
    assert forth.version != back.version


def test_another_answer_makes_another_item(tmp_path: Path) -> None:
    changed = [{**QUESTIONS[0], "output": "3"}]
    ids = [rows(written(tmp_path / "rows.jsonl", found)).dataset[0].id for found in (QUESTIONS, changed)]
    assert ids[0] != ids[1]


async def test_turns_and_tools_of_a_row_reach_the_model(tmp_path: Path) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
    tool = {"type": "function", "function": {"name": "weather", "description": "Now.", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}  # fmt: skip
    turns = [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Rome?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "Sun.", "tool_call_id": "c1", "name": "weather"},
        {"role": "assistant", "content": "Sunny."},
    ]
    log = await evaluated(tmp_path, written(tmp_path / "tools.jsonl", [{"messages": turns, "tools": [tool]}]))
    assert log.status == "success", log.error
    assert log.samples is not None
    [sample] = log.samples
    assert isinstance(sample.input, list)
    assert [message.role for message in sample.input] == ["system", "user", "assistant", "tool"]
    assert isinstance(sample.input[2], ChatMessageAssistant)
    assert sample.input[2].tool_calls is not None
    assert sample.input[2].tool_calls[0].arguments == {"city": "Rome"}
    assert isinstance(sample.input[3], ChatMessageTool)
    assert sample.input[3].tool_call_id == "c1"
    assert sample.target == "Sunny."
    [asked] = [event for event in sample.events if event.event == "model"]
    assert [tool.name for tool in asked.tools] == ["weather"]


def test_problems_are_read_as_in_training_and_columns_can_be_named(tmp_path: Path) -> None:
    file = written(tmp_path / "problems.jsonl", [{"problem": "1 + 1?", "answer": "It is #### 2", "why": "sum"}])
    assert rows(file, grader="numeric").dataset[0].target == "2"
    named = rows(file, data_format="input_output", input_field="problem", output_field="why")
    assert named.dataset[0].target == "sum"


@pytest.mark.parametrize(
    ("record", "options", "error"),
    [
        ({"nothing": 1}, {}, PlanInvalid),
        ({"input": "a", "output": "b"}, {"grader": "regex:no group"}, PlanInvalid),
        ({"input": "a", "output": "b"}, {"grader": "exakt"}, UsageError),
        ({"input": "a", "output": "b"}, {"grader": {"regex:answer": "(.+)"}}, UsageError),
    ],
)
def test_what_will_not_do_is_refused_before_anything_is_asked(
    record: dict[str, Any], options: dict[str, Any], error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error):
        rows(written(tmp_path / "rows.jsonl", [record]), **options)


def test_a_grader_that_was_split_at_its_commas_is_whole_again(tmp_path: Path) -> None:
    file = written(tmp_path / "rows.jsonl", [{"input": "a", "output": '{"a": 1, "b": 2}'}])
    assert rows(file, grader=["json:a", "b"])
