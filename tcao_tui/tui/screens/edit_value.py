"""Changing the plan by hand: the new value, and before it is taken over, what it changes and which gates."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcao_tui.domain.facts import Facts
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.errors import UsageError
from tcao_tui.tui.panes.planner.change_lines import change_lines
from tcao_tui.tui.panes.planner.plan_details import path_lines
from tcao_tui.tui.plan_changes import Edits, changes_between, choices_for, described, typed_value, value_as_text
from tcao_tui.tui.widgets.line_view import Line, LineView
from tcao_tui.tui.widgets.text_block import wrapped


class EditValueScreen(ModalScreen[Edits | None]):
    """Answers with the edits that the person accepts, or None.

    Args:
        sheet: The plan as it stands.
        facts: What is known, for choices.
        judge: The plan as it would stand with edits.
        path: Key path to edit; empty to look at `edits` only.
        edits: Edits to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("ctrl+d", "leave_to_rules", show=False, priority=True),
        Binding("enter", "accept", show=False),
        Binding("pageup", "scroll_changes(-8)", show=False),
        Binding("pagedown", "scroll_changes(8)", show=False),
    ]
    DEFAULT_CSS = """
    EditValueScreen {
        align: center middle;
        & #box { width: 92; max-width: 96%; height: auto; max-height: 96%; padding: 0 2; }
        & #box { background: $surface; border: round $line; }
        & #title { text-style: bold; }
        & #now { height: auto; max-height: 8; margin-bottom: 1; }
        & Input { height: 1; border: none; padding: 0 1; background: $panel; }
        & Input:focus { border: none; }
        & #changes { height: auto; margin: 1 0; }
        & #keys { color: $foreground-muted; }
    }
    """

    def __init__(
        self, sheet: PlanSheet, facts: Facts, judge: Callable[[Edits], PlanSheet], *, path: str = "", edits: Edits
    ) -> None:
        super().__init__()
        self._sheet, self._judge, self._path, self._edits = sheet, judge, path, edits
        self._filled = sheet.draft.get(path)
        self._choices = choices_for(path, sheet, facts)
        self._chosen = -1 if self._filled is None else 0
        self._problem = ""

    def compose(self) -> ComposeResult:
        """The value, its field, what it changes."""
        with Vertical(id="box"):
            yield Static(self._path or "The edited plan", id="title", markup=False)
            yield LineView(id="now")
            if self._path:
                start = self._edits.get(self._path, self._filled.value if self._filled else None)
                yield Input(value_as_text(start), placeholder="empty: the rules decide", select_on_focus=False)
            yield LineView(id="changes")
            choose = "↑↓ choices   " if self._choices else ""
            leave = "^d leave it to the rules   " if self._path else ""
            yield Static(f"⏎ take it over   {choose}{leave}esc keep it", id="keys", markup=False)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the width and the height."""
        self.query_one("#changes").styles.max_height = max(event.size.height - 16, 4)
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        width = self.query_one("#now").size.width or 80
        lines: list[Line] = []
        if self._path:
            lines += [((f" {line}", "muted"),) for line in wrapped(described(self._path), width - 2, most=2)]
            lines += path_lines(self._path, self._filled, width)
        self.query_one("#now", LineView).show(lines)
        self._draw_changes()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        before = self._filled.value if self._filled else None
        try:
            value = typed_value(self._path, event.value)
        except UsageError as error:
            self._edits = {}
            self._problem = str(error)
        else:
            self._edits = {} if value == before else {self._path: value}
            self._problem = ""
        self._draw_changes()

    def _draw_changes(self) -> None:
        view = self.query_one("#changes", LineView)
        width = view.size.width or 80
        if self._problem:
            view.show([((f" {line}", "bad"),) for line in wrapped(self._problem, width - 2, most=4)])
            return
        after = self._judge(self._edits) if self._edits else self._sheet
        view.show(change_lines(changes_between(self._sheet, after, self._edits), self._sheet, after, width))

    def on_key(self, event: events.Key) -> None:
        """Arrows put a choice into the field."""
        if event.key not in ("up", "down") or not self._choices:
            return
        self._chosen = (self._chosen + (1 if event.key == "down" else -1)) % len(self._choices)
        self.query_one(Input).value = value_as_text(self._choices[self._chosen])
        event.stop()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_accept()

    def action_accept(self) -> None:
        """Take the edits over."""
        if not self._problem:
            self.dismiss(self._edits or None)

    def action_leave_to_rules(self) -> None:
        """Take the value back, so that policy decides."""
        if self._path:
            self.dismiss({self._path: None})

    def action_scroll_changes(self, by: int) -> None:
        """Scroll what changes."""
        self.query_one("#changes", LineView).scroll_lines(by)

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(None)
