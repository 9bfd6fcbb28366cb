"""Inspection of whole files: what a profile says, that it holds no secret, and that memory stays bounded."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tcao_tui.data.inspect import inspect_file
from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.errors import PlanInvalid
from tests.fakes.data_files import sentence, write_rows

MEBIBYTE = 2**20
KEY = "AKIA" + "Q7W2E9R4T6Y1U8I3"


def questions(count: int) -> list[dict[str, Any]]:
    return [{"question": f"What is {sentence(n)} and how?", "answer": f"It is {n}.\n#### {n}"} for n in range(count)]


def test_a_file_is_described_by_what_its_rows_are_and_hold(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", questions(40))
    profile = inspect_file(path)
    assert (profile.rows, profile.kind, profile.kinds) == (40, "chat", ("chat", "problem", "prompt"))
    assert (profile.fields.input_field, profile.fields.output_field) == ("question", "answer")
    assert (profile.answer_shape, profile.distinct_answers, profile.languages) == ("final_number", 40, {"English": 1.0})
    assert (profile.exact_duplicates, profile.near_duplicates, profile.anomalies, profile.sensitive) == (0, 0, (), {})
    assert profile.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert profile.size_bytes == path.stat().st_size
    assert profile.turns is not None
    assert (profile.turns.p50, profile.turns.total) == (2, 80)
    assert profile.answer_chars is not None
    assert profile.answer_chars.total == sum(len(row["answer"]) for row in questions(40))


def test_conversations_say_what_kinds_of_turns_they_have(tmp_path: Path) -> None:
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "a"},
    ]
    thinking = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "b"}]
    longer = [*turns, {"role": "user", "content": "r"}, {"role": "assistant", "content": thinking}]
    tool = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
    path = write_rows(tmp_path / "rows.jsonl", [{"messages": turns}, {"messages": longer, "tools": [tool]}])
    profile = inspect_file(path)
    assert profile.has_system
    assert profile.has_tools
    assert profile.has_thinking
    assert profile.multi_turn_rows == 1
    plain = inspect_file(write_rows(tmp_path / "plain.jsonl", [{"messages": turns[1:]}]))
    assert [plain.has_system, plain.has_tools, plain.has_thinking, plain.multi_turn_rows] == [False, False, False, 0]


def test_pairs_are_measured_by_their_longer_side(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "pairs.jsonl", [{"prompt": "p", "chosen": "good", "rejected": "a longer one"}])
    profile = inspect_file(path)
    assert profile.kind == "preference"
    assert profile.answer_chars is not None
    assert profile.answer_chars.max == len("a longer one")


def test_repeats_that_a_mix_wrote_are_told_from_those_that_lie_apart(tmp_path: Path) -> None:
    rows = [{"input": f"question {n}", "output": f"answer {n}"} for n in range(5)]
    weighted = write_rows(tmp_path / "weighted.jsonl", [row for row in rows for _ in range(3)])
    doubled = write_rows(tmp_path / "doubled.jsonl", [*rows, *rows])
    found = [inspect_file(path) for path in (weighted, doubled)]
    assert [(profile.exact_duplicates, profile.duplicates_in_a_row) for profile in found] == [(10, 10), (5, 0)]


def test_what_is_odd_repeated_or_secret_is_counted(tmp_path: Path) -> None:
    rows = [{"input": f"mail {KEY} or a@example.org", "output": "x"}] * 2
    rows += [{"input": "the same", "output": "1"}, {"input": "the same", "output": "2"}, {"input": "q", "output": ""}]
    profile = inspect_file(write_rows(tmp_path / "rows.jsonl", rows))
    assert profile.sensitive == {"AWS access key": 2, "e-mail address": 2}
    assert profile.exact_duplicates == 1
    odd = {anomaly.code: (anomaly.count, anomaly.first_line) for anomaly in profile.anomalies}
    assert odd == {"conflicting_answers": (2, 3), "empty_answer": (1, 5)}


def test_rare_answers_in_another_language_are_odd_and_a_translation_task_is_not(tmp_path: Path) -> None:
    english, german = "What is the name of the river here?", "Der Fluss ist nicht von hier und er hat einen Namen"
    rows = [{"input": english, "output": f"It is the river of the north {number}"} for number in range(9)]
    rows.append({"input": english, "output": german})
    profile = inspect_file(write_rows(tmp_path / "rows.jsonl", rows))
    assert [(a.code, a.count, a.first_line) for a in profile.anomalies if a.code == "mixed_languages"] == [
        ("mixed_languages", 1, 10)
    ]
    translated = inspect_file(write_rows(tmp_path / "more.jsonl", [{"input": english, "output": german}] * 3))
    assert "mixed_languages" not in {anomaly.code for anomaly in translated.anomalies}


def test_bad_rows_are_all_counted_and_the_first_hundred_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"input": "a", "output": "b"}\n' + "broken\n" * 250)
    profile = inspect_file(path)
    assert (profile.rows, profile.bad_rows, len(profile.problems)) == (1, 250, 100)
    assert profile.problems[0].line == 2


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"\x00" * 9, b"\xff\xfe", b"[]", b"{}\n"])
def test_a_file_without_a_row_has_a_profile_that_says_why(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    profile = inspect_file(path)
    assert (profile.rows, profile.kind, profile.kinds, profile.turns) == (0, None, (), None)
    assert profile.bad_rows >= 1
    assert profile.problems[0].what
    assert profile.sha256 == hashlib.sha256(content).hexdigest()


def test_no_secret_of_a_bad_row_or_a_column_name_is_repeated(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, [{"input": "a", "output": "b", KEY: 1}])
    with path.open("a") as file:
        file.write(json.dumps({KEY: "x"}) + "\n" + json.dumps({"messages": [{"role": KEY, "content": "x"}]}) + "\n")
        file.write(f'{{"{KEY}": 1, "{KEY}": 2}}\n')
    profile = inspect_file(path)
    assert profile.bad_rows == 3
    assert KEY not in profile.model_dump_json()
    assert "(AWS access key)" in profile.columns


def test_hostile_names_reach_nobody_unchanged(tmp_path: Path) -> None:
    profile = inspect_file(
        write_rows(tmp_path / "rows.jsonl", [{"input": "a", "output": "b", "\x1b[31m\u202ename": 1}])
    )
    assert profile.columns == ("input", "output", "name")


def test_progress_is_told_in_bytes_of_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"input": "a", "output": "b"}\n' * 20_000))
    told: list[int] = []
    assert inspect_file(path, on_bytes=told.append).rows == 20_000
    assert told == sorted(told)
    assert told[-1] == path.stat().st_size


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", questions(3))

    def grow(count: int) -> None:
        with path.open("a") as file:
            file.write('{"question": "a", "answer": "b"}\n')

    with pytest.raises(PlanInvalid, match="changed"):
        inspect_file(path, on_bytes=grow)


def test_a_file_that_is_rewritten_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", questions(3))

    def rewrite(count: int) -> None:
        path.write_bytes(path.read_bytes())

    with pytest.raises(PlanInvalid, match="changed"):
        inspect_file(path, on_bytes=rewrite)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.jsonl", Path("/dev/null"), Path("a\0b")):
        with pytest.raises(PlanInvalid) as caught:
            inspect_file(path)
        assert caught.value.next_step


def test_a_format_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", questions(1))
    with pytest.raises(PlanInvalid):
        inspect_file(path, fields=FieldMap(data_format="nonsense"))


INSPECT = """
import resource, sys
from pathlib import Path
from tcao_tui.data.inspect import inspect_file

resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
profile = inspect_file(Path(sys.argv[1]))
print(profile.rows, profile.bad_rows, profile.exact_duplicates)
"""


def a_line_of_200_megabytes() -> Iterator[bytes]:
    yield b'{"input": "a", "output": "b"}\n{"input": "'
    for _ in range(200):
        yield b"x" * MEBIBYTE
    yield b'", "output": "b"}\n{"input": "c", "output": "d"}\n'


def rows_of_seven_megabytes() -> Iterator[bytes]:
    for number in range(8):
        yield b'{"input": "%d ' % number + b"x 4" * (7 * MEBIBYTE // 3) + b'", "output": "b"}\n'


def nothing_but_bad_rows() -> Iterator[bytes]:
    yield b'{"input": "a", "output": "b"}\n'
    for _ in range(20):
        yield b"broken\n" * 10_000


def many_small_rows() -> Iterator[bytes]:
    for start in range(0, 60_000, 1_000):
        yield b"".join(
            b'{"input": "%d", "output": "b"}\n' % (number % 30_000) for number in range(start, start + 1_000)
        )


@pytest.mark.parametrize(
    ("content", "counts"),
    [
        (a_line_of_200_megabytes, "2 1 0"),
        (rows_of_seven_megabytes, "8 0 0"),
        (nothing_but_bad_rows, "1 200000 0"),
        (many_small_rows, "60000 0 30000"),
    ],
)
def test_inspection_fits_into_a_gibibyte_of_address_space(
    tmp_path: Path, content: Callable[[], Iterator[bytes]], counts: str
) -> None:
    path = tmp_path / "rows.jsonl.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as packed:
        for piece in content():
            packed.write(piece)
    done = subprocess.run([sys.executable, "-c", INSPECT, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == counts
