"""A new run: the plan file's path, what it would do and cost, and the word that lets it start.

Nothing is spent before that: free backends take Enter on an explicit choice, others the typed word `approve`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcao_tui.tui.messages import LaunchPlan, NotDone, PlanRead, PreviewPlan
from tcao_tui.tui.ports import PlanPreview
from tcao_tui.tui.screens.confirm import GRACE_SECONDS
from tcao_tui.tui.widgets.line_view import Line, LineView
from tcao_tui.tui.widgets.text_block import wrapped

SPENDING_WORD = "approve"
FREE_WORD = "y"


class NewRunScreen(ModalScreen[None]):
    """Path first, then consent.

    Args:
        clock: Seconds that only grow, for the grace period.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]
    DEFAULT_CSS = """
    NewRunScreen {
        align: center middle;
        & #box { width: 92; max-width: 96%; height: auto; max-height: 94%; padding: 1 2; }
        & #box { background: $surface; border: round $line; }
        & #title { text-style: bold; }
        & #summary { height: auto; max-height: 26; margin: 1 0; }
        & Input { height: 1; border: none; padding: 0 1; background: $panel; }
        & #hint { color: $foreground-muted; }
    }
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._shown_at = 0.0
        self._preview: PlanPreview | None = None

    def compose(self) -> ComposeResult:
        """Title, summary, one input."""
        with Vertical(id="box"):
            yield Static("New run", id="title", markup=False)
            yield LineView(id="summary")
            yield Input(placeholder="path of a plan or training config, such as plans/first.yaml")
            yield Static("Enter reads the plan; nothing is started yet. Esc leaves.", id="hint", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if self._preview is None:
            self._read(event.value)
        elif event.value.strip().lower() == self._word and self._clock() - self._shown_at >= GRACE_SECONDS:
            self.app.post_message(LaunchPlan(self._preview))
            self.dismiss()
        elif not event.value.strip():
            self.dismiss()
        else:
            event.input.value = ""

    @property
    def _word(self) -> str:
        return FREE_WORD if self._preview is not None and self._preview.is_free else SPENDING_WORD

    def _read(self, path: str) -> None:
        if path.strip():
            self._hint("Reading ...")
            self.app.post_message(PreviewPlan(Path(path.strip()).expanduser().absolute()))

    @on(PlanRead)
    def show_plan(self, event: PlanRead) -> None:
        """Show what the plan would do, and ask."""
        preview = event.preview
        self.query_one("#summary", LineView).show(summary_lines(preview, self.query_one("#summary").size.width or 80))
        field = self.query_one(Input)
        field.value = ""
        self.query_one("#title", Static).update(f"New run: {preview.name}")
        if preview.problems:
            field.display = False
            self._hint("This plan cannot be started as it is. Esc leaves.")
            return
        self._preview, self._shown_at = preview, self._clock()
        field.placeholder = f"type {self._word} and press Enter to start; Enter alone is No"
        self._hint("It runs on without this console." if preview.is_free else "This spends money on your account.")

    @on(NotDone)
    def show_refusal(self, event: NotDone) -> None:
        """Show why the plan cannot be read; another path may be typed."""
        width = self.query_one("#summary").size.width or 80
        text = wrapped(event.text, width)
        lines: list[Line] = [((line, "bad" if i == 0 else "text"),) for i, line in enumerate(text)]
        self.query_one("#summary", LineView).show(lines)
        self._hint("Enter reads the plan; nothing is started yet. Esc leaves.")

    def _hint(self, text: str) -> None:
        self.query_one("#hint", Static).update(text)

    def action_cancel(self) -> None:
        """Start nothing."""
        self.dismiss()


def summary_lines(preview: PlanPreview, width: int) -> list[Line]:
    """The plan in labelled lines, then the estimate, then what is wrong with it."""
    lines: list[Line] = []
    for block in (preview.facts, preview.estimate):
        if lines:
            lines.append(())
        for label, text in block:
            first, *rest = wrapped(text, width - 14, most=3)
            lines.append(((f"{label:>11}  ", "muted"), (first, "strong" if label == "cost" else "text")))
            lines += [((" " * 13, "muted"), (line, "text")) for line in rest]
    for problem in preview.problems:
        lines.append(())
        lines += [((f"✗ {line}", "bad"),) for line in wrapped(problem, width - 2)]
    return lines
