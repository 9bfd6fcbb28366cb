"""What every data format keeps, ours and those that others register: found by itself, read in full, refusing by row."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcao_tui.data.formats import FORMATS
from tcao_tui.data.formats.recognise import recognise_format
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import KINDS, ChatRow, ProblemRow, PromptRow, Row, RowRejected
from tcao_tui.domain.data_profile import FieldMap, RowKind
from tests.fakes.format_examples import CALL, EXAMPLES, SYSTEM, TOOL, WITH_TOOLS, turns

ALL = [(name, *example) for name, examples in EXAMPLES.items() for example in examples]

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("messages", {"messages": [*WITH_TOOLS[:1], *WITH_TOOLS[2:]]}, "'c1' answers no earlier call"),
    ("messages", {"messages": [{"role": "assistant", "content": None}]}, "content is missing"),
    (
        "messages",
        {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}]},
        "the arguments are not a JSON object",
    ),
    ("messages", {"messages": [{"role": "assistant", "tool_calls": [CALL, CALL]}]}, "has an id twice"),
    ("messages", {"messages": [{"role": "user", "content": "x", "thinking": "y"}]}, "tool calls or thinking"),
    ("messages", {"messages": turns("a", "b"), "tools": "no json"}, "'tools' is text that is no JSON"),
    ("messages", {"messages": turns("a", "b"), "tools": [{"type": "function"}]}, "tools[0] is no description"),
    ("messages", {"messages": [SYSTEM, *turns("a", "b")], "system": "be rude"}, "two different system prompts"),
    ("alpaca", {"instruction": "a", "output": "b", "history": [["c", "d"]]}, "has a 'history'"),
    ("preference", {"prompt": "q", "chosen": "same", "rejected": "same"}, "chosen and rejected are the same"),
    ("preference", {"chosen": "good", "rejected": "bad"}, "do not begin with the same prompt"),
    ("preference", {"chosen": turns("q", "a", "more"), "rejected": turns("q", "b")}, "does not end with the assistant"),
    ("preference", {"prompt": "q", "chosen": "a", "rejected": "b", "tools": [TOOL]}, "offers tools"),
    ("prompt", {"prompt": "q", "tools": [TOOL]}, "offers tools"),
    ("messages", {"messages": turns("q"), "tools": [TOOL]}, "offers tools"),
    ("scored_completions", {"prompt": "q", "completions": ["a", "b"], "scores": [2, 2]}, "the same score"),
    ("scored_completions", {"prompt": "q", "completions": ["a", "b"], "scores": [2]}, "not one score for each"),
    ("scored_completions", {"prompt": "q", "completions": ["a", "b"], "scores": [2, "N/A"]}, "has the score 'N/A'"),
    ("problem", {"problem": "q", "answer": " "}, "'answer' is empty"),
    ("problem", {"problem": "q", "answer": float(2**60)}, "a number that JSON readers round"),
]


def test_every_format_has_examples_here() -> None:
    assert set(EXAMPLES) == set(FORMATS.names())


@pytest.mark.parametrize(("name", "row", "mapping", "expected"), ALL)
def test_a_row_is_found_mapped_and_read_without_being_told(
    name: str, row: dict[str, Any], mapping: dict[str, str], expected: Row
) -> None:
    before = copy.deepcopy(row)
    reading = recognise_format([row], None, None)
    assert reading.fields == FieldMap(data_format=name, **mapping)
    assert reading.read(row) == expected
    assert row == before
    assert reading.kind == KINDS[type(expected)] == reading.kinds[0]
    assert reading.kind in FORMATS.load(name).kinds


@pytest.mark.parametrize(("name", "row", "mapping", "expected"), ALL)
def test_columns_that_mean_nothing_here_change_nothing(
    name: str, row: dict[str, Any], mapping: dict[str, str], expected: Row
) -> None:
    reading = recognise_format([{"id": 1, **row, "source": "web", "meta": {"a": [None]}}], None, None)
    assert reading.fields == FieldMap(data_format=name, **mapping)
    assert reading.read(row) == expected


@pytest.mark.parametrize(("name", "row", "mapping", "expected"), ALL)
def test_columns_of_other_names_are_read_when_told_so(
    name: str, row: dict[str, Any], mapping: dict[str, str], expected: Row
) -> None:
    used = {"input_field": "input", "output_field": "output", **mapping}
    if any("." in field for field in used.values()) or name in {"alpaca", "marked_answer"}:
        return
    renamed = {used[key]: f"my_{key}" for key in used if used[key] in row}
    other = {renamed.get(key, key): value for key, value in row.items()}
    told = FieldMap(data_format=name, **{key: renamed.get(field, field) for key, field in used.items()})
    if name == "preference" and mapping["input_field"] == "chosen":
        told = told.model_copy(update={"chosen_field": told.input_field})
    assert recognise_format([other], told, None).read(other) == expected


@pytest.mark.parametrize(("name", "row", "what"), REFUSED)
def test_what_cannot_be_used_is_refused_with_a_fix(name: str, row: dict[str, Any], what: str) -> None:
    found = recognise_format([row], None, None).fields
    assert found is not None
    assert found.data_format == name
    with pytest.raises(RowRejected) as caught:
        FORMATS.load(name)().read(row, found)
    assert what in caught.value.what
    assert caught.value.fix


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("name", FORMATS.names())
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_value_anywhere_is_read_or_refused(name: str, data: st.DataObject) -> None:
    example, _, _ = data.draw(st.sampled_from(EXAMPLES[name]))
    row = copy.deepcopy(example)
    for key in data.draw(st.sets(st.sampled_from(list(example)), min_size=1)):
        row[key] = _with_a_change(row[key], data)
    for each in (FORMATS.load(other)() for other in FORMATS.names()):
        found = each.find(row, FieldMap(data_format=""))
        for fields in (found, FieldMap(data_format=each.name)):
            if fields is None:
                continue
            with contextlib.suppress(RowRejected):
                assert KINDS[type(each.read(row, fields))] in each.kinds


def _with_a_change(value: Any, data: st.DataObject) -> Any:
    """A row with one value in it, at any depth, replaced or left out."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 3)) == 0:
        return data.draw(JSON_VALUES)
    key = data.draw(st.sampled_from(list(value) if isinstance(value, dict) else range(len(value))))
    if data.draw(st.integers(0, 3)) == 0:
        del value[key]
    else:
        value[key] = _with_a_change(value[key], data)
    return value


# Kinds: what a file may be used for


def read_as(tmp_path: Path, kind: RowKind | None, *rows: dict[str, Any], fields: FieldMap | None = None) -> RowReader:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    reader = RowReader(path, fields, Problems(), kind=kind)
    for _ in reader:
        pass
    return reader


@pytest.mark.parametrize("name", ["preference", "scored_completions", "problem", "marked_answer", "prompt"])
def test_rows_of_another_kind_are_never_taken_for_conversations(tmp_path: Path, name: str) -> None:
    for row, _, _ in EXAMPLES[name]:
        reader = read_as(tmp_path, "chat", row, row)
        assert (reader.rows, reader.problems.total, reader.problems.first[0].line) == (0, 1, 0)
        assert f"holds {FORMATS.load(name).holds}, not conversations to imitate" == reader.problems.first[0].what


@pytest.mark.parametrize(
    ("name", "number", "conversation"), [("preference", 0, turns("q", "good")), ("problem", 0, turns("1+1", "2"))]
)
def test_the_fix_of_the_refusal_says_how_to_have_them_anyway(
    tmp_path: Path, name: str, number: int, conversation: list[dict[str, Any]]
) -> None:
    row = EXAMPLES[name][number][0]
    fix = read_as(tmp_path, "chat", row).problems.first[0].fix
    said = dict(part.strip().split(": ") for part in fix.partition(", set ")[2].split(","))
    reader = RowReader(tmp_path / "rows.jsonl", FieldMap(**said), Problems(), kind="chat")
    assert list(reader) == [ChatRow(conversation)]


def test_a_question_with_a_final_answer_is_a_conversation_and_a_problem(tmp_path: Path) -> None:
    rows = [{"question": "1+1", "answer": "One and one.\n#### 2"}, {"question": "2+2", "answer": r"\boxed{4}"}]
    assert read_as(tmp_path, None, *rows).kinds == ("chat", "problem", "prompt")
    reader = RowReader(tmp_path / "rows.jsonl", None, Problems(), kind="problem")
    assert list(reader) == [ProblemRow(turns("1+1"), "2"), ProblemRow(turns("2+2"), "4")]


def test_a_row_without_a_final_answer_among_others_is_a_bad_problem(tmp_path: Path) -> None:
    rows = [{"question": "1+1", "answer": "#### 2"}, {"question": "why", "answer": "because"}]
    reader = read_as(tmp_path, "problem", *rows)
    assert (reader.rows, [problem.line for problem in reader.problems.first]) == (1, [2])
    assert read_as(tmp_path, None, *rows).kinds == ("chat", "prompt")


def test_answers_without_a_mark_are_checked_whole_when_told_so(tmp_path: Path) -> None:
    row = {"question": "Capital of Italy?", "answer": "Rome"}
    refused = read_as(tmp_path, "problem", row)
    assert "data_format: problem" in refused.problems.first[0].fix
    told = FieldMap(data_format="problem", input_field="question", output_field="answer")
    reader = RowReader(tmp_path / "rows.jsonl", told, Problems(), kind="problem")
    assert list(reader) == [ProblemRow(turns("Capital of Italy?"), "Rome")]


@pytest.mark.parametrize("name", EXAMPLES)
def test_prompts_are_had_from_every_format(tmp_path: Path, name: str) -> None:
    row, _, _ = EXAMPLES[name][0]
    reader = read_as(tmp_path, None, row)
    assert "prompt" in reader.kinds
    (prompt,) = RowReader(tmp_path / "rows.jsonl", None, Problems(), kind="prompt")
    assert isinstance(prompt, PromptRow)
    assert prompt.prompt[-1]["role"] == "user"


def test_the_shape_of_most_of_the_first_rows_decides_and_others_are_named(tmp_path: Path) -> None:
    odd, usual = EXAMPLES["messages"][0][0], EXAMPLES["input_output"][0][0]
    reader = read_as(tmp_path, None, odd, usual, usual, odd, usual)
    assert (reader.fields, reader.rows) == (FieldMap(data_format="input_output"), 3)
    assert [problem.line for problem in reader.problems.first] == [1, 4]
    assert "has the shape of 'messages'" in reader.problems.first[0].what
