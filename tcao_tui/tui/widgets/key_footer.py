"""One line of keys at the bottom; what does not fit is left out from the right, `?` shows all."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events

from tcao_tui.tui.keys import Key, Scope, keys_of
from tcao_tui.tui.widgets.line_view import LineView, Span


class KeyFooter(LineView):
    """Shows the keys of some scopes.

    Args:
        scopes: In this order.
        is_typing: Letters are text here, so keys that are letters are shown by their other key.
    """

    DEFAULT_CSS = """
    KeyFooter { dock: bottom; height: 1; background: $panel; }
    """

    def __init__(self, *scopes: Scope, is_typing: bool = False) -> None:
        super().__init__()
        self._is_typing = is_typing
        self._scopes = scopes
        self._without: frozenset[str] = frozenset()
        self._places: list[tuple[int, int, Key]] = []

    def offer(self, *scopes: Scope, is_typing: bool) -> None:
        """Show the keys of other scopes."""
        if (scopes, is_typing) != (self._scopes, self._is_typing):
            self._scopes, self._is_typing = scopes, is_typing
            self._draw()

    def leave_out(self, ids: frozenset[str]) -> None:
        """Do not offer these keys for now."""
        if ids != self._without:
            self._without = ids
            self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new width."""
        super().on_resize(event)
        self._draw()

    def _draw(self) -> None:
        last = [k for k in keys_of([Scope.APP]) if k.label]
        room = self.size.width - sum(self._width(k) for k in last)
        first: list[Key] = []
        for key in keys_of(s for s in self._scopes if s is not Scope.APP):
            if key.label and key.id not in self._without and (room := room - self._width(key)) >= 0:
                first.append(key)
        spans: list[Span] = []
        self._places, x = [], 0
        for key in (*first, *last):
            spans += [(f" {key.shown_as(is_typing=self._is_typing)} ", "info"), (f"{key.label} ", "muted")]
            self._places.append((x, x + self._width(key), key))
            x += self._width(key)
        self.show([tuple(spans)])

    def on_click(self, event: events.Click) -> None:
        """A click on a key is the key."""
        for start, stop, key in self._places:
            if start <= event.x < stop:
                self.app.simulate_key(key.key(is_typing=self._is_typing))

    @property
    def offered(self) -> Sequence[str]:
        """Ids of the keys in sight."""
        return [key.id for _start, _stop, key in self._places]

    def _width(self, key: Key) -> int:
        return len(key.shown_as(is_typing=self._is_typing)) + len(key.label) + 3
