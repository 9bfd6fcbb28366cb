"""The column cache: what is written is what is mapped, and what does not fit is made again."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest

from tcao_tui.store.column_cache import INDEX, cache_folder, file_fits, file_mark, open_columns
from tcao_tui.store.column_writer import prune, write_columns
from tcao_tui.store.loader_process import LoaderProcess, LoaderState
from tcao_tui.store.spill import SpillColumn


def column(path: Path, steps: list[int], values: list[float]) -> SpillColumn:
    made = SpillColumn(path)
    for step, value in zip(steps, values, strict=True):
        made.append(step, value)
    return made


def write(folder: Path, **columns: SpillColumn) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_columns(folder, columns, mark={"m": 1}, counts={"rows": 2})


def test_even_and_uneven_columns_are_read_back_with_their_extremes(tmp_path: Path) -> None:
    values = [math.nan if i % 70 == 0 else float(i % 13) for i in range(500)]
    uneven = [i * i for i in range(500)]
    write(
        tmp_path,
        even=column(tmp_path / "a", list(range(0, 1_000, 2)), values),
        odd=column(tmp_path / "b", uneven, values),
    )
    cached = open_columns(tmp_path)
    assert cached is not None
    assert (cached.mark, cached.counts) == ({"m": 1}, {"rows": 2})
    assert cached.series["even"].steps == range(0, 1_000, 2)
    assert list(cached.series["odd"].steps) == uneven
    (shown,) = cached.series["odd"].columns(0, 500**2, 1)
    assert shown is not None
    assert (shown.low, shown.high, shown.count, shown.not_finite) == (0.0, 12.0, 500, 8)


def test_an_empty_column_and_a_cache_without_columns_are_read_back(tmp_path: Path) -> None:
    write(tmp_path / "a", nothing=SpillColumn(tmp_path / "n"))
    write(tmp_path / "b")
    first, second = open_columns(tmp_path / "a"), open_columns(tmp_path / "b")
    assert first is not None
    assert len(first.series["nothing"]) == 0
    assert second is not None
    assert second.series == {}


def test_a_cache_that_is_replaced_stays_readable_for_whoever_has_it_open(tmp_path: Path) -> None:
    write(tmp_path, loss=column(tmp_path / "a", [1, 2], [1.0, 2.0]))
    old = open_columns(tmp_path)
    write(tmp_path, loss=column(tmp_path / "b", [1, 2, 3], [5.0, 6.0, 7.0]))
    new = open_columns(tmp_path)
    assert old is not None
    assert list(old.series["loss"].values) == [1.0, 2.0]
    assert new is not None
    assert list(new.series["loss"].values) == [5.0, 6.0, 7.0]
    assert len(list(tmp_path.glob("*.data"))) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 0}', '{"version": 1}', '{"version": 1, "data": "../x"}'])
def test_an_index_that_says_something_else_is_no_cache(tmp_path: Path, text: str) -> None:
    (tmp_path / INDEX).write_text(text)
    assert open_columns(tmp_path) is None


def test_an_index_whose_columns_reach_past_the_data_is_no_cache(tmp_path: Path) -> None:
    write(tmp_path, loss=column(tmp_path / "a", [1, 2], [1.0, 2.0]))
    index = tmp_path / INDEX
    index.write_text(index.read_text().replace('"count": 2', '"count": 9'))
    assert open_columns(tmp_path) is None


def test_the_mark_of_a_file_fits_when_it_grew_and_not_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"ab\n" * 5_000)
    mark = file_mark(path, 9_000)
    assert file_fits(path, mark)
    path.write_bytes(b"ab\n" * 6_000)
    assert file_fits(path, mark)
    path.write_bytes(b"ac\n" * 6_000)
    assert not file_fits(path, mark)
    path.write_bytes(b"ab\n" * 2_000)
    assert not file_fits(path, mark)
    assert not file_fits(path, {})


def test_the_least_recently_opened_caches_are_removed_when_there_are_too_many(tmp_path: Path) -> None:
    folders = [cache_folder(tmp_path, name) for name in ("old", "opened", "kept")]
    for age, folder in enumerate(folders):
        write(folder, loss=column(tmp_path / f"s{age}", [1], [1.0]))
        os.utime(folder / INDEX, (age, age))
    assert open_columns(folders[0]) is not None
    prune(tmp_path / "columns", keep=folders[2], most_bytes=400)
    assert [folder.exists() for folder in folders] == [True, False, True]


def test_a_column_spills_to_disk_and_can_still_be_changed_anywhere(tmp_path: Path) -> None:
    made = SpillColumn(tmp_path / "c")
    steps = np.arange(100_000, dtype=np.int64)
    for start in range(0, 100_000, 20_000):
        made.extend(steps[start : start + 20_000], steps[start : start + 20_000] / 2)
    assert (tmp_path / "c.values").exists()
    assert made.even_steps() == range(100_000)
    made.append(10, -1.0)
    made.drop_after(49_999)
    made.append(60_000, 7.0)
    assert (len(made), made.last_step, made.even_steps()) == (50_001, 60_000, None)
    assert (made.values()[10], made.values()[49_999], made.values()[-1]) == (-1.0, 49_999 / 2, 7.0)


def test_a_helper_that_is_given_nonsense_fails_and_says_nothing(tmp_path: Path) -> None:
    helper = LoaderProcess(["cookbook", str(tmp_path / "missing"), str(tmp_path / "cache")])
    helper._process.wait(timeout=60)
    assert helper.poll() is LoaderState.FAILED
    helper.close()


def test_a_helper_that_is_closed_is_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")
    helper = LoaderProcess(["cookbook", str(tmp_path / "never"), str(tmp_path / "cache")])
    assert helper.poll() is LoaderState.RUNNING
    helper.close()
    assert helper._process.returncode is not None
