"""What one decision of policy looks at: the draft so far and the measurements, in typed words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tcao_tui.domain.capabilities import ModelInfo
from tcao_tui.domain.data_profile import DataProfile
from tcao_tui.domain.draft import Alternative, Draft, Filled, KeyPath, Provenance
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.row_tokens import RowTokens, profile_of, row_tokens

INSPECTED = "tcao data inspect"
"""Source of everything that was read off the rows."""


@dataclass(frozen=True)
class Situation:
    """Draft and facts at the moment of one decision. Values of a wrong type count as not there."""

    draft: Draft
    facts: Facts

    def text(self, path: KeyPath) -> str:
        """The text at a key path, "" when there is none."""
        filled = self.draft.get(path)
        return filled.value if filled is not None and isinstance(filled.value, str) else ""

    def number(self, path: KeyPath) -> float | None:
        """The number at a key path."""
        filled = self.draft.get(path)
        value: Any = None if filled is None else filled.value
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return float(value) if is_number and abs(value) < 1e15 else None

    def count(self, path: KeyPath, default: int = 0) -> int:
        """The whole number of at least 1 at a key path."""
        value = self.number(path)
        return int(value) if value is not None and value >= 1 else default

    @cached_property
    def words(self) -> str:
        """The goal in lower case, for looking words up."""
        return self.text("goal").lower()

    @cached_property
    def method(self) -> str:
        """The training method, "sft" until decided."""
        return self.text("method") or "sft"

    @cached_property
    def train(self) -> DataProfile | None:
        """What is known of the training file."""
        return profile_of(self.facts, self.text("training.train_file") or None)

    @cached_property
    def validation(self) -> DataProfile | None:
        """What is known of the validation file."""
        return profile_of(self.facts, self.text("training.val_file") or None)

    @cached_property
    def score(self) -> DataProfile | None:
        """What is known of the rows that are scored."""
        return profile_of(self.facts, self.text("evals.score.file") or None)

    @cached_property
    def model(self) -> ModelInfo | None:
        """What the server says of the base model."""
        return self.facts.model(self.text("training.base_model") or None)

    @cached_property
    def rows(self) -> int:
        """Usable training rows."""
        return 0 if self.train is None else self.train.rows

    @cached_property
    def tokens(self) -> RowTokens | None:
        """Tokens of the training rows."""
        return None if self.train is None else row_tokens(self.train, self.text("training.base_model"))

    @property
    def is_free(self) -> bool:
        """Whether the backend costs nothing."""
        return self.facts.capabilities is not None and self.facts.capabilities.is_free


type Decide = Callable[[Situation], Mapping[KeyPath, Filled]]
"""One decision: the key paths that it can fill; what is in the draft already is kept."""


def filled(
    value: object,
    reason: str,
    source: str = "",
    *,
    by: Provenance = "policy",
    alternatives: tuple[Alternative, ...] = (),
) -> Filled:
    """A value that policy or the data decides."""
    return Filled(value=value, by=by, reason=reason, source=source, alternatives=alternatives)


def word_in(text: str, stems: tuple[str, ...]) -> str:
    """The first of `stems` that begins a word of `text`, which is in lower case; "" when none does.

    A stem that ends in a space stands for the whole word.
    """
    for stem in stems:
        end = r"\b" if stem.endswith(" ") else ""
        if re.search(rf"(?<![a-z0-9]){re.escape(stem.strip())}{end}", text):
            return stem.strip()
    return ""


def counted(number: int, one: str, many: str = "") -> str:
    """`1 row`, `1,500 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
