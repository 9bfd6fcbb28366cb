"""Cleaned copies: the same rows in one form, nothing overwritten, nothing half."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.data.clean import clean
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import Row
from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.errors import PlanInvalid, Refused
from tests.fakes.format_examples import EXAMPLES

GOOD = b'{"input": "a", "output": "b"}\n'


def rows_of(path: Path) -> tuple[list[Row], Problems]:
    problems = Problems()
    return list(RowReader(path, None, problems)), problems


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_copy_holds_the_rows_of_its_source_whatever_their_format(tmp_path: Path, name: str) -> None:
    for number, (row, _, expected) in enumerate(EXAMPLES[name]):
        source, target = tmp_path / f"{number}.jsonl", tmp_path / f"{number}-clean.jsonl"
        source.write_text(json.dumps(row) + "\n")
        done = clean(source, target)
        assert (done.rows, done.left_out) == (1, 0)
        found, problems = rows_of(target)
        assert (found, problems.total) == ([expected], 0)


def test_bad_rows_are_left_out_and_named_and_the_source_is_as_it_was(tmp_path: Path) -> None:
    source, target = tmp_path / "rows.jsonl", tmp_path / "clean.jsonl"
    content = b"\xef\xbb\xbf" + GOOD + b'{"input": "a"\n\n' + GOOD
    source.write_bytes(content)
    done = clean(source, target)
    assert (done.kind, done.rows, done.left_out) == ("chat", 2, 2)
    assert [problem.line for problem in done.problems] == [2, 3]
    assert source.read_bytes() == content
    assert len(target.read_bytes().splitlines()) == 2


def test_a_file_can_be_cleaned_as_another_kind(tmp_path: Path) -> None:
    source, target = tmp_path / "rows.jsonl", tmp_path / "clean.jsonl"
    source.write_text(json.dumps({"question": "1+1", "answer": "So\n#### 2"}) + "\n")
    assert clean(source, target, kind="problem").kind == "problem"
    assert json.loads(target.read_text()) == {"prompt": [{"role": "user", "content": "1+1"}], "ground_truth": "2"}


def test_the_source_and_what_exists_are_never_overwritten(tmp_path: Path) -> None:
    source, other, link = tmp_path / "rows.jsonl", tmp_path / "other.jsonl", tmp_path / "link.jsonl"
    source.write_bytes(GOOD)
    other.write_bytes(b"precious")
    link.symlink_to(source)
    for target, what in ((source, "the source itself"), (link, "the source itself"), (other, "a file of that name")):
        with pytest.raises(Refused, match=what):
            clean(source, target)
    assert (source.read_bytes(), other.read_bytes()) == (GOOD, b"precious")


@pytest.mark.parametrize(
    ("content", "fields", "what"),
    [
        (b"", None, "holds no rows"),
        (b"{}\n", None, "of no known format"),
        (GOOD * 3 + b'{"x": 1}\n', FieldMap(data_format="preference"), "no field 'chosen'"),
    ],
)
def test_nothing_is_left_behind_when_there_is_nothing_to_write(
    tmp_path: Path, content: bytes, fields: Any, what: str
) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(content)
    with pytest.raises(PlanInvalid, match=what):
        clean(source, tmp_path / "clean.jsonl", fields)
    assert list(tmp_path.iterdir()) == [source]


def test_a_source_that_is_damaged_as_a_whole_gives_no_half_copy(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl.gz"
    source.write_bytes(gzip.compress(GOOD * 10000)[:-10])
    with pytest.raises(PlanInvalid, match="damaged or cut off"):
        clean(source, tmp_path / "clean.jsonl")
    assert list(tmp_path.iterdir()) == [source]


def test_a_folder_that_cannot_be_written_is_an_error_with_its_place(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(GOOD)
    with pytest.raises(Refused, match="cannot be written") as caught:
        clean(source, tmp_path / "none" / "clean.jsonl")
    assert caught.value.where == str(tmp_path / "none" / "clean.jsonl")
