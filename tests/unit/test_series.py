"""Series: what a chart column shows, and that buffers, tails, rewinds and gaps never change it."""

from __future__ import annotations

import math
from array import array

from tcao_tui.domain.blocks import Blocks
from tcao_tui.domain.segments import Joined
from tcao_tui.domain.series import Extremes, Series


def series_of(values: list[float]) -> Series:
    series = Series()
    for step, value in enumerate(values):
        series.append(step, value)
    return series


def over_buffers(steps: list[int], values: list[float]) -> Series:
    blocks, column = Blocks(), array("d", values)
    blocks.cover(column)
    parts = [memoryview(bytes(memoryview(part))).cast("d") for part in (blocks.lows, blocks.highs, blocks.lost)]
    return Series.over(memoryview(array("q", steps)), memoryview(column).toreadonly(), Blocks(*parts))


def test_a_single_spike_among_100000_values_is_seen_in_its_column() -> None:
    values = [1.0] * 100_000
    values[77_777] = 50.0
    columns = series_of(values).columns(0, 99_999, 100)
    assert [i for i, c in enumerate(columns) if c and c.high == 50.0] == [77]
    assert sum(c.count for c in columns if c) == 100_000


def test_values_that_are_not_finite_are_counted_and_do_not_hide_the_others() -> None:
    series = series_of([1.0, math.nan, 3.0, math.inf, 2.0, -math.inf])
    assert series.columns(0, 5, 1) == [Extremes(1.0, 3.0, 2.0, 6, 3)]


def test_a_column_of_nothing_finite_shows_no_extremes_but_its_count() -> None:
    (column,) = series_of([math.nan] * 200).columns(0, 199, 1)
    assert column is not None
    assert math.isnan(column.low)
    assert math.isnan(column.last)
    assert (column.count, column.not_finite) == (200, 200)


def test_the_last_finite_value_is_found_behind_a_long_gap() -> None:
    (column,) = series_of([5.0, 6.0] + [math.nan] * 500).columns(0, 501, 1)
    assert column == Extremes(5.0, 6.0, 6.0, 502, 500)


def test_values_whose_sum_overflows_still_have_their_extremes() -> None:
    assert series_of([1e308, 1e308, -1e308]).columns(0, 2, 1) == [Extremes(-1e308, 1e308, -1e308, 3, 0)]


def test_a_column_without_a_step_is_empty() -> None:
    series = Series()
    series.append(0, 1.0)
    series.append(100, 2.0)
    assert [c is None for c in series.columns(0, 100, 4)] == [False, True, True, False]


def test_an_empty_series_has_neither_last_value_nor_columns() -> None:
    series = Series()
    assert (series.last, series.last_step, len(series)) == (None, None, 0)
    assert series.columns(0, 10, 3) == [None, None, None]


def test_a_chart_that_is_drawn_again_shows_a_replaced_value() -> None:
    series = series_of([1.0] * 1_000)
    series.columns(0, 999, 10)
    series.append(500, 9.0)
    columns = series.columns(0, 999, 10)
    assert [c.high for c in columns if c] == [1.0] * 5 + [9.0] + [1.0] * 4


def test_a_series_over_buffers_grows_without_touching_them() -> None:
    values = [float(i % 7) for i in range(200)]
    series = over_buffers(list(range(200)), values)
    series.append(200, 99.0)
    assert (len(series), series.last, series.last_step) == (201, 99.0, 200)
    assert series.columns(0, 200, 1) == [Extremes(0.0, 99.0, 99.0, 201, 0)]
    assert list(series.values) == [*values, 99.0]
    assert series.value_at(199) == values[199]


def test_a_rewind_into_the_read_only_part_forgets_what_lies_past_it() -> None:
    series = over_buffers(list(range(200)), [1.0] * 199 + [50.0])
    series.append(200, 60.0)
    series.drop_after(150)
    series.append(151, 2.0)
    assert len(series) == 152
    assert series.columns(0, 200, 1) == [Extremes(1.0, 2.0, 2.0, 152, 0)]


def test_a_late_step_is_put_in_its_place_in_the_read_only_part() -> None:
    series = over_buffers([0, 10, 20], [0.0, 1.0, 2.0])
    series.append(5, 7.0)
    assert list(series.steps) == [0, 5, 10, 20]
    assert series.value_at(5) == 7.0


def test_evenly_spaced_steps_need_no_memory_of_their_own() -> None:
    values = array("d", [1.0, 2.0, 3.0])
    series = Series.over(range(0, 60, 20), memoryview(values), Blocks())
    series.append(60, 4.0)
    assert list(series.steps) == [0, 20, 40, 60]
    assert [c.last if c else None for c in series.columns(0, 60, 2)] == [2.0, 4.0]


def test_joined_sequences_read_like_one_list() -> None:
    joined, plain = Joined([1, 2], [3, 4]), [1, 2, 3, 4]
    assert list(joined) == plain
    assert joined[-1] == 4
    assert joined[1:3] == plain[1:3]
    assert joined[::-1] == plain[::-1]
