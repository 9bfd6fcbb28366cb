"""The checkpoint browser and its keys; what it looks like is `view`, what it remembers is `browsing`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.message import Message
from textual.timer import Timer

from tcao_tui.domain.checkpoint_listing import ListedCheckpoint
from tcao_tui.domain.plain_text import one_line
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.panes.checkpoints.arrange import Arrangement, Group
from tcao_tui.tui.panes.checkpoints.view import CheckpointsView
from tcao_tui.tui.widgets.find_line import FindLine
from tcao_tui.tui.widgets.line_view import LineView

_ROWS = {"up": -1, "k": -1, "down": 1, "j": 1, "home": -(10**9), "end": 10**9}
_PAGES = {"pageup": -1, "pagedown": 1}
"""How far each key moves the cursor."""

_REST_SECONDS = 0.3
"""The cursor rests so long on a checkpoint before the server is asked about it."""


class CheckpointsPane(CheckpointsView):
    """All checkpoints of one server.

    Args:
        clock: Unix seconds.
        backend: Name of the server, as far as it is known.
        run_id: Show those of this run only, to begin with.
        at_run: Put the cursor on this run, to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.CHECKPOINTS)]

    class Left(Message):
        """The person wants to go back."""

    @dataclass
    class ActWanted(Message):
        """The person wants to have something done."""

        act: str
        checkpoints: tuple[ListedCheckpoint, ...]

    @dataclass
    class DetailsWanted(Message):
        """The cursor rests on a checkpoint, which may be held against another one."""

        checkpoint: ListedCheckpoint
        other: ListedCheckpoint | None

    def __init__(self, clock: Callable[[], float], *, backend: str = "", run_id: str = "", at_run: str = "") -> None:
        super().__init__(clock, backend=backend, run_id=run_id, at_run=at_run)
        self._rest: Timer | None = None

    def on_mount(self) -> None:
        """Take the keys."""
        self.table.focus()

    @on(CheckpointsView.Moved)
    def _wait_for_rest(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_REST_SECONDS, self._look_up)

    def _look_up(self) -> None:
        checkpoint, known = self.seen.checkpoint, self.details
        if checkpoint is not None and (
            known is None or (known.path, known.other) != (checkpoint.path, self.seen.other)
        ):
            self.post_message(self.DetailsWanted(checkpoint, self.seen.other))

    @on(LineView.Moved)
    def _cursor_moved(self, event: LineView.Moved) -> None:
        event.stop()
        self.seen.choose(event.index)
        self.draw_details()
        self.post_message(self.Moved())

    @on(LineView.Picked)
    def _picked(self, event: LineView.Picked) -> None:
        event.stop()
        self.action_open()

    def on_key(self, event: events.Key) -> None:
        """Move the cursor, or scroll the one in full while it is read; in the filter, Esc clears it."""
        if self.query_one(FindLine).has_focus:
            if event.key == "escape":
                self._end_filtering(clear=True)
                event.stop()
            return
        by, pages = _ROWS.get(event.key, 0), _PAGES.get(event.key, 0)
        view = self.in_full if self.has_class("-reading") else self.table
        if not (by := by + pages * max(view.size.height - 1, 1)):
            return
        event.stop()
        if view is self.table:
            view.move_to(view.cursor + by)
        else:
            view.scroll_lines(by)

    def _arrange(self, arrangement: Arrangement) -> None:
        self.seen.arrange(arrangement, self.clock())
        self.draw()

    @on(FindLine.Changed)
    def _filter_changed(self, event: FindLine.Changed) -> None:
        self._arrange(replace(self.seen.arrangement, wanted=event.value.strip()))

    @on(FindLine.Submitted)
    def _filter_kept(self) -> None:
        self._end_filtering()

    def _end_filtering(self, *, clear: bool = False) -> None:
        find = self.query_one(FindLine)
        if clear:
            find.drop()
        else:
            find.keep()
        self.table.focus()

    def action_filter(self) -> None:
        """Type to find."""
        self.query_one(FindLine).open()

    def action_back(self) -> None:
        """Leave what is in full, then the filter, then the run that is shown alone, then the marks, then the screen."""
        seen = self.seen
        if self.has_class("-reading"):
            self.action_read()
        elif seen.arrangement.is_filtered:
            self._end_filtering(clear=True)
            self._arrange(replace(seen.arrangement, wanted="", run_id=""))
        elif seen.marked:
            seen.marked = frozenset()
            self.draw()
        else:
            self.post_message(self.Left())

    def action_order(self) -> None:
        """Sort by the next column."""
        self._arrange(self.seen.arrangement.next_order())

    def action_reverse(self) -> None:
        """Turn the order around."""
        self._arrange(replace(self.seen.arrangement, reverse=not self.seen.arrangement.reverse))

    def action_tree(self) -> None:
        """By run, or all in one table."""
        self._arrange(replace(self.seen.arrangement, is_tree=not self.seen.arrangement.is_tree))

    def action_open(self) -> None:
        """Fold or unfold a group; read a checkpoint in full."""
        if isinstance(self.seen.row, Group):
            self.seen.fold(self.clock())
            self.draw()
        else:
            self.action_read()

    def action_read(self) -> None:
        """Give the one in full most of the screen, or take that back."""
        if self.seen.rows:
            self.toggle_class("-reading")
            self.in_full.scroll_to(y=0, animate=False)

    def action_mark(self) -> None:
        """Mark it, or unmark it, and go on to the next."""
        self.seen.mark()
        self.draw()
        if not isinstance(self.seen.row, Group):
            self.table.move_to(self.table.cursor + 1)

    def action_mark_all(self) -> None:
        """Mark all that is in sight, or unmark it."""
        self.seen.mark_all()
        self.draw()

    def action_copy(self) -> None:
        """Copy the paths of the marked checkpoints, else of the one under the cursor."""
        here = self.seen.marked_checkpoints or ((self.seen.checkpoint,) if self.seen.checkpoint else ())
        if here:
            self.app.copy_to_clipboard("\n".join(one_line(c.path) for c in here))
            what = one_line(here[0].path) if len(here) == 1 else f"{len(here)} paths"
            self.notify(f"Copied {what}", markup=False)

    def action_prune(self) -> None:
        """Delete what is not worth its storage, of the run that is shown alone or of all."""
        listing = self.seen.listing
        if listing is None or not listing.complete:
            self.notify("The listing is not complete yet.", markup=False)
            return
        run_id = self.seen.arrangement.run_id
        judged = tuple(c for c in listing.checkpoints if not run_id or c.group == run_id)
        self.post_message(self.ActWanted("prune", judged))

    def action_act(self, act: str) -> None:
        """Have something done."""
        if targets := self.seen.targets:
            self.post_message(self.ActWanted(act, targets))
        else:
            self.notify("There is no checkpoint here.", markup=False)
