"""Right means the same text, white space at the ends aside."""

from __future__ import annotations

from typing import ClassVar


class ExactMatch:
    """Trimmed exact match."""

    name: ClassVar[str] = "exact"

    def read(self, answer: str) -> str | None:
        """The answer without white space at its ends; None when nothing is left."""
        return answer.strip() or None

    def grade(self, answer: str, reference: str) -> bool | None:
        """Whether both are equal after trimming; None when there is no reference."""
        wanted = reference.strip()
        return answer.strip() == wanted if wanted else None
