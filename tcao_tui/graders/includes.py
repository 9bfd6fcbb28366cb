"""Right means the answer holds the wanted text as whole words, case and white space aside.

Whole words, because a plain search would find "1" in "10"; the price is that "Paris" is not found in "Parisian".
"""

from __future__ import annotations

import re
from typing import ClassVar


class Includes:
    """The wanted text, anywhere in the answer."""

    name: ClassVar[str] = "includes"

    def read(self, answer: str) -> str | None:
        """The answer without white space at its ends; None when nothing is left."""
        return answer.strip() or None

    def grade(self, answer: str, reference: str) -> bool | None:
        """Whether the answer holds the reference; None when there is no reference, which any answer would hold."""
        wanted = _flat(reference)
        if not wanted:
            return None
        return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", _flat(answer)) is not None


def _flat(text: str) -> str:
    return " ".join(text.casefold().split())
