"""Rendered rows as two flat arrays, five bytes a token, and `Datum`s made of them when they are due.

A row's loss weights sum to 1, as in the cookbook's supervised training (`reduction="mean"`): long answers do not
outweigh short ones, and losses compare with the cookbook's. Preferences compare whole answers: there each weighs 1.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

import numpy as np
import tinker


class TokenRows:
    """Rows in file order; a row that will never be used is held as an empty one.

    Args:
        max_tokens: The longest length.
        summed: Weigh every token that carries loss by 1 instead of by its share of the row.

    Attributes:
        truncated: Rows that were cut to the longest length.
        thinking_left_out: Rows in which the renderer writes earlier turns without their thinking.
        without_loss: Used rows none of whose tokens carries loss, by row index.
    """

    def __init__(self, max_tokens: int, *, summed: bool = False) -> None:
        self._max_tokens, self._summed = max_tokens, summed
        self._tokens: array[int] = array("i")
        self._trained: array[int] = array("b")
        self._starts: array[int] = array("q", [0])
        self.truncated = 0
        self.thinking_left_out = 0
        self.without_loss: list[int] = []

    def __len__(self) -> int:
        return len(self._starts) - 1

    def add(self, tokens: Sequence[int], trained: Iterable[bool]) -> None:
        """Append a row: all its tokens, and whether each carries loss. What exceeds the longest length is cut."""
        marks = array("b", trained)
        if len(tokens) > self._max_tokens:
            self.truncated += 1
            tokens, marks = tokens[: self._max_tokens], marks[: self._max_tokens]
        # The first token is predicted from nothing, so it never carries loss.
        marks[0] = 0
        if 1 not in marks:
            self.without_loss.append(len(self))
        self._tokens.extend(tokens)
        self._trained.extend(marks)
        self._starts.append(len(self._tokens))

    def skip(self) -> None:
        """Append a row that will not be used."""
        self._starts.append(self._starts[-1])

    @property
    def used(self) -> int:
        """Rows that are held."""
        return sum(1 for row in range(len(self)) if self._starts[row + 1] > self._starts[row])

    @property
    def tokens(self) -> int:
        """Tokens that one pass over the held rows sends: one less per row than it has."""
        return len(self._tokens) - self.used

    @property
    def lengths(self) -> list[int]:
        """Tokens that each row sends, one less than it has."""
        return [max(0, self._starts[row + 1] - self._starts[row] - 1) for row in range(len(self))]

    @property
    def loss_tokens(self) -> int:
        """Tokens that carry loss in one pass."""
        return int(np.frombuffer(self._trained, np.int8).sum()) if self._trained else 0

    def loss_tokens_of(self, rows: Iterable[int]) -> int:
        """Tokens that carry loss in these rows."""
        trained = np.frombuffer(self._trained, np.int8)
        return sum(int(trained[self._starts[row] : self._starts[row + 1]].sum()) for row in rows)

    def data(self, rows: Iterable[int]) -> list[tinker.Datum]:
        """The rows as the server takes them, right-shifted inputs and left-shifted targets."""
        tokens = np.frombuffer(self._tokens, np.int32)
        trained = np.frombuffer(self._trained, np.int8)
        return [self._datum(tokens, trained, self._starts[row], self._starts[row + 1]) for row in rows]

    def _datum(self, tokens: np.ndarray, trained: np.ndarray, start: int, stop: int) -> tinker.Datum:
        weights = trained[start + 1 : stop].astype(np.float32)
        total = weights.sum()
        if total > 0 and not self._summed:
            weights /= total
        size = stop - start - 1
        return tinker.Datum(
            model_input=tinker.ModelInput.from_ints(tokens[start : stop - 1].tolist()),
            loss_fn_inputs={
                "weights": tinker.TensorData(data=weights, dtype="float32", shape=[size]),
                "target_tokens": tinker.TensorData(
                    data=tokens[start + 1 : stop].astype(np.int64), dtype="int64", shape=[size]
                ),
            },
        )
