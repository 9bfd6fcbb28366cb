"""Inspect in the process of the tests, without what it leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def inspect_alone() -> Iterator[None]:
    """Take away the handler that Inspect gives to the root logger: it prints other tests' warnings to their stdout."""
    root = logging.getLogger()
    handlers, level = [*root.handlers], root.level
    yield
    root.setLevel(level)
    for handler in [*root.handlers]:
        if handler not in handlers:
            root.removeHandler(handler)
