"""The yardstick of first paint: the least Textual app with one table of 20 rows and one chart of 1,000 points."""

from __future__ import annotations

import math

from textual.app import App, ComposeResult
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import DataTable, Footer, Header


class BareChart(Widget):
    """A chart reduced to its cost: one braille row per line, no axes, no cache."""

    DEFAULT_CSS = "BareChart { height: 1fr; }"

    def render_line(self, y: int) -> Strip:
        """A row of a sine."""
        width, height = self.size
        rows = [round((1 - math.sin(x / 9)) / 2 * (height - 1)) for x in range(width)]
        from rich.segment import Segment

        return Strip([Segment("".join("⣿" if row == y else " " for row in rows))])


class BareApp(App[None]):
    """Header, table, chart, footer."""

    def compose(self) -> ComposeResult:
        """The four widgets."""
        yield Header()
        yield DataTable[str]()
        yield BareChart()
        yield Footer()

    def on_mount(self) -> None:
        """Fill the table."""
        table = self.query_one(DataTable)
        table.add_columns("run", "status", "step", "loss")
        for row in range(20):
            table.add_row(f"run-{row}", "running", str(row), "0.5")


if __name__ == "__main__":
    BareApp().run()
