"""The samples of one cell: a table that is filtered, searched and sorted, and how the one under the cursor begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.domain.transcript import SamplePreview
from tcao_tui.tui.evals_port import CellItems
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.panes.evals.names import scale_for
from tcao_tui.tui.panes.evals.sample_lines import counts_line, header_line, preview_lines, sample_lines, title_line
from tcao_tui.tui.panes.evals.samples import Arrangement, Sample, counts_of, samples_of
from tcao_tui.tui.ring import next_of
from tcao_tui.tui.widgets.find_line import FindLine
from tcao_tui.tui.widgets.line_view import LineView


class SamplesPane(Widget):
    """The samples of a cell.

    Args:
        name_of_cell: What people call it.
        task: Its task.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.EVAL_SAMPLES)]
    DEFAULT_CSS = """
    SamplesPane {
        height: 1fr; layout: vertical;
        & #title, & #filters { height: 1; }
        & #titles { height: 1; background: $panel; }
        & #rows { height: 1fr; min-height: 3; }
        & #preview { height: auto; max-height: 8; border-top: solid $line; }
    }
    """

    class Left(Message):
        """The person wants to go back to the matrix."""

    @dataclass
    class TranscriptWanted(Message):
        """The person wants to read a sample of those in sight; beside the base's answer, or alone."""

        items: Sequence[str]
        index: int
        beside: bool

    def __init__(self, name_of_cell: str, task: EvalTask) -> None:
        super().__init__()
        self.can_focus = True
        self._heading, self._of = name_of_cell, task
        self._scale = scale_for(task, ())
        self._found: CellItems | None = None
        self._previews: dict[str, SamplePreview] = {}
        self._samples: Sequence[Sample] = ()
        self.arrangement = Arrangement()
        self.shown: Sequence[Sample] = ()

    def compose(self) -> ComposeResult:
        """Title, filters, table, preview and search."""
        yield LineView(id="title")
        yield LineView(id="filters")
        yield LineView(id="titles")
        yield LineView(pick=True, id="rows")
        yield LineView(id="preview")
        yield FindLine(placeholder="part of an id, a prompt or an answer; enter keeps it, esc clears it")

    def on_mount(self) -> None:
        """Take the keys."""
        self._rows.can_focus = False
        self.focus()

    @property
    def _rows(self) -> LineView:
        return self.query_one("#rows", LineView)

    @property
    def is_filled(self) -> bool:
        """Whether the items have been read."""
        return self._found is not None

    @property
    def sample(self) -> Sample | None:
        """The one under the cursor."""
        index = self._rows.cursor
        return self.shown[index] if index < len(self.shown) else None

    def show(self, found: CellItems) -> None:
        """Take the newest items; the cursor stays on its sample."""
        self._found = found
        self._scale = scale_for(self._of, [item.value for item in found.items if item.value is not None])
        self._judge()

    def take_previews(self, previews: Sequence[SamplePreview]) -> None:
        """Take how the samples begin."""
        self._previews = {preview.item: preview for preview in reversed(previews)}
        self._judge()

    def _judge(self) -> None:
        if self._found is not None:
            found = self._found
            self._samples = samples_of(self._of, self._scale, found.items, found.base, self._previews)
            self._arrange(self.arrangement)

    def _arrange(self, arrangement: Arrangement) -> None:
        here = self.sample
        self.arrangement = arrangement
        self.shown = arrangement.of(self._samples)
        place = next((i for i, s in enumerate(self.shown) if here is not None and s.item.item == here.item.item), 0)
        self.draw()
        self._rows.move_to(place)
        self._draw_preview()

    def on_resize(self, _event: events.Resize) -> None:
        """Fit the columns to the new width."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Put everything on screen."""
        width = self.size.width
        if not width:
            return
        counts = counts_of(self._samples)
        title = self.query_one("#title", LineView)
        title.show([title_line(self._heading, len(self.shown), counts, self.arrangement, width)])
        self.query_one("#filters", LineView).show([counts_line(counts, self.arrangement.only, width)])
        self.query_one("#titles", LineView).show([header_line(self._samples, width)])
        self._rows.show(sample_lines(self.shown, self._scale, width - 1))
        self._draw_preview()

    def _draw_preview(self) -> None:
        told = preview_lines(self.sample, self.size.width) if self._found is not None else []
        self.query_one("#preview", LineView).show(told)

    @on(LineView.Moved)
    def _moved(self, event: LineView.Moved) -> None:
        event.stop()
        self._draw_preview()

    @on(LineView.Picked)
    def _picked(self, event: LineView.Picked) -> None:
        event.stop()
        self.action_open(False)

    @on(FindLine.Changed)
    def _find_changed(self, event: FindLine.Changed) -> None:
        self._arrange(replace(self.arrangement, wanted=event.value.strip()))

    @on(FindLine.Submitted)
    def _found_it(self) -> None:
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

    def action_move(self, by: int) -> None:
        """Move the cursor."""
        self._rows.move_to(self._rows.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by pages."""
        self.action_move(by * max(self._rows.size.height - 1, 1))

    def action_only(self) -> None:
        """The next filter."""
        self._arrange(replace(self.arrangement, only=next_of(self.arrangement.only)))

    def action_order(self) -> None:
        """Sort by the next column."""
        self._arrange(replace(self.arrangement, order=next_of(self.arrangement.order), reverse=False))

    def action_reverse(self) -> None:
        """Turn the order around."""
        self._arrange(replace(self.arrangement, reverse=not self.arrangement.reverse))

    def action_open(self, beside: bool) -> None:
        """Read the sample."""
        if self.sample is not None:
            items = [sample.item.item for sample in self.shown]
            self.post_message(self.TranscriptWanted(items, self._rows.cursor, beside))
