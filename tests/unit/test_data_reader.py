"""Reading JSONL: what is accepted, and that each bad row is named by line with its fix."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.data.check import DataReport, check_file, fields_of
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import ChatRow
from tcao_tui.domain.data_profile import METHOD_KINDS, FieldMap
from tcao_tui.domain.method_params import METHOD_PARAMS
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import PlanInvalid

GOOD = b'{"input": "a", "output": "b"}\n'


def config(path: Path, **changes: Any) -> TrainingConfig:
    return TrainingConfig(base_model="m", run_name="r", train_file=path, learning_rate=1e-3, **changes)


def check(tmp_path: Path, content: bytes, **changes: Any) -> DataReport:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    return check_file(path, fields_of(config(path, **changes)))


def test_rows_bytes_format_and_hash_are_those_of_the_file(tmp_path: Path) -> None:
    report = check(tmp_path, GOOD * 3)
    assert (report.rows, report.kind, report.bytes, report.error_count) == (3, "chat", len(GOOD) * 3, 0)
    assert report.sha256 == hashlib.sha256(GOOD * 3).hexdigest()


def test_mapped_fields_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"question": "1+1", "answer": "2", "id": 7}) + "\n")
    assert list(
        RowReader(path, FieldMap(data_format="", input_field="question", output_field="answer"), Problems())
    ) == [ChatRow([{"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2"}])]


def test_messages_keep_roles_and_contents_only(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    turns = [{"role": "system", "content": "s"}, {"role": "assistant", "content": "é", "name": "x"}]
    path.write_text(json.dumps({"messages": turns}) + "\n")
    rows = list(RowReader(path, None, Problems()))
    assert rows == [ChatRow([{"role": "system", "content": "s"}, {"role": "assistant", "content": "é"}])]


@pytest.mark.parametrize(
    ("bad", "what", "fix"),
    [
        (b"\n", "blank line", "remove it"),
        (b"   \t \n", "blank line", "remove it"),
        (b'{"input": "\xff", "output": "b"}\n', "byte 12 (0xff) is not UTF-8", "UTF-8"),
        (b'{"input": "a\x00", "output": "b"}\n', "NUL", "write it again"),
        (b'{"input": "a", "input": "c", "output": "b"}\n', "key 'input' appears twice", "keep one"),
        (b'{"input": "a" "output": "b"}\n', "not JSON: Expecting ',' delimiter at column 15", "one JSON object"),
        (b'["a", "b"]\n', "a JSON list, not an object", "one JSON object"),
        (b'{"output": "b"}\n', "no field 'input'; the row has: 'output'", "input_field"),
        (b'{"input": 3, "output": "b"}\n', "'input' is a int, not text", "string"),
        (b'{"input": null, "output": "b"}\n', "'input' is missing", "string"),
        (b'{"input": "\\ud800", "output": "b"}\n', "half of a surrogate pair", "whole character"),
        pytest.param(b"[" * 100_000 + b"\n", "nested too deeply", "flat", id="nested"),
    ],
)
def test_a_bad_row_is_named_by_line_with_what_is_wrong_and_the_fix(
    tmp_path: Path, bad: bytes, what: str, fix: str
) -> None:
    report = check(tmp_path, GOOD + bad + GOOD)
    assert report.rows == 2
    assert [problem.line for problem in report.errors] == [2]
    assert what in report.errors[0].what
    assert fix in report.errors[0].fix


@pytest.mark.parametrize(
    ("messages", "what"),
    [
        ([], "not a list of turns"),
        ("hello", "not a list of turns"),
        ([3], "messages[0] is not an object"),
        ([{"role": "robot", "content": "x"}], "messages[0].role is 'robot'"),
        ([{"role": "user", "content": 3}], "messages[0].content is a int, not text"),
        ([{"role": "user", "content": ["x"]}], "messages[0].content[0] is a str"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "messages[0].content[0] is a image_url"),
        ([{"role": "user", "content": "x", "images": ["a"]}], "messages[0] has 'images'"),
        ([{"role": "assistant", "content": "x", "weight": 0}], "marked as not trained ('weight')"),
        ([{"role": "assistant", "content": "x", "tool_calls": [1]}], "messages[0].tool_calls[0] names no function"),
        ([{"role": "user", "content": "x"}], "does not end with the assistant's turn"),
    ],
)
def test_a_bad_conversation_is_refused_with_its_place(tmp_path: Path, messages: object, what: str) -> None:
    report = check(tmp_path, json.dumps({"messages": messages}).encode() + b"\n")
    assert what in report.errors[0].what


def test_a_torn_last_line_is_told_from_bad_json(tmp_path: Path) -> None:
    report = check(tmp_path, GOOD + b'{"input": "a", "out')
    assert report.errors[0].line == 2
    assert "ends inside this row" in report.errors[0].what


def test_a_last_line_without_newline_counts_when_it_is_whole(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD + GOOD.rstrip()).rows == 2


def test_byte_order_mark_and_crlf_are_accepted_and_noted(tmp_path: Path) -> None:
    report = check(tmp_path, b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n") * 2)
    assert (report.rows, report.error_count) == (2, 0)
    assert report.notes == ("starts with a byte order mark", "lines end in CRLF")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_read_and_noted(tmp_path: Path, encoding: str) -> None:
    report = check(tmp_path, ('{"input": "ä\U0001f600", "output": "b"}\r\n' * 5).encode(encoding))
    assert (report.rows, report.error_count) == (5, 0)
    assert report.notes[0].startswith(f"is {encoding[:6].upper()}")


def test_the_first_hundred_problems_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    report = check(tmp_path, GOOD + b"{}\n" * 250)
    assert (len(report.errors), report.error_count) == (100, 250)
    with pytest.raises(PlanInvalid) as caught:
        report.raise_if_bad()
    assert "250 rows cannot be used" in caught.value.what
    assert "... and 150 more" in caught.value.what
    assert f"{tmp_path / 'rows.jsonl'}:2: " in caught.value.what


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf"])
def test_a_file_without_rows_is_an_error(tmp_path: Path, content: bytes) -> None:
    assert check(tmp_path, content).error_count == 1


def test_a_missing_file_is_an_error_of_the_file(tmp_path: Path) -> None:
    report = check_file(tmp_path / "none.jsonl", config(tmp_path / "none.jsonl"))
    assert [(p.line, p.what) for p in report.errors] == [(0, "cannot be read: No such file or directory")]


def test_rows_of_another_format_than_the_first_are_errors(tmp_path: Path) -> None:
    report = check(tmp_path, GOOD + b'{"messages": [{"role": "user", "content": "x"}]}\n')
    assert report.fields == FieldMap(data_format="input_output")
    assert [problem.line for problem in report.errors] == [2]
    assert "has the shape of 'messages', and the file that of 'input_output'" in report.errors[0].what


def test_a_file_of_unknown_fields_says_which_there_are(tmp_path: Path) -> None:
    report = check(tmp_path, b'{"frage": "a", "antwort": "b"}\n')
    assert "the row has: 'frage', 'antwort'" in report.errors[0].what
    assert "input_field" in report.errors[0].fix


def test_rows_are_recognised_after_any_number_of_bad_ones(tmp_path: Path) -> None:
    report = check(tmp_path, b"garbage\n" * 250 + GOOD + b"\n" + GOOD)
    assert (report.rows, report.error_count) == (2, 251)
    assert [problem.line for problem in report.errors] == list(range(1, 101))


def test_one_name_is_enough_when_the_other_is_in_use(tmp_path: Path) -> None:
    row = b'{"frage": "a", "antwort": "b", "prompt": "c", "answer": "d"}\n'
    by_prompt = check(tmp_path, row, input_field="frage").fields
    by_answer = check(tmp_path, row, output_field="antwort").fields
    assert by_prompt == FieldMap(data_format="input_output", input_field="frage", output_field="answer")
    assert by_answer == FieldMap(data_format="input_output", input_field="prompt", output_field="antwort")


def test_names_that_were_given_and_are_not_there_are_not_replaced(tmp_path: Path) -> None:
    report = check(tmp_path, b'{"question": "a", "answer": "b"}\n', input_field="frage", output_field="antwort")
    assert "of no known format; the row has: 'question', 'answer'" in report.errors[0].what


def test_a_format_that_does_not_exist_is_an_error_of_the_config(tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid, match="no data format 'parket'") as caught:
        check(tmp_path, GOOD, data_format="parket")
    assert caught.value.where == "training.data_format"


def test_a_config_says_how_rows_are_read(tmp_path: Path) -> None:
    training = config(tmp_path / "x", input_field="q", output_field="a", data_format="input_output")
    assert fields_of(training) == FieldMap(data_format="input_output", input_field="q", output_field="a")


def test_the_kind_of_rows_is_known_for_every_method() -> None:
    assert METHOD_KINDS.keys() == METHOD_PARAMS.keys()
