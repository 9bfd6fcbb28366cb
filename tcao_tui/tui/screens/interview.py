"""The planner's screen: its pane and its keys. The interview is opened in a thread, after the first paint."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from tcao_tui.tui.editor import edit_text
from tcao_tui.tui.interview_port import InterviewWanted
from tcao_tui.tui.keys import Scope
from tcao_tui.tui.messages import HoldInterview, InterviewOpened
from tcao_tui.tui.panes.planner.commands import command_lines
from tcao_tui.tui.panes.planner.pane import PlannerPane
from tcao_tui.tui.panes.planner.plan_card import PlanCard
from tcao_tui.tui.widgets.key_footer import KeyFooter
from tcao_tui.tui.widgets.line_view import Line


class InterviewScreen(Screen[None]):
    """One interview.

    Args:
        wanted: Which.
        clock: Seconds that only grow.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = "InterviewScreen { layout: vertical; }"

    def __init__(self, wanted: InterviewWanted, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._wanted = wanted
        self._clock = clock

    @property
    def wanted(self) -> InterviewWanted:
        """Which interview it is."""
        return self._wanted

    @property
    def is_typing(self) -> bool:
        """Whether letters are text where one is."""
        return not self._is_at_plan

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What works where one is."""
        return (Scope.PLAN, Scope.PLANNER, Scope.APP) if self._is_at_plan else (Scope.PLANNER, Scope.APP)

    @property
    def _is_at_plan(self) -> bool:
        return self.query_one(PlanCard).has_focus_within

    @property
    def pane(self) -> PlannerPane:
        """The pane."""
        return self.query_one(PlannerPane)

    def more_help(self) -> Sequence[Line]:
        """The slash commands, for the help screen."""
        return command_lines()

    def compose(self) -> ComposeResult:
        """The pane and the keys."""
        yield PlannerPane(self._clock, partial(edit_text, self.app))
        yield KeyFooter(Scope.PLANNER, Scope.APP, is_typing=True)

    def on_mount(self) -> None:
        """Ask for the interview."""
        self.app.post_message(HoldInterview(self._wanted))

    def take(self, event: InterviewOpened) -> None:
        """The interview that was asked for."""
        if event.wanted is self._wanted:
            self.pane.take(event.session, self._wanted.opening)

    @on(events.DescendantFocus)
    @on(PlannerPane.TurnChanged)
    def _offer_keys(self) -> None:
        footer = self.query_one(KeyFooter)
        footer.offer(*self.scopes, is_typing=self.is_typing)
        footer.leave_out(self.pane.senseless_keys | (frozenset() if self.is_typing else {"planner.back"}))
