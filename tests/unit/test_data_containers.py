"""Every container, plain and compressed: the same rows, each bad one at its line, and reading goes on after it."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from tcao_tui.data.containers.port import LONGEST_ROW_BYTES
from tcao_tui.data.containers.source import PIECE_BYTES
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import ChatRow

ROWS = [
    {"input": "one\nline", "output": 'say "ä", {b}'},
    {"input": "", "output": "[, ]"},
    {"input": "back\\slash\\", "output": "😀"},
]


def as_csv(rows: Sequence[dict[str, str]], delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["input", "output"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows: Sequence[dict[str, str]]) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(list(rows)), file, row_group_size=2)
    return file.getvalue()


def as_jsonl(rows: Sequence[dict[str, str]]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


WRITERS: dict[str, Callable[[Sequence[dict[str, str]]], bytes]] = {
    "rows.jsonl": as_jsonl,
    "rows.json": lambda rows: json.dumps(list(rows), indent=1).encode(),
    "wrapped.json": lambda rows: json.dumps({"version": [1], "data": list(rows), "more": {}}).encode(),
    "one_after_the_other.json": lambda rows: "\n".join(json.dumps(row, indent=2) for row in rows).encode(),
    "rows.csv": as_csv,
    "rows.tsv": lambda rows: as_csv(rows, "\t"),
    "rows.parquet": as_parquet,
}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda content: content,
    ".gz": gzip.compress,
    ".zst": lambda content: zstandard.compress(content),
}


def read(path: Path, content: bytes) -> tuple[RowReader, list[tuple[int, tuple[str, str]]]]:
    """The reader when it is done, and each row's line, prompt and answer."""
    path.write_bytes(content)
    reader = RowReader(path, None, Problems())
    found: list[tuple[int, tuple[str, str]]] = []
    for row in reader:
        assert isinstance(row, ChatRow)
        found.append((reader.line, (row.conversation[0]["content"], row.conversation[1]["content"])))
    return reader, found


def bad_lines(reader: RowReader) -> list[int]:
    return [problem.line for problem in reader.problems.first]


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("name", WRITERS)
def test_the_same_rows_come_out_of_every_container(tmp_path: Path, name: str, packing: str) -> None:
    content = PACKERS[packing](WRITERS[name](ROWS))
    path = tmp_path / (name + packing)
    path.write_bytes(content)
    digest = hashlib.sha256()
    reader = RowReader(path, None, Problems(), digest)
    rows = [row.conversation for row in reader if isinstance(row, ChatRow)]
    assert [[turn["content"] for turn in turns] for turns in rows] == [list(row.values()) for row in ROWS]
    assert (reader.container, reader.compression) == (path.name.split(".")[1], packing[1:])
    assert (reader.columns, reader.problems.total) == ({"input": 3, "output": 3}, 0)
    assert (digest.hexdigest(), reader.bytes_read) == (hashlib.sha256(content).hexdigest(), len(content))


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv"])
def test_rows_over_many_pieces_come_out_whole(tmp_path: Path, name: str) -> None:
    rows = [{"input": f"{index} " + 'a"\\\n' * 3000, "output": "b" * (index % 7)} for index in range(300)]
    content = WRITERS[name](rows)
    assert len(content) > 2 * PIECE_BYTES
    reader, found = read(tmp_path / name, content)
    assert [pair for _, pair in found] == [(row["input"], row["output"]) for row in rows]
    assert not reader.problems.total


def test_content_is_believed_before_the_extension_and_the_difference_noted(tmp_path: Path) -> None:
    reader, found = read(tmp_path / "rows.jsonl", WRITERS["rows.json"](ROWS))
    assert (reader.container, len(found)) == ("json", 3)
    assert reader.notes == ["is named .jsonl and holds JSON, read as such"]
    packed, _ = read(tmp_path / "packed.jsonl", gzip.compress(as_jsonl(ROWS)))
    assert (packed.compression, packed.rows) == ("gz", 3)
    lines, _ = read(tmp_path / "lines.json", as_jsonl(ROWS))
    assert (lines.container, lines.rows) == ("jsonl", 3)


# JSON


def test_a_broken_row_of_a_list_is_one_bad_row_at_its_line(tmp_path: Path) -> None:
    content = b"""[
  {"input": "a", "output": "1"},
  {"input": "b",
   "output" "2"},
  7, "x",
  {"input": "c", "output": "3", "output": "4"},

  {"input": "d", "output": "5"}
]"""
    reader, found = read(tmp_path / "rows.json", content)
    assert found == [(2, ("a", "1")), (8, ("d", "5"))]
    assert bad_lines(reader) == [3, 5, 5, 6]
    assert "column 13 of its line 2" in reader.problems.first[0].what


def test_a_list_that_is_cut_off_is_said_so(tmp_path: Path) -> None:
    whole, found = read(tmp_path / "rows.json", b'[{"input": "a", "output": "b"},\n')
    assert (len(found), bad_lines(whole)) == (1, [2])
    assert "ends before its list does" in whole.problems.first[0].what
    torn, found = read(tmp_path / "torn.json", b'[{"input": "a", "output": "b"},\n{"inp')
    assert (len(found), bad_lines(torn)) == (1, [2])
    assert "ends inside this row" in torn.problems.first[0].what


def test_a_single_conversation_is_one_row_and_not_a_list_of_turns(tmp_path: Path) -> None:
    content = json.dumps({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})
    reader, found = read(tmp_path / "row.json", content.encode())
    assert (found, reader.fields and reader.fields.data_format) == ([(1, ("a", "b"))], "messages")


# CSV


def test_a_row_of_csv_is_named_by_the_line_in_which_it_begins(tmp_path: Path) -> None:
    content = b'input,output\r\n"a\r\nb",c\r\nonly one\r\n"d ""e""",f\r\n\r\ng,h\r\n'
    reader, found = read(tmp_path / "rows.csv", content)
    assert found == [(2, ("a\r\nb", "c")), (5, ('d "e"', "f")), (7, ("g", "h"))]
    assert [(p.line, p.what) for p in reader.problems.first] == [
        (4, "has 1 field, and the header 2"),
        (6, "blank line"),
    ]
    assert reader.notes == ["lines end in CRLF"]


@pytest.mark.parametrize(
    ("name", "delimiter", "note"),
    [("a.csv", ";", ";"), ("b.csv", "\t", "tab"), ("c.tsv", ",", "comma"), ("d.csv", "|", "|")],
)
def test_an_unusual_delimiter_is_found_and_noted(tmp_path: Path, name: str, delimiter: str, note: str) -> None:
    reader, found = read(tmp_path / name, as_csv(ROWS, delimiter))
    assert len(found) == 3
    assert reader.notes[-1] == f"columns are separated by {note}"


def test_bytes_that_are_no_text_make_one_bad_row_of_csv(tmp_path: Path) -> None:
    content = b'input,output\na,"b\n\xff"\nc,d\ne,\x00f\n'
    reader, found = read(tmp_path / "rows.csv", content)
    assert found == [(4, ("c", "d"))]
    assert [(p.line, p.what) for p in reader.problems.first] == [
        (2, "byte 1 of line 3 (0xff) is not UTF-8"),
        (5, "contains a NUL byte"),
    ]


def test_cells_may_hold_json(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    content = 'id,messages\n1,"' + json.dumps(turns).replace('"', '""') + '"\n'
    _, found = read(tmp_path / "rows.csv", content.encode())
    assert found == [(2, ("a", "b"))]


def test_a_header_with_a_name_twice_is_a_problem_of_the_file(tmp_path: Path) -> None:
    reader, found = read(tmp_path / "rows.csv", b"input,input\na,b\n")
    assert not found
    assert [(p.line, p.what) for p in reader.problems.first] == [(0, "two columns are called 'input'")]


# Parquet


def test_a_row_of_parquet_is_named_by_its_number(tmp_path: Path) -> None:
    rows = [*ROWS, {"input": None, "output": "b"}, *ROWS]
    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), file)
    reader, found = read(tmp_path / "rows.parquet", file.getvalue())
    assert [line for line, _ in found] == [1, 2, 3, 5, 6, 7]
    assert bad_lines(reader) == [4]


def test_text_of_parquet_that_is_no_utf_8_makes_one_bad_row(tmp_path: Path) -> None:
    offsets = pa.array([0, 1, 2, 3], pa.int32()).buffers()[1]
    column = pa.StringArray.from_buffers(3, offsets, pa.py_buffer(b"a\xffc"))
    file = io.BytesIO()
    parquet.write_table(pa.table({"input": column, "output": ["x", "y", "z"]}), file)
    reader, found = read(tmp_path / "rows.parquet", file.getvalue())
    assert ([line for line, _ in found], bad_lines(reader)) == ([1, 3], [2])


def test_damaged_parquet_is_a_problem_of_the_file(tmp_path: Path) -> None:
    reader, found = read(tmp_path / "rows.parquet", as_parquet(ROWS)[:-30])
    assert (found, bad_lines(reader)) == ([], [0])
    assert "Parquet data are damaged" in reader.problems.first[0].what


# Compression


@pytest.mark.parametrize("packing", [".gz", ".zst"])
def test_a_compressed_file_that_is_cut_off_gives_its_rows_and_says_so(tmp_path: Path, packing: str) -> None:
    rows = [{"input": hashlib.sha256(str(n).encode()).hexdigest() * 9, "output": str(n)} for n in range(5000)]
    content = PACKERS[packing](as_jsonl(rows))
    reader, found = read(tmp_path / f"rows.jsonl{packing}", content[: len(content) // 2])
    assert reader.problems.first[-1].line == 0
    assert "cut off" in reader.problems.first[-1].what
    assert 0 < len(found) < 5000


def test_zstd_of_many_frames_is_read_to_its_end(tmp_path: Path) -> None:
    frames = [zstandard.ZstdCompressor(write_checksum=True).compress(as_jsonl([row])) for row in ROWS]
    skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc"
    reader, found = read(tmp_path / "rows.jsonl.zst", frames[0] + skippable + frames[1] + frames[2])
    assert (len(found), reader.problems.total) == (3, 0)


# Length


@pytest.mark.parametrize(
    ("name", "before", "after", "line"),
    [
        ("rows.jsonl", b'{"input": "', b'", "output": "b"}\n', 2),
        ("rows.json", b'{"input": "', b'", "output": "b"},\n', 3),
        ("rows.csv", b'"', b'",b\n', 3),
    ],
)
def test_a_row_that_is_too_long_is_a_bad_one_and_reading_goes_on(
    tmp_path: Path, name: str, before: bytes, after: bytes, line: int
) -> None:
    good = before + b"a" + after
    begin, end = {"rows.jsonl": (b"", b""), "rows.json": (b"[\n", b"]"), "rows.csv": (b"input,output\n", b"")}[name]
    content = begin + good + before + b"x" * LONGEST_ROW_BYTES + after + good + end
    reader, found = read(tmp_path / name, content)
    assert [pair for _, pair in found] == [("a", "b")] * 2
    assert bad_lines(reader) == [line]
    assert "longer than 8 MiB" in reader.problems.first[0].what
