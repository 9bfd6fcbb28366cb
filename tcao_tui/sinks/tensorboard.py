"""TensorBoard: event files in a directory; a resumed run's superseded steps are purged from its charts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcao_tui.domain.event_words import event_text
from tcao_tui.domain.events import Resumed, StoredEvent
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.sinks.port import SinkOptions, load_sdk


class TensorBoardSink:
    """A `MetricSink` that writes one directory per run."""

    def __init__(self, options: SinkOptions) -> None:
        self._options = options
        self._writer: Any = None
        self._sdk: Any = None
        self._log_dir = ""
        self._step = 0

    def open(self, run: RunSummary, plan: Plan | None) -> None:
        """Begin another event file; TensorBoard reads all files of the directory as one record."""
        self._sdk = load_sdk("tensorboardX", "torch.utils.tensorboard", package="tensorboardX")
        self._log_dir = str(self._options.directory / run.run_id)
        self._writer = self._sdk.SummaryWriter(self._log_dir)
        if plan is not None:
            self._writer.add_text("plan", "    " + plan.model_dump_json(indent=2).replace("\n", "\n    "), 0)

    def write(self, step: int, values: Mapping[str, float], at: float) -> None:
        """One scalar per key."""
        self._step = step
        for key, value in values.items():
            self._writer.add_scalar(key, value, step, walltime=at)

    def event(self, stored: StoredEvent) -> None:
        """A line of text at the last step; a resume drops what TensorBoard shows past its step."""
        if isinstance(stored.event, Resumed):
            self._step = stored.event.step
            self._writer.close()
            self._writer = self._sdk.SummaryWriter(self._log_dir, purge_step=self._step + 1)
        self._writer.add_text("events", one_line(event_text(stored.event)[1]), self._step, walltime=stored.at)

    def flush(self) -> None:
        """Write to the file."""
        self._writer.flush()

    def close(self, outcome: str) -> None:
        """Close the file; TensorBoard knows no outcome."""
        self._writer.add_text("outcome", outcome, self._step)
        self._writer.close()
