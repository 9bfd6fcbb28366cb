"""Right means that what a pattern captures in the answer is what the reference says, white space at the ends aside.

The pattern has one group, such as `answer: (.+)`, or one named `answer`. Of several matches the last one counts. Where
the pattern also matches the reference, what it captures there is wanted, else the whole reference. An answer without a
match is wrong, not unscored: here the form is part of the task.
"""

from __future__ import annotations

import re
from collections import deque
from typing import ClassVar


class RegexMatch:
    """The captured text equals the wanted one."""

    name: ClassVar[str] = "regex"
    checks_form: ClassVar[bool] = True
    argument: ClassVar[str] = "a pattern with one group, such as regex:answer: (.+)"

    def __init__(self, argument: str = "", /) -> None:
        if not argument:
            raise ValueError("it needs a pattern")
        try:
            self._pattern = re.compile(argument)
        except re.error as error:
            raise ValueError(f"the pattern is broken: {error}") from error
        if self._pattern.groups != 1 and "answer" not in self._pattern.groupindex:
            raise ValueError(f"the pattern must have one group, or one named answer, and has {self._pattern.groups}")
        self._group: str | int = "answer" if "answer" in self._pattern.groupindex else 1

    def read(self, answer: str) -> str | None:
        """What the pattern captures; None when it does not match."""
        return self._captured(answer)

    def grade(self, answer: str, reference: str) -> bool | None:
        """Whether the captured texts are equal; None when there is no reference."""
        wanted = self._captured(reference)
        if wanted is None:
            wanted = reference.strip()
        return self._captured(answer) == wanted if wanted else None

    def _captured(self, text: str) -> str | None:
        last = deque(self._pattern.finditer(text), maxlen=1)
        return (last[0][self._group] or "").strip() if last else None
