from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.domain.axes import format_number, nice_axis
from tcao_tui.domain.braille import DOTS_HIGH, DOTS_WIDE, DotGrid
from tcao_tui.domain.series import Series
from tcao_tui.tui.widgets.plot import LABEL_WIDTH, Curve, Frame, Ink, Mark, PlotSpec, draw

BRAILLE = range(0x2801, 0x2900)


def series_of(*values: float) -> Series:
    series = Series()
    for step, value in enumerate(values):
        series.append(step, value)
    return series


def text_of(frame: Frame) -> list[str]:
    return ["".join(row) for row in frame.rows]


def braille_cells(frame: Frame) -> list[tuple[int, int]]:
    return [(x, y) for y, row in enumerate(frame.rows) for x, c in enumerate(row) if ord(c) in BRAILLE]


def test_a_line_between_two_dots_has_no_gap() -> None:
    grid = DotGrid(4, 3)
    grid.line(0, 0, 7, 11)
    dots = {
        (x, y)
        for x in range(8)
        for y in range(12)
        if grid.masks[(y // DOTS_HIGH) * 4 + x // DOTS_WIDE]
        & ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))[x % 2][y % 4]
    }
    for x in range(1, 8):
        left = [y for a, y in dots if a == x - 1]
        here = [y for a, y in dots if a == x]
        assert min(abs(p - q) for p in left for q in here) <= 1


def test_dots_outside_the_grid_are_left_out() -> None:
    grid = DotGrid(2, 1)
    grid.column(-1, 0, 3)
    grid.column(9, 0, 3)
    grid.column(0, -5, 50)
    assert list(grid.masks) == [0x47, 0]


@given(
    st.floats(-1e9, 1e9, allow_nan=False),
    st.floats(1e-6, 1e9, allow_nan=False),
    st.integers(1, 10),
)
def test_a_nice_axis_holds_its_range_and_its_ticks_ascend(low: float, span: float, count: int) -> None:
    axis = nice_axis(low, low + span, count)
    slack = 1e-8 * max(abs(low), span)
    assert axis.low <= low + slack
    assert axis.high >= low + span - slack
    assert list(axis.ticks) == sorted(axis.ticks)


@given(st.floats(-1e11, 1e11, allow_nan=False))
def test_a_number_fits_the_label_and_keeps_its_size(value: float) -> None:
    text = format_number(value)
    assert len(text) <= LABEL_WIDTH
    scale = {"k": 1e3, "M": 1e6, "G": 1e9}.get(text[-1], 1.0)
    read = float(text.rstrip("kMG")) * scale
    assert read == pytest.approx(value, rel=0.06, abs=1e-9)


def test_a_spike_among_a_hundred_thousand_steps_stays_visible() -> None:
    calm = series_of(*([1.0] * 100_000))
    spiked = series_of(*([1.0] * 100_000))
    spiked.append(54_321, 9.0)
    tall = draw(PlotSpec("x", [Curve("y", spiked)]), 80, 20)
    flat = draw(PlotSpec("x", [Curve("y", calm)]), 80, 20)
    assert len({y for _, y in braille_cells(tall)}) > 10
    assert len({y for _, y in braille_cells(flat)}) == 1


def test_values_that_are_not_finite_are_marked_above_their_column() -> None:
    frame = draw(PlotSpec("x", [Curve("y", series_of(1.0, math.nan, 3.0, math.inf, 2.0))], last_step=4), 48, 10)
    assert frame.rows[1].count("×") == 2


def test_only_nan_draws_no_line_and_does_not_fail() -> None:
    frame = draw(PlotSpec("x", [Curve("y", series_of(math.nan, math.nan))]), 40, 8)
    assert braille_cells(frame) == []


def test_an_empty_chart_says_so() -> None:
    assert any("no data yet" in row for row in text_of(draw(PlotSpec("x", [Curve("y", Series())]), 40, 8)))


@pytest.mark.parametrize(("width", "height"), [(0, 0), (5, 3), (12, 2), (13, 3), (200, 60)])
def test_any_size_draws_without_failing(width: int, height: int) -> None:
    frame = draw(PlotSpec("loss", [Curve("train", series_of(3, 2, 1))], [Mark(1)], cursor=1), width, height)
    assert [len(row) for row in frame.rows] == [width] * height


def test_a_smoothed_curve_keeps_the_raw_one_as_a_ghost() -> None:
    values = [float(i % 2) for i in range(60)]
    frame = draw(PlotSpec("x", [Curve("y", series_of(*values), smoothing=0.9)]), 60, 12)
    inks = {frame.inks[y][x] for x, y in braille_cells(frame)}
    assert {int(Ink.GHOST), int(Ink.CURVE)} <= inks


def test_a_checkpoint_stands_on_the_curve_at_its_step() -> None:
    frame = draw(PlotSpec("x", [Curve("y", series_of(*range(101)))], [Mark(50)], last_step=100), 108, 22)
    (x, y) = next((x, y) for y, row in enumerate(frame.rows) for x, c in enumerate(row) if c == "◆")
    assert abs(x - (LABEL_WIDTH + 50)) <= 1
    assert abs(y - 11) <= 1


def test_a_point_more_changes_only_cells_near_the_end() -> None:
    series = series_of(*(1.0 + i % 3 for i in range(50)))
    spec = PlotSpec("x", [Curve("y", series)], last_step=100)
    before = draw(spec, 108, 12)
    series.append(50, 1.0)
    after = draw(spec, 108, 12)
    spans = [after.changed_span(before, y) for y in range(1, 12)]
    assert any(spans)
    assert all(span is None or (span[0] >= LABEL_WIDTH + 48 and span[1] <= LABEL_WIDTH + 53) for span in spans)


def test_the_cursor_reads_the_values_of_its_step() -> None:
    frame = draw(PlotSpec("x", [Curve("y", series_of(5, 6, 7))], last_step=2, cursor=1), 60, 8)
    assert "━ y 6  at step 1" in text_of(frame)[0]


def test_a_log_axis_leaves_out_what_it_cannot_show() -> None:
    frame = draw(PlotSpec("x", [Curve("y", series_of(-1.0, 0.0, 1.0, 10.0))], log_y=True), 40, 8)
    assert braille_cells(frame)


def test_tagged_curves_end_in_their_tags_and_are_not_in_the_title() -> None:
    curves = [Curve("p", series_of(1.0, 2.0, math.nan), 0, tag="a"), Curve("q", series_of(5.0, 4.0), 1, tag="b")]
    frame = draw(PlotSpec("loss", curves, last_step=4), LABEL_WIDTH + 40, 12)
    places = {c: (x, y) for y, row in enumerate(frame.rows) for x, c in enumerate(row) if c in "ab" and y}
    assert places["b"][1] < places["a"][1]
    assert {x for x, _ in places.values()} == {LABEL_WIDTH + 10}
    assert frame.inks[places["b"][1]][places["b"][0]] == Ink.CURVE + 1
    assert "".join(frame.rows[0]).strip() == "loss"


def test_the_axis_below_may_count_something_else_than_steps() -> None:
    series = Series()
    series.append(0, 1.0)
    series.append(2_000_000, 2.0)
    frame = draw(PlotSpec("x", [Curve("y", series)], step_size=1e-6), 80, 8)
    assert "".join(frame.rows[-1]).split() == ["0", "0.5", "1", "1.5", "2"]
