"""The screen of transcripts: reads each in a thread when it is first looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from tcao_tui.domain.eval_matrix import EvalMatrix
from tcao_tui.domain.evaluation import CellKey, EvalTask, ItemResult
from tcao_tui.domain.transcript import Transcript
from tcao_tui.errors import TcaoError
from tcao_tui.tui.evals_port import EvaluationsPort
from tcao_tui.tui.intents import not_done
from tcao_tui.tui.keys import Scope
from tcao_tui.tui.panes.evals.names import Scale, scale_of, subject_names
from tcao_tui.tui.panes.evals.transcript_pane import Place, Reader, TranscriptPane
from tcao_tui.tui.widgets.key_footer import KeyFooter


class TranscriptScreen(Screen[None]):
    """Samples in full.

    Args:
        source: Reads them.
        matrix: Whose subjects can be held against each other.
        task: What was asked.
        reader: What to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = []
    DEFAULT_CSS = "TranscriptScreen { layout: vertical; }"
    scopes = (Scope.TRANSCRIPT, Scope.APP)

    @dataclass
    class Read(Message):
        """A transcript, or why there is none, and what the cell got for the item where that was asked for too."""

        place: Place
        found: Transcript | str
        results: dict[str, ItemResult]

    def __init__(self, source: EvaluationsPort, matrix: EvalMatrix, task: EvalTask, reader: Reader) -> None:
        super().__init__()
        self._source, self._of = source, task
        self._scale: Scale = scale_of(task, matrix)
        self._results: dict[str, dict[str, ItemResult]] = {}
        self._pane = TranscriptPane(reader, subject_names(matrix.subjects), self._epochs, self._value)

    def compose(self) -> ComposeResult:
        """The transcripts and the keys."""
        yield self._pane
        yield KeyFooter(*self.scopes)

    def _epochs(self, item: str) -> int:
        known = [results[item].epochs for results in self._results.values() if item in results]
        return max(known, default=1)

    def _value(self, subject: str, item: str) -> str:
        result = self._results.get(subject, {}).get(item)
        if result is None:
            return ""
        return "no score" if result.value is None else self._scale.text(result.value)

    @on(TranscriptPane.Wanted)
    def _want(self, event: TranscriptPane.Wanted) -> None:
        for place in event.places:
            self.run_worker(lambda p=place: self._read(p), group="transcripts", thread=True, exit_on_error=False)

    def _read(self, place: Place) -> Read:
        """In a thread; what cannot be read is told in its place."""
        cell = CellKey(self._of.name, place.subject)
        results = self._results.get(place.subject) or {}
        try:
            results = results or {one.item: one for one in self._source.items(cell).items}
            return self.Read(place, self._source.transcript(cell, place.item, place.epoch), results)
        except TcaoError as error:
            return self.Read(place, not_done(error).text, results)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Take what a thread read."""
        worker: Worker[TranscriptScreen.Read] = event.worker
        if event.state is WorkerState.SUCCESS and worker.result is not None:
            self.post_message(worker.result)
        elif event.state is WorkerState.ERROR:
            self.app.post_message(not_done(worker.error))

    @on(Read)
    def _take(self, event: Read) -> None:
        self._results[event.place.subject] = event.results
        self._pane.take(event.place, event.found)

    @on(TranscriptPane.Left)
    def _leave(self) -> None:
        self.dismiss()
