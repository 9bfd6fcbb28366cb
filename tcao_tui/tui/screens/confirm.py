"""A question whose answer is No unless a person says otherwise, and not within the first moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

GRACE_SECONDS = 0.4
"""A key pressed this soon was meant for what was on screen before."""


class ConfirmScreen(ModalScreen[bool]):
    """Answers True only for `y` after the grace period.

    Args:
        question: One or two sentences.
        clock: Seconds that only grow.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", show=False),
        Binding("n,escape,enter,q", "no", show=False),
    ]
    DEFAULT_CSS = """
    ConfirmScreen {
        align: center middle;
        & #box { width: 60; max-width: 92%; height: auto; padding: 1 2; background: $surface; border: round $warning; }
        & #keys { margin-top: 1; color: $foreground-muted; }
    }
    """

    def __init__(self, question: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._question = question
        self._clock = clock
        self._shown_at = clock()

    def compose(self) -> ComposeResult:
        """The question and its keys."""
        with Vertical(id="box"):
            yield Static(self._question, markup=False)
            yield Static("y yes      n no (also Enter and Esc)", id="keys", markup=False)

    @property
    def takes_consent(self) -> bool:
        """Whether the question has been seen long enough."""
        return self._clock() - self._shown_at >= GRACE_SECONDS

    def action_yes(self) -> None:
        """Consent."""
        if self.takes_consent:
            self.dismiss(True)

    def action_no(self) -> None:
        """Refuse."""
        self.dismiss(False)
