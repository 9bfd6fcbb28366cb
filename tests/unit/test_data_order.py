"""Batches as a function of rows, batch size, seed and cursor."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.data.order import BatchOrder, TokenOrder, epoch_order
from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.errors import PlanInvalid


def test_an_epoch_is_the_documented_shuffle_of_all_rows() -> None:
    expected = list(range(50))
    random.Random("7:3").shuffle(expected)
    assert list(epoch_order(50, 7, 3)) == expected


def test_epochs_and_seeds_give_other_orders() -> None:
    orders = {tuple(epoch_order(20, seed, epoch)) for seed in (0, 1) for epoch in (0, 1, 2)}
    assert len(orders) == 6


def test_batches_of_an_epoch_are_disjoint_and_leave_out_only_the_remainder() -> None:
    order = BatchOrder(23, 5, seed=1)
    batches = [order.batch(DataCursor(epoch=2, batch=k)) for k in range(order.batches_per_epoch)]
    rows = [row for batch in batches for row in batch]
    assert order.batches_per_epoch == 4
    assert len(rows) == len(set(rows)) == 20
    assert rows == list(epoch_order(23, 1, 2))[:20]


def test_any_cursor_gives_the_same_batch_whatever_was_asked_before() -> None:
    walked, jumped = BatchOrder(23, 5, seed=1), BatchOrder(23, 5, seed=1)
    cursors = [DataCursor.after(step, 4) for step in range(12)]
    expected = [list(walked.batch(cursor)) for cursor in cursors]
    assert [list(jumped.batch(cursor)) for cursor in reversed(cursors)] == expected[::-1]


def test_fewer_rows_than_one_batch_is_an_error_that_names_the_key() -> None:
    with pytest.raises(PlanInvalid) as caught:
        BatchOrder(4, 5, seed=0)
    assert caught.value.where == "training.train_batch_size"
    assert "4 or less" in caught.value.next_step


def test_rows_used_by_part_of_an_epoch_are_those_of_its_batches() -> None:
    order = BatchOrder(23, 5, seed=1)
    used = {row for k in range(2) for row in order.batch(DataCursor(epoch=0, batch=k))}
    assert order.rows_used(2) == used
    assert order.rows_used(5) is None


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(1, 200), st.integers(0, 3))
def test_batches_by_tokens_fill_their_budget_and_exceed_it_by_less_than_a_row(
    lengths: list[int], budget: int, epoch: int
) -> None:
    order = TokenOrder(lengths, budget, seed=5)
    batches = [list(order.batch(DataCursor(epoch=epoch, batch=n))) for n in range(order.batches_per_epoch)]
    rows = [row for batch in batches for row in batch]
    filled = max(budget, *lengths)
    assert rows == list(epoch_order(len(lengths), 5, epoch))[: len(rows)]
    assert all(0 < sum(lengths[row] for row in batch) < filled + lengths[batch[-1]] for batch in batches)
    assert sum(lengths) - sum(lengths[row] for row in rows) < filled


def test_batches_by_tokens_are_cut_where_a_multiple_of_the_budget_is_reached() -> None:
    order = TokenOrder([4] * 8, 10, seed=1)
    rows = list(epoch_order(8, 1, 0))
    batches = [list(order.batch(DataCursor(epoch=0, batch=n))) for n in range(order.batches_per_epoch)]
    assert batches == [rows[:3], rows[3:5], rows[5:8]]


def test_any_cursor_gives_the_same_batch_by_tokens_whatever_was_asked_before() -> None:
    lengths = [3, 9, 1, 7, 7, 2, 5, 8, 4, 6]
    walked, jumped = TokenOrder(lengths, 15, seed=1), TokenOrder(lengths, 15, seed=1)
    cursors = [DataCursor.after(step, walked.batches_per_epoch) for step in range(9)]
    expected = [list(walked.batch(cursor)) for cursor in cursors]
    assert [list(jumped.batch(cursor)) for cursor in reversed(cursors)] == expected[::-1]
