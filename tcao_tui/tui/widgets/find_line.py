"""The line below a table in which one types what to find."""

from __future__ import annotations

from textual.widgets import Input


class FindLine(Input):
    """In sight only while it is typed in or holds something; the pane narrows its table with `Changed`."""

    DEFAULT_CSS = """
    FindLine {
        height: 1; border: none; padding: 0 1; background: $panel; display: none;
        &:focus { border: none; }
        &.-open { display: block; }
    }
    """

    def open(self) -> None:
        """Have it typed in."""
        self.add_class("-open")
        self.focus()

    def keep(self) -> None:
        """Typing has ended: what was typed stays in sight, an empty line goes."""
        self.set_class(bool(self.value.strip()), "-open")

    def drop(self) -> bool:
        """Find everything again; whether there was anything to leave."""
        was_used = self.has_focus or bool(self.value)
        self.value = ""
        self.keep()
        return was_used
