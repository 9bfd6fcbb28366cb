"""Grader names with their arguments, as far as they can be judged without running one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tcao_tui.domain.checks.findings import Finder, names, nearest, shown
from tcao_tui.domain.gates import Finding

_WITHOUT_ARGUMENT = ("exact", "includes")
_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def check_grader(find: Finder, key: str, spec: str, known: Sequence[str]) -> Iterator[Finding]:
    """Judge `name` or `name:argument`.

    Args:
        find: Of the gate.
        key: Key path of the grader.
        spec: What the plan says.
        known: Names of the graders there are.
    """
    name, colon, argument = spec.partition(":")
    if name not in known:
        near = nearest(name, known) or list(known)
        fix = f"set {key} to {near[0]}" if near else "install a grader"
        yield find.error(key, got=shown(spec), expected=f"one of {names(known)}", fix=fix)
    elif colon and name in _WITHOUT_ARGUMENT:
        yield find.error(
            key, got=f"{shown(spec)}, which takes no argument", expected=f"{name} alone", fix=f"set {key} to {name}"
        )
    elif problem := _problem(name, argument):
        example = {"regex": "regex:answer: (.+)", "python": "python:my_rewards:grade"}[name]
        yield find.error(key, got=f"{shown(spec)}: {problem}", expected=f"such as {example}", fix=f"write {example}")


def _problem(name: str, argument: str) -> str:
    if name == "python":
        return "" if _FUNCTION.fullmatch(argument) else "it needs module:function"
    if name != "regex":
        return ""
    try:
        pattern = re.compile(argument)
    except re.error as error:
        return f"the pattern is broken, {error}"
    if pattern.groups == 1 or "answer" in pattern.groupindex:
        return ""
    return f"the pattern must capture the answer by one group, and has {pattern.groups}"
