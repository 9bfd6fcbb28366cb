"""Key paths of a plan or settings file, as tuples and as people write them: `evals.sample_prompts[2]`."""

from __future__ import annotations

import re

Keys = tuple[str | int, ...]

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def dotted(keys: Keys) -> str:
    """The path in one text."""
    return "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in keys).lstrip(".")


def undotted(path: str) -> Keys:
    """The keys of such a text; a key that holds a dot itself cannot be told from two."""
    return tuple(int(index) if index else name for name, index in _PART.findall(path))
