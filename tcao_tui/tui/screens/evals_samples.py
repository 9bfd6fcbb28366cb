"""The screen of the samples of one cell; they are read again while the cell is at work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from tcao_tui.domain.eval_matrix import EvalMatrix
from tcao_tui.domain.evaluation import CellKey
from tcao_tui.domain.transcript import SamplePreview
from tcao_tui.tui.evals_feed import ItemsFeed
from tcao_tui.tui.evals_port import EvaluationsPort
from tcao_tui.tui.intents import not_done
from tcao_tui.tui.keys import Scope
from tcao_tui.tui.panes.evals.names import subject_names, task_names
from tcao_tui.tui.panes.evals.samples_pane import SamplesPane
from tcao_tui.tui.widgets.key_footer import KeyFooter


class EvalSamplesScreen(Screen[None]):
    """The samples of a cell.

    Args:
        source: Reads them.
        look: The newest matrix.
        cell: The cell.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = "EvalSamplesScreen { layout: vertical; }"
    scopes = (Scope.EVAL_SAMPLES, Scope.APP)

    @dataclass
    class Previewed(Message):
        """How the samples begin."""

        previews: Sequence[SamplePreview]

    def __init__(self, source: EvaluationsPort, look: Callable[[], EvalMatrix], cell: CellKey) -> None:
        super().__init__()
        matrix = look()
        self._source, self._look, self._cell = source, look, cell
        self._of = next(task for task in matrix.tasks if task.name == cell.task)
        subject = subject_names(matrix.subjects)[cell.subject]
        self._pane = SamplesPane(f"{task_names(matrix.tasks)[cell.task]} over {subject}", self._of)
        self._feed = ItemsFeed(source, cell, self._is_live)
        self._found: ItemsFeed.Found | None = None

    def compose(self) -> ComposeResult:
        """The table, its feed and the keys."""
        yield self._pane
        yield KeyFooter(*self.scopes)
        yield self._feed

    def _is_live(self) -> bool:
        cell = self._look().cells.get(self._cell)
        return cell is not None and not cell.record.state.is_over

    @on(ItemsFeed.Found)
    def _show(self, event: ItemsFeed.Found) -> None:
        self._found = event
        with self.app.batch_update():
            self._pane.show(event.found)
        if event.found.items:
            self.run_worker(
                lambda: self.Previewed(self._source.previews(self._cell)),
                group="previews",
                thread=True,
                exclusive=True,
                exit_on_error=False,
            )

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Take how the samples begin; without that the table still says what each got."""
        worker: Worker[Message] = event.worker
        if event.state is WorkerState.SUCCESS and worker.result is not None:
            self.post_message(worker.result)
        elif event.state is WorkerState.ERROR:
            self.app.post_message(not_done(worker.error))

    @on(Previewed)
    def _preview(self, event: Previewed) -> None:
        self._pane.take_previews(event.previews)

    @on(SamplesPane.TranscriptWanted)
    def _read(self, event: SamplesPane.TranscriptWanted) -> None:
        from tcao_tui.tui.panes.evals.transcript_pane import Reader
        from tcao_tui.tui.screens.evals_transcript import TranscriptScreen

        matrix, here = self._look(), self._cell.subject
        others = [subject.name for subject in matrix.subjects if subject.name != here]
        beside = (matrix.base if matrix.base in others else others[0]) if event.beside and others else ""
        reader = Reader(event.items, event.index, here, others, beside)
        self.app.push_screen(TranscriptScreen(self._source, matrix, self._of, reader))

    @on(SamplesPane.Left)
    def _leave(self) -> None:
        self.dismiss()
