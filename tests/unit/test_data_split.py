"""Seeded, stratified splits: every row in one part, rows that repeat each other on one side, nothing overwritten."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tcao_tui.data.split import split_file
from tcao_tui.domain.data_profile import Split
from tcao_tui.errors import PlanInvalid, Refused
from tests.fakes.data_files import sentence, write_rows


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"input": sentence(number), "output": f"answer {number}", "id": number, **more} for number in range(count)]


def written(path: Path | None) -> list[dict[str, Any]]:
    return [] if path is None else [json.loads(line) for line in path.read_text().splitlines()]


def parts(split: Split) -> list[list[dict[str, Any]]]:
    return [written(path) for path in (split.train, split.validation, split.test)]


def test_every_row_is_in_exactly_one_part_as_it_was(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "rows.jsonl", rows(100, note={"deep": [1, 2.5, None, "é"]}))
    before = source.read_bytes()
    split = split_file(source, tmp_path / "into", validation=20, test=10)
    found = parts(split)
    assert [len(part) for part in found] == list(split.rows) == [70, 20, 10]
    assert sorted((row for part in found for row in part), key=lambda row: row["id"]) == rows(
        100, note={"deep": [1, 2.5, None, "é"]}
    )
    assert source.read_bytes() == before
    assert Split.model_validate_json((tmp_path / "into/split.json").read_text()) == split


def test_the_same_seed_gives_the_same_split_and_another_seed_another(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "rows.jsonl", rows(60))
    first, again, other = (
        parts(split_file(source, tmp_path / name, validation=10, test=0, seed=seed))
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert first == again
    assert first != other


def test_labels_keep_their_proportions(tmp_path: Path) -> None:
    labels = ["spam"] * 20 + ["ham"] * 60 + ["eggs"] * 20
    source = write_rows(
        tmp_path / "rows.jsonl", [{"input": sentence(n), "output": label} for n, label in enumerate(labels)]
    )
    split = split_file(source, tmp_path / "into", validation=10, test=5)
    _, validation, test = (Counter(row["output"] for row in part) for part in parts(split))
    assert validation == {"spam": 2, "ham": 6, "eggs": 2}
    assert test == {"spam": 1, "ham": 3, "eggs": 1}
    assert "3 different answers" in split.method


def test_lengths_keep_their_proportions(tmp_path: Path) -> None:
    source = write_rows(
        tmp_path / "rows.jsonl", [{"input": sentence(n, 10 if n % 2 else 200), "output": f"{n}"} for n in range(80)]
    )
    split = split_file(source, tmp_path / "into", validation=20, test=0)
    lengths = Counter(len(row["input"].split()) for row in written(split.validation))
    assert lengths == {10: 10, 200: 10}


def test_rows_of_the_same_prompt_and_near_duplicates_stay_on_one_side(tmp_path: Path) -> None:
    pairs = [
        {"prompt": sentence(number, 60), "chosen": f"good {side} {number}", "rejected": f"bad {side} {number}"}
        for number in range(30)
        for side in "ab"
    ]
    near = [
        {**pair, "prompt": pair["prompt"].replace(f"{number}x30", "other")} for number, pair in enumerate(pairs[:1])
    ]
    split = split_file(write_rows(tmp_path / "rows.jsonl", [*pairs, *near]), tmp_path / "into", validation=13, test=6)
    sides = [{row["prompt"].split()[0] for row in part} for part in parts(split)]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]
    assert 11 <= split.rows[1] <= 13
    assert "31 rows kept with the row whose prompt they repeat" in split.method


def test_a_form_that_all_rows_share_does_not_make_them_one_group(tmp_path: Path) -> None:
    form = sentence(0, 200)
    source = write_rows(tmp_path / "rows.jsonl", [{"input": f"{form} {n}", "output": f"{n}"} for n in range(50)])
    split = split_file(source, tmp_path / "into", validation=5, test=0)
    assert split.rows == (45, 5, 0)
    assert "much alike" in split.method


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    prompts=st.lists(st.integers(0, 12), min_size=6, max_size=40),
    share=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    seed=st.integers(0, 5),
)
def test_no_prompt_is_on_two_sides_and_no_part_is_larger_than_asked_for(
    tmp_path: Path, prompts: list[int], share: tuple[int, int], seed: int
) -> None:
    source = write_rows(
        tmp_path / "rows.jsonl", [{"input": sentence(p), "output": f"{n}"} for n, p in enumerate(prompts)]
    )
    try:
        split = split_file(source, tmp_path / "into", validation=share[0], test=share[1], seed=seed)
    except PlanInvalid:
        return
    found = parts(split)
    assert sum(map(len, found)) == len(prompts)
    sides = [{row["input"] for row in part} for part in found]
    assert sum(map(len, sides)) == len(set(prompts))
    assert all(len(part) <= wanted for part, wanted in zip(found[1:], share, strict=True))


@pytest.mark.parametrize(("validation", "test"), [(0, 0), (6, 0), (3, 3), (0, 100), (-1, 2)])
def test_sizes_that_leave_too_little_are_refused_before_anything_is_written(
    tmp_path: Path, validation: int, test: int
) -> None:
    source = write_rows(tmp_path / "rows.jsonl", rows(10))
    with pytest.raises(PlanInvalid) as caught:
        split_file(source, tmp_path / "into", validation=validation, test=test)
    assert caught.value.next_step
    assert not (tmp_path / "into").exists()


def test_rows_that_all_belong_together_cannot_be_split(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "rows.jsonl", [{"input": "same", "output": f"{n}"} for n in range(10)])
    with pytest.raises(PlanInvalid, match="prompt of their own"):
        split_file(source, tmp_path / "into", validation=2, test=0)


def test_a_bad_row_stops_the_split_and_is_named(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "rows.jsonl", rows(10))
    with source.open("a") as file:
        file.write("broken\n")
    with pytest.raises(PlanInvalid) as caught:
        split_file(source, tmp_path / "into", validation=2, test=0)
    assert caught.value.where == f"{source}:11"
    assert "tcao data clean" in caught.value.next_step


def test_an_earlier_split_is_replaced_and_leaves_nothing_behind(tmp_path: Path) -> None:
    source, into = write_rows(tmp_path / "rows.jsonl", rows(20)), tmp_path / "into"
    split_file(source, into, validation=3, test=3)
    split = split_file(source, into, validation=4, test=0)
    assert split.rows == (16, 4, 0)
    assert split.test is None
    assert sorted(path.name for path in into.iterdir()) == ["split.json", "train.jsonl", "validation.jsonl"]


def test_a_file_that_no_split_wrote_is_never_overwritten(tmp_path: Path) -> None:
    source, other = write_rows(tmp_path / "rows.jsonl", rows(20)), write_rows(tmp_path / "test.jsonl", rows(1))
    with pytest.raises(Refused, match=r"test\.jsonl"):
        split_file(source, tmp_path, validation=4, test=0)
    assert written(other) == rows(1)
    assert sorted(tmp_path.iterdir()) == [source, other]


def test_the_source_inside_of_an_earlier_split_is_never_overwritten(tmp_path: Path) -> None:
    into = tmp_path / "into"
    bare = write_rows(tmp_path / "train.jsonl", rows(20))
    with pytest.raises(Refused, match="itself"):
        split_file(bare, tmp_path, validation=4, test=0)
    split = split_file(bare, into, validation=4, test=0)
    before = split.train.read_bytes()
    with pytest.raises(Refused, match="itself"):
        split_file(split.train, into, validation=4, test=0)
    assert split.train.read_bytes() == before


def test_a_source_that_changes_between_the_passes_leaves_no_file(tmp_path: Path) -> None:
    source, into = write_rows(tmp_path / "rows.jsonl", rows(20)), tmp_path / "into"

    def change_in_the_second_pass(count: int) -> None:
        if into.exists():
            write_rows(source, rows(21))

    with pytest.raises(PlanInvalid, match="changed"):
        split_file(source, into, validation=4, test=0, on_bytes=change_in_the_second_pass)
    assert list(into.iterdir()) == []


def test_tables_are_split_into_jsonl_with_the_values_they_had(tmp_path: Path) -> None:
    source = tmp_path / "rows.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows(20, score=1.5)), source)
    split = split_file(source, tmp_path / "into", validation=5, test=0)
    found = parts(split)
    assert sorted((row for part in found for row in part), key=lambda row: row["id"]) == rows(20, score=1.5)
    table = tmp_path / "rows.csv"
    table.write_text("input,output\n" + "".join(f"{sentence(n)},{n}\n" for n in range(20)))
    assert split_file(table, tmp_path / "csv", validation=5, test=0).rows == (15, 5, 0)


def test_numbers_beyond_64_bits_survive(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "rows.jsonl", rows(10, big=2**80))
    split = split_file(source, tmp_path / "into", validation=2, test=0)
    assert {row["big"] for part in parts(split) for row in part} == {2**80}
