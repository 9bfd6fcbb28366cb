"""Names first, imports later: a registry lists names for free and imports only what is asked for."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Any

from tcao_tui.errors import UsageError


class Registry[T]:
    """Named `"module:attribute"` targets of one plug point, ours and those of installed packages.

    Args:
        group: Entry-point group under which third parties plug in, such as `tcao_tui.methods`.
        targets: Our own entries.
    """

    def __init__(self, group: str, targets: dict[str, str]) -> None:
        self.group = group
        self._targets = dict(targets)

    def names(self) -> list[str]:
        """All names, ours first; imports nothing."""
        return [*self._targets, *(n for n in self._third_party if n not in self._targets)]

    def load(self, name: str) -> T:
        """Import the one entry called `name`.

        Raises:
            UsageError: No such entry; the message lists those that exist.
        """
        target = self._targets.get(name) or self._third_party.get(name)
        if target is None:
            raise UsageError(f"no {self.group} called {name!r}; there are: {', '.join(self.names())}")
        module, _, attribute = target.partition(":")
        loaded: Any = getattr(import_module(module), attribute)
        return loaded

    @cached_property
    def _third_party(self) -> dict[str, str]:
        """Read once: asking every installed package takes tens of milliseconds."""
        from importlib.metadata import entry_points  # 12 ms that the first paint does not need

        return {e.name: e.value for e in entry_points(group=self.group)}
