"""Consent to a plan: what is validated and what it costs stands there, and a person types the answer.

It opens only when asked for, the answer is No unless typed, and keys that were pressed before the dialog could be read
count for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.wording import money_text
from tcao_tui.tui.panes.planner.approve_lines import approve_lines
from tcao_tui.tui.widgets.line_view import LineView

GRACE_SECONDS = 0.5
FREE_WORD = "y"


@dataclass(frozen=True, slots=True)
class Consent:
    """What the person typed: the plan that was shown, and the most it may cost; None where nothing costs."""

    approval_hash: str
    max_cost_usd: float | None


class ApprovePlanScreen(ModalScreen[Consent | None]):
    """Answers with the consent, or None.

    Args:
        sheet: A plan that may be approved.
        can_run: Whether a worker can carry out its method.
        clock: Seconds that only grow.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", show=False),
        Binding("up", "scroll_plan(-1)", show=False),
        Binding("down", "scroll_plan(1)", show=False),
        Binding("pageup", "scroll_plan(-8)", show=False),
        Binding("pagedown", "scroll_plan(8)", show=False),
    ]
    DEFAULT_CSS = """
    ApprovePlanScreen {
        align: center middle;
        & #box { width: 96; max-width: 96%; height: auto; max-height: 96%; padding: 1 2; }
        & #box { background: $surface; border: round $warning; }
        & #head { height: 1; }
        & #title { width: 1fr; text-style: bold; }
        & #hash { width: auto; color: $foreground-muted; }
        & #plan-summary { height: auto; max-height: 100%; margin: 1 0; }
        & Input { height: 1; border: none; padding: 0 1; background: $panel; }
        & Input:focus { border: none; }
        & #hint { color: $foreground-muted; }
    }
    """

    def __init__(self, sheet: PlanSheet, *, can_run: bool, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        assert sheet.plan is not None
        assert sheet.approval_hash is not None
        self._plan, self._sheet, self._hash = sheet.plan, sheet, sheet.approval_hash
        self._can_run = can_run
        self._clock = clock
        self._shown_at = clock()

    @property
    def _is_free(self) -> bool:
        return self._sheet.quote is not None and self._sheet.quote.is_free

    def compose(self) -> ComposeResult:
        """Title, the plan, one field."""
        with Vertical(id="box"):
            with Horizontal(id="head"):
                yield Static(f"Approve {self._plan.training.run_name}?", id="title", markup=False)
                yield Static(f"plan {self._hash}", id="hash", markup=False)
            yield LineView(id="plan-summary")
            yield GraceInput(self._is_early, placeholder=self._asked_for)
            yield Static(self._hint, id="hint", markup=False)

    @property
    def _asked_for(self) -> str:
        if self._is_free:
            return f"type {FREE_WORD} and press Enter to approve; Enter alone is No"
        cap = self._plan.budget.max_cost_usd
        amount = "the most it may cost, in US dollars," if cap is None else f"{cap:.2f}"
        return f"type {amount} and press Enter; Enter alone is No"

    @property
    def _hint(self) -> str:
        if not self._can_run:
            return f"No worker carries out {self._plan.method} yet: approved and written, nothing starts."
        if self._is_free:
            return "Free. It trains on without this console."
        cap, cost = self._plan.budget.max_cost_usd, self._sheet.cost
        expected = money_text(None if cost is None else cost.total.expected_usd)
        most = "" if cap is None else f", at most {money_text(cap)}"
        return f"This spends money on your account: {expected} expected{most}."

    def _is_early(self) -> bool:
        return self._clock() - self._shown_at < GRACE_SECONDS

    def on_mount(self) -> None:
        """The time to read begins now."""
        self._shown_at = self._clock()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the width and the height."""
        self.query_one("#plan-summary").styles.max_height = max(event.size.height - 10, 4)
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        view = self.query_one("#plan-summary", LineView)
        view.show(approve_lines(self._plan, self._sheet, view.size.width or 80))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        typed = event.value.strip().lower()
        if not typed:
            self.dismiss(None)
        elif self._is_free:
            self._consent(None, is_given=typed == FREE_WORD)
        else:
            amount, cap = _amount(typed), self._plan.budget.max_cost_usd
            self._consent(amount, is_given=amount is not None and cap in (None, amount))

    def _consent(self, amount: float | None, *, is_given: bool) -> None:
        if is_given:
            self.dismiss(Consent(self._hash, amount))
            return
        self.query_one(Input).value = ""
        cap = self._plan.budget.max_cost_usd
        asks = f"the cap, {money_text(cap)}; it is changed on the plan card" if cap is not None else "an amount"
        self.query_one("#hint", Static).update(f"That is not {FREE_WORD}." if self._is_free else f"That is not {asks}.")

    def action_scroll_plan(self, by: int) -> None:
        """Scroll the plan."""
        self.query_one("#plan-summary", LineView).scroll_lines(by)

    def action_cancel(self) -> None:
        """Approve nothing."""
        self.dismiss(None)


class GraceInput(Input):
    """Takes no key before the dialog could be read.

    Args:
        is_early: Whether that time is not over.
        placeholder: What to type.
    """

    def __init__(self, is_early: Callable[[], bool], *, placeholder: str) -> None:
        super().__init__(placeholder=placeholder)
        self._is_early = is_early

    def on_key(self, event: events.Key) -> None:
        """Drop what was typed before the dialog was there."""
        if self._is_early():
            event.stop()
            event.prevent_default()


def _amount(text: str) -> float | None:
    try:
        amount = float(text.removeprefix("$").replace(",", ""))
    except ValueError:
        return None
    return amount if 0 <= amount < float("inf") else None
