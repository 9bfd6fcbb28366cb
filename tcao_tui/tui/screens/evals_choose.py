"""Choosing weights against or with the rule: what the rule says of them, and the reason, for the record."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcao_tui.domain.eval_matrix import EvalMatrix
from tcao_tui.domain.plain_text import one_line


class ChooseWeightsScreen(ModalScreen[str | None]):
    """Answers with the reason, or None.

    Args:
        subject: What is chosen.
        matrix: What the rule says.
        command: The same in a shell.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]
    DEFAULT_CSS = """
    ChooseWeightsScreen {
        align: center middle;
        & #box { width: 76; max-width: 96%; height: auto; padding: 1 2; background: $surface; border: round $line; }
        & Static { height: auto; }
        & #title { text-style: bold; }
        & #rule, & #command, & #keys { color: $foreground-muted; margin-top: 1; }
        & Input { height: 1; border: none; padding: 0 1; background: $panel; margin-top: 1; }
        & Input:focus { border: none; }
    }
    """

    def __init__(self, subject: str, matrix: EvalMatrix, command: str) -> None:
        super().__init__()
        self._subject, self._matrix, self._command = subject, matrix, command

    def compose(self) -> ComposeResult:
        """The subject, the rule's word and the reason."""
        with Vertical(id="box"):
            yield Static(f"Use {one_line(self._subject)}", id="title", markup=False)
            yield Static(rule_text(self._subject, self._matrix), id="rule", markup=False)
            yield Input(placeholder="why, for the record")
            yield Static(self._command, id="command", markup=False)
            yield Static("⏎ choose it   esc leave it", id="keys", markup=False)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if reason := one_line(event.value):
            self.dismiss(reason)
        else:
            self.notify("Say why: the report quotes it.", severity="warning", markup=False)

    def action_cancel(self) -> None:
        """Choose nothing."""
        self.dismiss(None)


def rule_text(subject: str, matrix: EvalMatrix) -> str:
    """What the rule says of a subject, in a sentence."""
    selection = matrix.selection
    if selection is None:
        return "The rule has no word on it: nothing that decides has been measured."
    if subject == selection.recommended:
        return "The rule recommends it too."
    ruling = next((one for one in selection.rulings if one.subject == subject), None)
    said = (
        f"{ruling.outcome}. {one_line(ruling.why)}" if ruling is not None else "the base, which the others are held to"
    )
    return f"The rule recommends {one_line(selection.recommended)}; of this one it says: {said}"
