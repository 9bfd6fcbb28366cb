"""Right is what a Python function says: `function(answer, reference)` gives a bool, a number, or None for unscored.

The function is named as `module:function` and must be importable where it is used: installed, or on PYTHONPATH. It is
called between two answers of the training, so it should be quick; what needs time or a sandbox is an environment.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import ClassVar, cast


class PythonFunction:
    """A function of your own."""

    name: ClassVar[str] = "python"
    argument: ClassVar[str] = "module:function, such as python:my_rewards:grade"

    def __init__(self, argument: str = "", /) -> None:
        module, colon, name = argument.partition(":")
        if not (module and colon and name):
            raise ValueError("it needs module:function")
        try:
            found = getattr(import_module(module), name, None)
        except Exception as error:
            # Somebody else's module may raise anything while it is imported.
            raise ValueError(f"{module} cannot be imported: {type(error).__name__}: {error}") from error
        if not callable(found):
            raise ValueError(f"{module} has no function {name}")
        self._function = cast("Callable[[str, str], float | None]", found)

    def read(self, answer: str) -> str | None:
        """The whole answer, which is what the function gets."""
        return answer

    def grade(self, answer: str, reference: str) -> float | None:
        """What the function says. Raises what it raises."""
        return self._function(answer, reference)
