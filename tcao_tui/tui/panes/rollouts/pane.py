"""The rollout browser: steps, groups and answers on one side, the whole text of one on the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.message import Message
from textual.widget import Widget

from tcao_tui.domain.rollout_choice import RolloutChoice
from tcao_tui.domain.rollouts import RolloutGroup
from tcao_tui.domain.run_view import RunView
from tcao_tui.domain.training_events import RolloutsTaken
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.messages import ReadRollouts
from tcao_tui.tui.panes.rollouts.lines import Row, choice_line, row_line, rows_of, text_lines, title_lines
from tcao_tui.tui.ring import next_of
from tcao_tui.tui.widgets.find_line import FindLine
from tcao_tui.tui.widgets.flow_view import FlowView
from tcao_tui.tui.widgets.line_view import Line, LineView

WIDE_FROM = 110
"""Cells across from which list and text stand side by side."""


class RolloutsPane(Widget):
    """Browses the answers of one run; the newest step first.

    Args:
        look: The newest view of the run, so that steps that are trained meanwhile can be gone to.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.ROLLOUTS)]
    DEFAULT_CSS = """
    RolloutsPane {
        height: 1fr;
        layout: vertical;
        & #titles { height: 2; }
        & #choice { height: 1; background: $panel; }
        & #both { height: 1fr; layout: vertical; }
        & #rows { height: 2fr; }
        & #whole { height: 3fr; border-top: solid $line; }
        &.-wide #both { layout: horizontal; }
        &.-wide #rows { width: 2fr; height: 1fr; }
        &.-wide #whole { width: 3fr; height: 1fr; border-top: none; border-left: solid $line; }
    }
    """

    class Left(Message):
        """The person wants to go back to the run."""

    def __init__(self, look: Callable[[], RunView]) -> None:
        super().__init__()
        self.can_focus = True
        self._look = look
        self._step = look().marks.rollouts[-1].step
        self._groups: Sequence[RolloutGroup] | None = None
        self._rows: list[Row] = []
        self.choice = RolloutChoice()

    def compose(self) -> ComposeResult:
        """Titles, what is chosen, list and text."""
        yield LineView(id="titles")
        yield LineView(id="choice")
        yield FindLine(placeholder="part of a prompt or an answer; enter keeps it, esc clears it")
        with Container(id="both"):
            yield FlowView(self._row_lines, pick=True, id="rows")
            yield FlowView(lambda width: text_lines(self.row, width), id="whole")

    def on_mount(self) -> None:
        """Take the keys and ask for the newest step."""
        self.query_one("#rows", LineView).can_focus = False  # its own keys would scroll without the cursor
        self.focus()
        self._read()

    @property
    def row(self) -> Row | None:
        """What is under the cursor."""
        index = self.query_one("#rows", LineView).cursor
        return self._rows[index] if index < len(self._rows) else None

    @property
    def step(self) -> int:
        """The step whose answers are looked at."""
        return self._step

    @property
    def is_filled(self) -> bool:
        """Whether the answers of the step have been read."""
        return self._groups is not None

    def take(self, step: int, groups: Sequence[RolloutGroup]) -> None:
        """Show the answers that were read, unless the person has gone on to another step."""
        if step == self._step:
            self._groups = groups
            self._arrange()

    def _steps(self) -> tuple[RolloutsTaken, ...]:
        """All that can be gone to, oldest first, each step once: a step that is trained anew overwrites its file."""
        return tuple({taken.step: taken for taken in self._look().marks.rollouts}.values())

    def _place(self, steps: Sequence[RolloutsTaken]) -> int:
        return next((i for i, taken in enumerate(steps) if taken.step >= self._step), len(steps) - 1)

    def _read(self) -> None:
        steps = self._steps()
        taken = steps[self._place(steps)]
        self._step, self._groups = taken.step, None
        self.post_message(ReadRollouts(self._look().run_id, taken))
        self._arrange()

    def _arrange(self) -> None:
        rows = self.query_one("#rows", LineView)
        self._rows = rows_of(self.choice.of(self._groups or ()))
        self._draw()
        rows.move_to(0)
        rows.move_to(1 if len(self._rows) > 1 else 0)
        self._show_text()

    def _draw(self) -> None:
        rows, width, steps = self.query_one("#rows", FlowView), self.size.width, self._steps()
        if not width or not steps:
            return
        self.query_one("#titles", LineView).show(title_lines(self._look().name, steps, self._place(steps), width))
        shown = sum(row.answer is not None for row in self._rows)
        self.query_one("#choice", LineView).show([choice_line(self.choice, shown, width)])
        rows.remake(self._row_lines)

    def _row_lines(self, width: int) -> list[Line]:
        return [row_line(row, width) for row in self._rows]

    def _show_text(self) -> None:
        whole = self.query_one("#whole", FlowView)
        whole.remake(lambda width: text_lines(self.row, width) if self.is_filled else ())
        whole.scroll_to(y=0, animate=False, immediate=True)

    def on_resize(self, event: events.Resize) -> None:
        """Side by side where there is room."""
        self.set_class(event.size.width >= WIDE_FROM, "-wide")
        self.call_after_refresh(self._draw)

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        self._show_text()

    @on(FindLine.Changed)
    def _find_changed(self, event: FindLine.Changed) -> None:
        self.choice = replace(self.choice, search=event.value.strip())
        self._arrange()

    @on(FindLine.Submitted)
    def _found(self) -> None:
        self.query_one(FindLine).keep()
        self.focus()

    def action_find(self) -> None:
        """Type to find."""
        self.query_one(FindLine).open()

    def action_back(self) -> None:
        """Drop the search, then leave."""
        if self.query_one(FindLine).drop():
            self.focus()
        else:
            self.post_message(self.Left())

    def action_step(self, by: int) -> None:
        """Go to the answers of another step."""
        steps = self._steps()
        self._step = steps[min(max(self._place(steps) + by, 0), len(steps) - 1)].step
        self._read()

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        rows = self.query_one("#rows", LineView)
        rows.move_to(rows.cursor + by)

    def action_scroll_text(self, by: int) -> None:
        """Scroll the whole text."""
        self.query_one("#whole", FlowView).scroll_lines(by)

    def action_order(self) -> None:
        """As sampled, best first, worst first."""
        self.choice = replace(self.choice, order=next_of(self.choice.order))
        self._arrange()

    def action_only(self) -> None:
        """All, groups without signal, answers cut off."""
        self.choice = replace(self.choice, only=next_of(self.choice.only))
        self._arrange()
