"""What was written before, to be called back with the up key. Pure."""

from __future__ import annotations

from collections.abc import Sequence


class History:
    """Walks through earlier words; the draft that stood in the composer waits at the end."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._place = 0
        self._draft = ""

    def learn(self, words: Sequence[str]) -> None:
        """Take what was said on record."""
        self._words, self._place = list(words), len(words)

    def add(self, text: str) -> None:
        """Something was sent."""
        if not self._words or self._words[-1] != text:
            self._words.append(text)
        self._place = len(self._words)

    def walked(self, by: int, present: str) -> str | None:
        """The text `by` steps away; None at the ends."""
        place = self._place + by
        if not 0 <= place <= len(self._words):
            return None
        if self._place == len(self._words):
            self._draft = present
        self._place = place
        return self._draft if place == len(self._words) else self._words[place]

    @property
    def is_walking(self) -> bool:
        """Whether an earlier text is in the composer."""
        return self._place < len(self._words)
