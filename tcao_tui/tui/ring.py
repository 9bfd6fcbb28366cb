"""Keys that go to the next of a few choices, and around."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum


def next_in[T](ring: Sequence[T], now: object, by: int = 1) -> T:
    """The choice `by` places after `now`, beginning again after the last."""
    return ring[(ring.index(now) + by) % len(ring)]


def next_of[E: Enum](now: E) -> E:
    """The same among the members of an enumeration."""
    return next_in([*type(now)], now)
