"""Flat token rows give the same datums as the cookbook."""

from __future__ import annotations

import tinker
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tinker_cookbook.supervised.common import datum_from_model_input_weights

from tcao_tui.methods.token_rows import TokenRows

row = st.lists(st.tuples(st.integers(0, 150_000), st.booleans()), min_size=2, max_size=20)


@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=6), st.integers(2, 12))
def test_datums_are_those_of_the_cookbook(rows: list[list[tuple[int, bool]]], max_tokens: int) -> None:
    flat = TokenRows(max_tokens)
    for tokens in rows:
        flat.add([token for token, _ in tokens], [trained for _, trained in tokens])
    for ours, tokens in zip(flat.data(range(len(rows))), rows, strict=True):
        theirs = datum_from_model_input_weights(
            tinker.ModelInput.from_ints([token for token, _ in tokens]),
            torch.tensor([float(trained) for _, trained in tokens]),
            max_tokens,
            reduction="mean",
        )
        assert ours.model_input.to_ints() == theirs.model_input.to_ints()
        for key in ("weights", "target_tokens"):
            assert ours.loss_fn_inputs[key].tolist() == theirs.loss_fn_inputs[key].tolist()
            assert ours.loss_fn_inputs[key].dtype == theirs.loss_fn_inputs[key].dtype


def test_counts_leave_out_skipped_rows_first_tokens_and_what_was_cut() -> None:
    rows = TokenRows(3)
    rows.add([1, 2, 3, 4], [True, False, True, True])
    rows.skip()
    rows.add([5, 6], [True, False])
    assert (len(rows), rows.used, rows.truncated, rows.without_loss) == (3, 2, 1, [2])
    assert (rows.tokens, rows.loss_tokens) == (3, 1)
    assert rows.loss_tokens_of([0, 2]) == 1
