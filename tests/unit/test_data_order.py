"""Batches as a function of rows, batch size, seed and cursor."""

from __future__ import annotations

import random

import pytest

from tcao_tui.data.order import BatchOrder, epoch_order
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
