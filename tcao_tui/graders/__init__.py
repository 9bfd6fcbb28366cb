"""Graders of application-specific evals, by name.

A grader's module imports nothing but the standard library: a copy of it goes with every plan, see `planner.artefacts`.
"""

from __future__ import annotations

from tcao_tui.errors import PlanInvalid
from tcao_tui.graders.port import Grader
from tcao_tui.registry import Registry

GRADERS: Registry[type[Grader]] = Registry(
    "tcao_tui.graders",
    {
        "exact": "tcao_tui.graders.exact:ExactMatch",
        "includes": "tcao_tui.graders.includes:Includes",
        "numeric": "tcao_tui.graders.numeric:NumericMatch",
        "json": "tcao_tui.graders.json_match:JsonMatch",
        "regex": "tcao_tui.graders.regex:RegexMatch",
        "python": "tcao_tui.graders.python_function:PythonFunction",
    },
)
"""A new one is a module here and a line above, or an entry point of the same group."""


def open_grader(spec: str) -> Grader:
    """The grader that `name` or `name:argument` names.

    Raises:
        UsageError: There is no grader of that name; the message lists those that exist.
        PlanInvalid: It takes no argument, needs one, or not this one.
    """
    name, colon, argument = spec.partition(":")
    grader = GRADERS.load(name)
    takes = getattr(grader, "argument", "")
    if colon and not takes:
        raise PlanInvalid(f"grader {name} takes no argument, and was given {argument!r}", next_step=f"write {name}")
    try:
        return grader(argument) if takes else grader()
    except ValueError as error:
        raise PlanInvalid(f"grader {spec!r}: {error}", next_step=f"write {name}:ARGUMENT, {takes}") from error
