"""TensorBoard: event files in a directory per run; what a resume supersedes leaves its charts. Needs no SDK."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from io import FileIO

from tcao_tui.domain.event_words import event_text
from tcao_tui.domain.events import Resumed, StoredEvent
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.sinks import event_file
from tcao_tui.sinks.port import SinkOptions


class TensorBoardSink:
    """A `MetricSink` that writes one directory per run; TensorBoard reads all its files as one record."""

    errors: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, options: SinkOptions) -> None:
        self._directory = options.directory
        self._file: FileIO | None = None
        self._head = b""
        self._waiting = bytearray()
        self._step = 0

    def open(self, run: RunSummary, plan: Plan | None) -> None:
        """Prepare another event file; it is made once there is something to write."""
        self._directory /= run.run_id
        self._head = event_file.record(event_file.version_event(time.time()))
        if plan is not None:
            text = "    " + plan.model_dump_json(indent=2).replace("\n", "\n    ")
            self._head += event_file.record(event_file.text_event(run.created_at, 0, "plan", text))

    def write(self, step: int, values: Mapping[str, float], at: float) -> None:
        """One scalar per key."""
        self._step = step
        self._put(event_file.scalars_event(at, step, values))

    def event(self, stored: StoredEvent) -> None:
        """A line of text at the last step; a resume drops what TensorBoard shows past its step."""
        if isinstance(stored.event, Resumed):
            self._step = stored.event.step
            self._put(event_file.restart_event(stored.at, self._step + 1))
        text = one_line(event_text(stored.event)[1])
        self._put(event_file.text_event(stored.at, self._step, "events", text))

    def flush(self) -> None:
        """Write to the file, whole records at once."""
        if not self._waiting:
            return
        if self._file is None:
            self._directory.mkdir(parents=True, exist_ok=True)
            name = f"events.out.tfevents.{time.time():.6f}.{os.getpid()}"
            self._file = FileIO(self._directory / name, "x")
            self._waiting[:0] = self._head
        left = memoryview(bytes(self._waiting))
        while left:
            left = left[self._file.write(left) :]
        self._waiting.clear()

    def close(self, outcome: str) -> None:
        """Close the file."""
        if self._file is not None:
            self._put(event_file.text_event(time.time(), self._step, "outcome", outcome))
            self.flush()
            self._file.close()

    def _put(self, event: bytes) -> None:
        self._waiting += event_file.record(event)
