"""A mix of several files: shares, repeats, one kind of rows, nothing overwritten."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.cli.data_options import weighted_file
from tcao_tui.data.mix import Source, mix, shares_by_weight
from tcao_tui.errors import PlanInvalid, Refused, UsageError


def write(path: Path, prefix: str, count: int, names: tuple[str, str] = ("input", "output")) -> Path:
    rows = [{names[0]: f"{prefix} {n}", names[1]: str(n)} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def prompts(path: Path) -> Counter[str]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return Counter(row["messages"][0]["content"] for row in rows)


def test_rows_are_taken_in_the_wanted_shares_and_no_row_twice_while_there_are_enough(tmp_path: Path) -> None:
    chat, code = write(tmp_path / "chat.jsonl", "chat", 300), write(tmp_path / "code.jsonl", "code", 100)
    done = mix([Source(chat, 3), Source(code, 1)], tmp_path / "mix.jsonl", rows=200)
    assert [share.taken for share in done.shares] == [150, 50]
    taken = prompts(tmp_path / "mix.jsonl")
    assert sum(taken.values()) == done.rows == 200
    assert set(taken.values()) == {1}


def test_a_file_that_is_too_small_is_repeated_evenly(tmp_path: Path) -> None:
    large, small = write(tmp_path / "a.jsonl", "a", 100), write(tmp_path / "b.jsonl", "b", 10)
    done = mix([Source(large), Source(small)], tmp_path / "mix.jsonl", rows=70)
    taken = prompts(tmp_path / "mix.jsonl")
    repeats = [count for prompt, count in taken.items() if prompt.startswith("b")]
    assert sorted(set(repeats)) == [3, 4]
    assert done.shares[1].times == 3.5


def test_files_of_other_formats_come_out_in_one(tmp_path: Path) -> None:
    one = write(tmp_path / "a.jsonl", "a", 4)
    other = tmp_path / "b.jsonl"
    turns = [{"role": "user", "content": "b 0"}, {"role": "assistant", "content": "yes"}]
    other.write_text(json.dumps({"messages": turns}) + "\n")
    mix([Source(one, 4), Source(other)], tmp_path / "mix.jsonl", rows=5)
    assert prompts(tmp_path / "mix.jsonl")["b 0"] == 1


def test_the_same_seed_gives_the_same_mix(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", "a", 50)
    for name, seed in (("x", 1), ("y", 1), ("z", 2)):
        mix([Source(source)], tmp_path / name, rows=20, seed=seed)
    first, second, other = (prompts(tmp_path / name) for name in "xyz")
    assert first == second != other


def test_nothing_is_overwritten_and_bad_rows_are_named(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", "a", 5)
    with pytest.raises(Refused, match="overwritten"):
        mix([Source(source)], source)
    source.write_text(source.read_text() + "{broken\n")
    with pytest.raises(PlanInvalid, match=r"a\.jsonl:6"):
        mix([Source(source)], tmp_path / "mix.jsonl")
    assert not (tmp_path / "mix.jsonl").exists()


def test_a_weight_stands_behind_a_colon(tmp_path: Path) -> None:
    assert weighted_file("a.jsonl:3", None) == Source(Path("a.jsonl"), 3.0)
    assert weighted_file("a.jsonl", None) == Source(Path("a.jsonl"), 1.0)
    with pytest.raises(UsageError, match="weight"):
        weighted_file("a.jsonl:much", None)


@pytest.mark.parametrize("weight", [0, -1, math.nan, math.inf])
def test_a_weight_is_a_number_above_zero(tmp_path: Path, weight: float) -> None:
    source = write(tmp_path / "a.jsonl", "a", 5)
    with pytest.raises(UsageError, match="above zero"):
        mix([Source(source, weight)], tmp_path / "mix.jsonl")


def test_rows_of_another_kind_are_refused_with_the_way_out(tmp_path: Path) -> None:
    chat = write(tmp_path / "a.jsonl", "a", 5)
    pairs = write(tmp_path / "b.jsonl", "b", 5)
    pairs.write_text('{"prompt": "p", "chosen": "good", "rejected": "bad"}\n')
    with pytest.raises(PlanInvalid) as caught:
        mix([Source(chat), Source(pairs)], tmp_path / "mix.jsonl")
    assert "preference pairs" in str(caught.value)
    assert not (tmp_path / "mix.jsonl").exists()


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=8), st.integers(0, 1000))
def test_shares_add_up_and_are_off_by_less_than_a_row(weights: list[float], total: int) -> None:
    shares = shares_by_weight(total, weights)
    assert sum(shares) == total
    assert all(abs(n - total * weight / sum(weights)) < 1 for n, weight in zip(shares, weights, strict=True))
