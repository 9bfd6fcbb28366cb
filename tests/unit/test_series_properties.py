"""Series and smoothing against plain implementations, for any order of appends, rewinds and draws."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcao_tui.domain.blocks import Blocks
from tcao_tui.domain.series import Extremes, Series
from tcao_tui.domain.smoothing import Smoother

numbers = st.floats(width=32) | st.sampled_from([math.nan, math.inf, -math.inf])
operations = st.lists(
    st.tuples(st.just("append"), st.integers(0, 400), numbers)
    | st.tuples(st.just("run"), st.integers(1, 150), numbers)
    | st.tuples(st.just("drop"), st.integers(-1, 400), st.none())
    | st.tuples(st.just("draw"), st.integers(1, 9), st.none()),
    max_size=25,
)


def plain_columns(rows: dict[int, float], first: float, last: float, count: int) -> list[Extremes | None]:
    width, result = max(last - first, 1e-9) / count, list[Extremes | None]()
    for i in range(count):
        low = first + width * i
        high = first + width * (i + 1) if i < count - 1 else math.floor(last) + 1
        chunk = [rows[s] for s in sorted(rows) if low <= s < high]
        finite = [v for v in chunk if math.isfinite(v)]
        if not chunk:
            result.append(None)
        elif not finite:
            result.append(Extremes(math.nan, math.nan, math.nan, len(chunk), len(chunk)))
        else:
            result.append(Extremes(min(finite), max(finite), finite[-1], len(chunk), len(chunk) - len(finite)))
    return result


def apply(series: Series, rows: dict[int, float], what: str, number: int, value: float | None) -> None:
    if what == "append" and value is not None:
        series.append(number, value)
        rows[number] = value
    elif what == "run" and value is not None:
        start = max(rows, default=-1) + 1
        for step in range(start, start + number):
            series.append(step, value + step)
            rows[step] = value + step
    elif what == "drop":
        series.drop_after(number)
        for step in [s for s in rows if s > number]:
            del rows[step]
    else:
        drawn, wanted = series.columns(0, 400, number), plain_columns(rows, 0, 400, number)
        assert repr(drawn) == repr(wanted)


def frozen(count: int) -> tuple[Series, dict[int, float]]:
    column, blocks = array("d", (math.sin(i) if i % 50 else math.nan for i in range(count))), Blocks()
    blocks.cover(column)
    series = Series.over(range(count), memoryview(column).toreadonly(), blocks)
    return series, dict(enumerate(column))


@settings(max_examples=150, deadline=None)
@given(operations, st.sampled_from([0, 1, 64, 130, 300]))
def test_any_history_shows_what_a_plain_reader_shows(history: list, count: int) -> None:
    series, rows = frozen(count)
    for operation in history:
        apply(series, rows, *operation)
    for window in ((0, 400, 7), (3.5, 222.25, 40), (399, 399, 2), (100, 90, 3)):
        assert repr(series.columns(*window)) == repr(plain_columns(rows, *window))
    assert list(series.steps) == sorted(rows)
    assert repr(list(series.values)) == repr([rows[s] for s in sorted(rows)])
    assert all(repr(series.value_at(s)) == repr(rows.get(s)) for s in range(0, 401, 13))


def plain_average(values: list[float], weight: float) -> list[float | None]:
    total, seen, result = 0.0, 0, list[float | None]()
    for value in values:
        if math.isfinite(value):
            total, seen = total * weight + (1 - weight) * value, seen + 1
        result.append(total / (1 - weight**seen) if seen else None)
    return result


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6, width=32) | st.just(math.nan), min_size=1, max_size=40),
    st.sampled_from([0.0, 0.3, 0.6, 0.9, 0.99]),
    st.integers(1, 30),
)
def test_smoothed_columns_agree_with_the_average_of_the_whole_series(
    pattern: list[float], weight: float, count: int
) -> None:
    values = [v + i for i, v in enumerate(pattern * 40)]
    series, averages = Series(), plain_average(values, weight)
    for step, value in enumerate(values):
        series.append(step, value)
    last = len(values) - 1
    scale = max((abs(v) for v in values if math.isfinite(v)), default=1.0)
    edges = series.edges(0, last, count)
    for i, got in enumerate(Smoother(series).columns(0, last, count, weight)):
        chunk = values[edges[i] : edges[i + 1]]
        if any(math.isfinite(v) for v in chunk):
            assert got == pytest.approx(averages[edges[i + 1] - 1], abs=1e-6 * scale + 1e-9)
        else:
            assert got is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1500), st.floats(-10, 10) | st.just(math.nan)), min_size=1, max_size=12),
    st.sampled_from([0.5, 0.9]),
)
def test_a_smoother_that_is_kept_agrees_with_a_new_one_after_every_change(
    changes: list[tuple[int, float]], weight: float
) -> None:
    series, kept = frozen(1_000)[0], None
    for step, value in changes:
        kept = kept or Smoother(series)
        kept.columns(0, 1500, 30, weight)
        series.append(step, value)
        got, wanted = kept.columns(0, 1500, 30, weight), Smoother(series).columns(0, 1500, 30, weight)
        assert [g is None for g in got] == [w is None for w in wanted]
        assert [g for g in got if g is not None] == pytest.approx([w for w in wanted if w is not None], abs=1e-6)
