"""Whatever the bytes: the reader never fails, and every line is one good row or one bad one."""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tcao_tui.data.containers.json_text import decode
from tcao_tui.data.containers.lines import Lines
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import ChatRow, RowRejected

GOOD = b'{"input": "a", "output": "b"}'
SCRAPS = [
    GOOD,
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b",",
    b"\n",
    b"\r\n",
    b"\x00",
    b"\xff",
    b" ",
    b":",
    b"\xef\xbb\xbf",
]
MAGIC = [b"", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1", b"\xff\xfe", b"[", b"{"]
RUBBISH = st.lists(st.sampled_from(SCRAPS) | st.binary(max_size=6), max_size=20).map(b"".join)

NAMES = st.sampled_from(["rows.jsonl", "rows.json", "rows.csv", "rows.tsv", "rows.parquet", "rows", "rows.jsonl.gz"])
PACKERS = st.sampled_from([bytes, gzip.compress, zstandard.compress])


def read(content: bytes, name: str = "rows.jsonl") -> tuple[RowReader, list[int], str]:
    """The reader when it is done, lines of its good rows, and the hash that it saw."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / name
        path.write_bytes(content)
        digest = hashlib.sha256()
        reader = RowReader(path, None, Problems(), digest)
        lines = [reader.line for _ in reader]
    return reader, lines, digest.hexdigest()


@settings(max_examples=300, deadline=None)
@given(name=NAMES, magic=st.sampled_from(MAGIC), rubbish=RUBBISH, pack=PACKERS)
def test_no_bytes_make_the_reader_fail(name: str, magic: bytes, rubbish: bytes, pack: type[bytes]) -> None:
    content = pack(magic + rubbish)
    reader, lines, _ = read(content, name)
    assert len(lines) == reader.rows
    assert all(problem.what and problem.fix for problem in reader.problems.first)
    assert reader.bytes_read <= len(content)


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(st.just(GOOD) | st.binary(max_size=12).filter(lambda line: b"\n" not in line), max_size=30))
def test_each_line_is_a_row_or_a_problem(lines: list[bytes]) -> None:
    content = b"".join(line + b"\n" for line in [GOOD, *lines])
    reader, good, digest = read(content)
    assert reader.rows + reader.problems.total == 1 + len(lines)
    assert sorted([*good, *(problem.line for problem in reader.problems.first)]) == list(range(1, len(lines) + 2))
    assert good == [number for number, line in enumerate([GOOD, *lines], 1) if line.strip(b"\r") == GOOD]
    assert digest == hashlib.sha256(content).hexdigest()


@settings(max_examples=200, deadline=None)
@given(content=RUBBISH, data=st.data())
def test_lines_are_the_same_however_the_file_is_cut_into_pieces(content: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(content)), max_size=6)))
    pieces = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    whole = content.split(b"\n")
    expected = whole if whole[-1] else whole[:-1]
    lines = Lines(piece for piece in pieces if piece)
    assert [(lines.number, line) for line in lines] == list(enumerate(expected, 1))
    assert lines.torn == bool(whole[-1])


KEYS = st.text(st.sampled_from('ab\\": '), max_size=4)
SPACES = st.sampled_from(["", "", "", " ", "\t", "\n "])
VALUES = st.deferred(
    lambda: KEYS.map(json.dumps) | OBJECTS | st.lists(VALUES, max_size=3).map(lambda v: f"[{','.join(v)}]")
)
OBJECTS = st.lists(st.tuples(KEYS.map(json.dumps), SPACES, VALUES), max_size=3).map(
    lambda members: "{" + ", ".join(f"{key}{space}:{space}{value}" for key, space, value in members) + "}"
)


def keys_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError
    return dict(pairs)


@settings(max_examples=300, deadline=None)
@given(text=OBJECTS)
def test_a_key_that_stands_twice_is_seen_at_any_depth_and_in_any_spelling(text: str) -> None:
    try:
        expected = json.loads(text, object_pairs_hook=keys_twice)
    except ValueError:
        with pytest.raises(RowRejected, match="appears twice"):
            decode(text.encode())
    else:
        assert decode(text.encode()) == expected


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), min_size=1, max_size=20),
    indent=st.none() | st.just(2),
)
def test_a_list_gives_the_rows_that_lines_give(rows: list[tuple[str, str]], indent: int | None) -> None:
    objects = [{"input": prompt, "output": answer} for prompt, answer in rows]
    content = json.dumps(objects, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "rows.json"
        path.write_bytes(content)
        reader = RowReader(path, None, Problems())
        found = [row.conversation for row in reader if isinstance(row, ChatRow)]
    assert not reader.problems.total
    assert [(turns[0]["content"], turns[1]["content"]) for turns in found] == rows
