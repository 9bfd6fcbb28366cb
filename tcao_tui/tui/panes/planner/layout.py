"""How the planner's pane is laid out: the plan beside the talk where there is room, else one key away."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.panes.planner.plan_card import PlanCard
from tcao_tui.tui.panes.planner.talk import Talk
from tcao_tui.tui.panes.planner.title_line import title_line
from tcao_tui.tui.widgets.line_view import LineView
from tcao_tui.tui.widgets.offers import Offers

WIDE = 110
"""Columns from which on the plan stands beside the talk."""


class PlannerLayout(Widget):
    """Title, talk and plan card.

    Args:
        clock: Seconds that only grow.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.PLANNER)]
    DEFAULT_CSS = """
    PlannerLayout {
        height: 1fr;
        layout: vertical;
        & #title { height: 1; background: $panel; }
        & #columns { height: 1fr; }
        & Talk { width: 1fr; }
        & PlanCard { width: 42%; max-width: 72; border-left: solid $line; display: none; }
        &.-wide PlanCard { display: block; }
        &.-plan PlanCard { display: block; width: 1fr; max-width: 200; border-left: none; }
        &.-plan Talk { display: none; }
    }
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self.clock = clock
        self._state: InterviewState | None = None

    def complete(self, line: str, cursor: int) -> Offers:
        """Completions for the composer; called in a thread."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Title, then talk and plan."""
        yield LineView(id="title")
        with Horizontal(id="columns"):
            yield Talk(self.complete, self.clock)
            yield PlanCard()

    def on_mount(self) -> None:
        """Write at once."""
        self.talk.composer.focus()

    @property
    def talk(self) -> Talk:
        """The conversation."""
        return self.query_one(Talk)

    @property
    def plan_card(self) -> PlanCard:
        """The plan."""
        return self.query_one(PlanCard)

    async def draw(self, state: InterviewState, sheet: PlanSheet) -> None:
        """Show an interview as far as it has come."""
        self._state = state
        await self.talk.show(state)
        self.plan_card.show(sheet, is_approved=state.approved is not None)
        self._draw_title()

    def _draw_title(self) -> None:
        if width := self.size.width:
            self.query_one("#title", LineView).show([title_line(self._state, width)])

    def on_resize(self, event: events.Resize) -> None:
        """Plan beside the talk where there is room."""
        is_wide = event.size.width >= WIDE
        self.set_class(is_wide, "-wide")
        self.set_class(self.plan_card.has_focus_within and not is_wide, "-plan")
        self.call_after_refresh(self._draw_title)

    def show_talk(self) -> None:
        """Back to the conversation."""
        self.remove_class("-plan")
        self.talk.composer.focus()

    def action_plan(self) -> None:
        """To the plan card, or back."""
        if self.plan_card.has_focus_within:
            self.show_talk()
            return
        self.set_class(not self.has_class("-wide"), "-plan")
        self.plan_card.focus_rows()

    def action_tools(self) -> None:
        """To the newest tool."""
        self.talk.transcript.action_step(-1)

    def action_scroll(self, by: float) -> None:
        """Scroll the talk by pages."""
        self.talk.transcript.scroll_pages(by)

    async def action_end(self) -> None:
        """To the newest words."""
        await self.talk.transcript.show_end()
