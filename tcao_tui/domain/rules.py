"""Rules between fields of a plan, broken: one shape, so that whoever reports it can name the field and the remedy."""

from __future__ import annotations

from pydantic_core import PydanticCustomError

BROKEN_RULE = "broken_rule"


def broken_rule(what: str, *, expected: str, fix: str, key: str = "") -> PydanticCustomError:
    """The error that a validator raises.

    Args:
        what: What is wrong, with the values.
        expected: What would pass.
        fix: What to do.
        key: Field to correct, below the place of the validator; empty for that place itself.
    """
    return PydanticCustomError(BROKEN_RULE, "{what}", {"what": what, "expected": expected, "fix": fix, "key": key})
