"""What a grader is: it judges one answer against the wanted one."""

from __future__ import annotations

from typing import ClassVar, Protocol


class Grader(Protocol):
    """Judge of answers; holds no state between rows.

    A class that takes an argument has a class attribute `argument`, which says in words what it is, and an `__init__`
    that takes it as text, "" when it was left out, and raises `ValueError` when it will not do. One whose answers must
    have a form, and are wrong without it, has `checks_form` set, so that the share of answers in that form is told.
    """

    name: ClassVar[str]

    def __init__(self, argument: str = "", /) -> None:
        """Take the argument, where the class has one."""
        ...

    def read(self, answer: str) -> str | None:
        """What of an answer is compared, as people are shown it; None when it holds nothing of the kind."""
        ...

    def grade(self, answer: str, reference: str) -> float | None:
        """Whether `answer` is right, or how right it is, 0 to 1.

        Returns:
            A bool or a number; None when this row cannot be graded, which is never counted as wrong.
        """
        ...
