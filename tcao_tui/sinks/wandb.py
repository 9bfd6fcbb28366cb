"""Weights & Biases: a run with our id, so that another process goes on with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcao_tui.domain.event_words import event_text
from tcao_tui.domain.events import StoredEvent
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.domain.training_events import Alert
from tcao_tui.sinks.port import SinkOptions, load_sdk

PROJECT = "tcao"


class WandbSink:
    """A `MetricSink`; the step is a metric of its own, since W&B's own step cannot go back after a resume."""

    errors: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, options: SinkOptions) -> None:
        self._options = options
        self._run: Any = None

    def open(self, run: RunSummary, plan: Plan | None) -> None:
        """Begin the run, or go on with it; its key comes from W&B's own login."""
        sdk: Any = load_sdk("wandb", package="wandb")
        self.errors = (OSError, sdk.Error)
        self._run = sdk.init(
            project=PROJECT,
            id=run.run_id,
            name=run.name,
            dir=str(self._options.directory),
            mode="offline" if self._options.offline else "online",
            resume="allow",
            config=plan.model_dump(mode="json") if plan is not None else None,
        )
        self._run.define_metric("step")
        self._run.define_metric("*", step_metric="step")

    def write(self, step: int, values: Mapping[str, float], at: float) -> None:
        """One row of the history."""
        self._run.log({**values, "step": step, "at": at})

    def event(self, stored: StoredEvent) -> None:
        """Our alerts become alerts; other facts have no place there."""
        if isinstance(stored.event, Alert):
            self._run.alert(title=one_line(stored.event.rule, 60), text=one_line(event_text(stored.event)[1], 500))

    def flush(self) -> None:
        """Nothing to do: W&B's service process has each row once `log` returns."""

    def close(self, outcome: str) -> None:
        """End the process's part of the run."""
        self._run.summary["outcome"] = outcome
        self._run.finish(exit_code=1 if outcome in ("failed", "lost") else 0)
