"""Pairs as comparisons in the cookbook's words, asked in both orders and answered with one letter.

The prompt is the one that the cookbook's `PreferenceModelFromChatRenderer` samples its single token after, so what is
trained here judges there. (Its own training data cut an example at the first token that carries loss, which is the
letter only for renderers that write nothing before it.)
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import tinker
from tinker_cookbook.preference.types import Comparison, ComparisonRendererFromChatRenderer

from tcao_tui.data.rows import PreferenceRow
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.pairs import PairRows, Side
from tcao_tui.methods.rendering import ChatRenderer

LETTERS = ("A", "B")
"""What is said when the first or the second answer is the better one."""


class ComparisonWriter:
    """Renders pairs for one model.

    Args:
        renderer: Of the plan.

    Raises:
        PlanInvalid: The model has no single token for a letter.
    """

    def __init__(self, renderer: ChatRenderer) -> None:
        self._chat = renderer
        self._renderer = ComparisonRendererFromChatRenderer(renderer.cookbook)
        self.letters = [self._token(letter) for letter in LETTERS]

    def sides(self, row: PreferenceRow) -> tuple[Side, Side]:
        """The pair with the chosen answer first, then last. Raises `RowRejected`."""
        with self._chat.refusing():
            prompt, chosen, rejected = map(self._chat.messages, (row.prompt, row.chosen, row.rejected))
            comparison = Comparison(prompt, chosen, rejected)
            asked = [self._renderer.build_generation_prompt(each) for each in (comparison, comparison.swap())]
        first, last = (
            ([*each.to_ints(), letter], [False] * each.length + [True])
            for each, letter in zip(asked, self.letters, strict=True)
        )
        return first, last

    def _token(self, letter: str) -> int:
        tokenizer = self._chat.cookbook.tokenizer
        tokens = tokenizer.encode(letter, add_special_tokens=False)
        if len(tokens) != 1 or str(tokenizer.decode(tokens)).strip() != letter:
            raise PlanInvalid(
                f"the model's tokenizer has no single token for the letter {letter!r}, in which a judgement is said",
                where="training.base_model",
                next_step="choose another base model for the preference model",
            )
        return tokens[0]


def with_both_letters(pairs: PairRows, rows: Iterable[int], letters: list[int]) -> list[tinker.Datum]:
    """Rows whose every target is both letters, so that one forward pass tells the logprobs of each; targets (N, 2)."""
    return [_with_targets(datum, letters) for datum in pairs.rows.data(rows)]


def _with_targets(datum: tinker.Datum, letters: list[int]) -> tinker.Datum:
    size = datum.model_input.length
    targets = np.tile(np.asarray(letters, np.int64), size)
    return tinker.Datum(
        model_input=datum.model_input,
        loss_fn_inputs={
            "target_tokens": tinker.TensorData(data=targets, dtype="int64", shape=[size, 2]),
            "weights": tinker.TensorData(data=np.zeros(2 * size, np.float32), dtype="float32", shape=[size, 2]),
        },
    )
