"""The command palette, filled from the key table: what works where one is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tcao_tui.tui.keys import Key, Scope, keys_of


class KeyCommands(Provider):
    """Every key of the present screen as a command."""

    def _keys(self) -> list[Key]:
        scopes: tuple[Scope, ...] = getattr(self.screen, "scopes", (Scope.APP,))
        return [key for key in keys_of(scopes) if key.id != "app.palette"]

    async def discover(self) -> Hits:
        """All of them, in the order of the table."""
        for key in self._keys():
            yield DiscoveryHit(key.help, partial(self._run, key), help=self._told(key))

    async def search(self, query: str) -> Hits:
        """Those that match what is typed."""
        matcher = self.matcher(query)
        for key in self._keys():
            score = matcher.match(key.help)
            if score > 0:
                yield Hit(score, matcher.highlight(key.help), partial(self._run, key), help=self._told(key))

    def _told(self, key: Key) -> str:
        """The key, and why it would do nothing here."""
        why_not: Callable[[str], str] = getattr(self.screen, "why_not", lambda _act: "")
        return " · ".join(part for part in (key.shown, why_not(key.id.rpartition(".")[2])) if part)

    def _run(self, key: Key) -> None:
        self.app.simulate_key(key.key(is_typing=getattr(self.screen, "is_typing", False)))
