"""What a grader is: it judges one answer against the wanted one."""

from __future__ import annotations

from typing import ClassVar, Protocol


class Grader(Protocol):
    """Judge of answers; holds no state between rows."""

    name: ClassVar[str]

    def grade(self, answer: str, reference: str) -> bool | None:
        """Whether `answer` is right; None when this row cannot be graded, which is never counted as wrong."""
        ...
