"""Trackio: a local dashboard with the calls of W&B."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcao_tui.domain.events import StoredEvent
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.sinks.port import SinkOptions, load_sdk

PROJECT = "tcao"


class TrackioSink:
    """A `MetricSink`; Trackio keeps its files where TRACKIO_DIR says, not in `directory`."""

    errors: tuple[type[Exception], ...] = (OSError, RuntimeError, ValueError)

    def __init__(self, options: SinkOptions) -> None:
        self._options = options
        self._sdk: Any = None

    def open(self, run: RunSummary, plan: Plan | None) -> None:
        """Begin the run, or go on with it."""
        self._sdk = load_sdk("trackio", package="trackio")
        config = plan.model_dump(mode="json") if plan is not None else None
        self._sdk.init(project=PROJECT, name=run.run_id, config=config, resume="allow")

    def write(self, step: int, values: Mapping[str, float], at: float) -> None:
        """One row."""
        self._sdk.log({**values, "at": at}, step=step)

    def event(self, stored: StoredEvent) -> None:
        """Facts have no place there."""

    def flush(self) -> None:
        """Nothing to do: Trackio sends by itself and waits for it in `close`."""

    def close(self, outcome: str) -> None:
        """Wait until all is sent; Trackio knows no outcome."""
        self._sdk.finish()
