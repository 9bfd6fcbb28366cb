"""Inspect in the process of the tests, without what it leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def inspect_alone(data: Path) -> Iterator[None]:
    """Keep Inspect's data below `data`, and take away its handler of the root logger: it prints to others' stdout."""
    root = logging.getLogger()
    handlers, level = [*root.handlers], root.level
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_DATA_HOME", str(data))
        yield
    root.setLevel(level)
    for handler in [*root.handlers]:
        if handler not in handlers:
            root.removeHandler(handler)
