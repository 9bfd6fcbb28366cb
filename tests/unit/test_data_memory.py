"""Memory does not grow with the file: long lines, bombs and open quotes under a limit of one GiB of address space."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard

MEBIBYTE = 2**20
GOOD = b'{"input": "a", "output": "b"}\n'

READ = """
import resource, sys
from pathlib import Path
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader

resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
problems = Problems()
reader = RowReader(Path(sys.argv[1]), None, problems)
for _ in reader:
    pass
print(reader.rows, *(f"{problem.line}:{problem.what}" for problem in problems.first[:3]), sep="|")
"""


def a_line_of_200_megabytes() -> Iterator[bytes]:
    yield GOOD + b'{"input": "'
    for _ in range(200):
        yield b"x" * MEBIBYTE
    yield b'", "output": "b"}\n' + GOOD


def a_list_with_a_row_of_200_megabytes() -> Iterator[bytes]:
    yield b"[" + GOOD + b',{"input": ["'
    for _ in range(200):
        yield b"]},[{" * (MEBIBYTE // 5)
    yield b'",'
    for _ in range(9):
        yield b'{"a":"[]"},' * (MEBIBYTE // 11)
    yield b"0]},\n" + GOOD + b"]"


def a_quote_that_never_ends() -> Iterator[bytes]:
    yield b'input,output\na,b\n"a,b\n'
    for _ in range(10):
        yield b"a," + b"b" * (MEBIBYTE - 3) + b"\n"


def rows_of_seven_megabytes_of_brackets() -> Iterator[bytes]:
    for _ in range(4):
        yield b'{"input": "a", "output": "b", "more": [' + b"[]," * (7 * MEBIBYTE // 3) + b"0]}\n"


def many_names_of_columns() -> Iterator[bytes]:
    for number in range(1100):
        yield b'{"input": "a", "output": "b", "%d%s": 0}\n' % (number, b"n" * MEBIBYTE)


def run(path: Path) -> list[str]:
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    return done.stdout.strip().split("|")


@pytest.mark.parametrize(
    ("name", "content", "rows", "problems"),
    [
        ("rows.jsonl", a_line_of_200_megabytes, "2", ["2:longer than 8 MiB"]),
        ("rows.json", a_list_with_a_row_of_200_megabytes, "2", ["2:longer than 8 MiB"]),
        ("rows.csv", a_quote_that_never_ends, "2", ["3:longer than 8 MiB"]),
        ("rows.jsonl", rows_of_seven_megabytes_of_brackets, "4", []),
        ("rows.jsonl", many_names_of_columns, "1100", []),
    ],
)
def test_a_huge_row_is_one_bad_row_in_little_memory(
    tmp_path: Path, name: str, content: Callable[[], Iterator[bytes]], rows: str, problems: list[str]
) -> None:
    path = tmp_path / f"{name}.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as packed:
        for piece in content():
            packed.write(piece)
    assert run(path) == [rows, *problems]


def test_a_decompression_bomb_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as packed:
        packed.write(GOOD)
        for _ in range(3000):
            packed.write(bytes(MEBIBYTE))
        packed.write(b"\n" + GOOD)
    assert path.stat().st_size < MEBIBYTE
    assert run(path) == ["2", "2:longer than 8 MiB"]
