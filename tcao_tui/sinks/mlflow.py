"""MLflow: a run that is found again by its tag; the tracking server comes from MLFLOW_TRACKING_URI."""

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

EXPERIMENT = "tcao"
_TAG = "tcao.run_id"
_STATUS = {"completed": "FINISHED", "failed": "FAILED", "lost": "FAILED", "budget": "KILLED", "stopped": "KILLED"}


class MlflowSink:
    """A `MetricSink`; MLflow keeps a point that is told twice once, as its step, time and value are the same."""

    errors: tuple[type[Exception], ...] = (OSError,)

    def __init__(self, options: SinkOptions) -> None:
        self._options = options
        self._client: Any = None
        self._run_id = ""

    def open(self, run: RunSummary, plan: Plan | None) -> None:
        """Begin the run, or find the one with our id."""
        sdk: Any = load_sdk("mlflow", package="mlflow")
        self.errors = (OSError, sdk.exceptions.MlflowException)
        local = f"sqlite:///{self._options.directory / 'mlflow.db'}" if self._options.offline else None
        self._client = sdk.MlflowClient(tracking_uri=local)
        experiment = self._client.get_experiment_by_name(EXPERIMENT)
        experiment_id = experiment.experiment_id if experiment else self._client.create_experiment(EXPERIMENT)
        found = self._client.search_runs([experiment_id], f"tags.`{_TAG}` = '{run.run_id}'")
        if found:
            self._run_id = found[0].info.run_id
            return
        tags = {_TAG: run.run_id, "method": run.method, "base_model": run.base_model}
        self._run_id = self._client.create_run(experiment_id, run_name=run.name, tags=tags).info.run_id
        if plan is not None:
            self._client.log_dict(self._run_id, plan.model_dump(mode="json"), "plan.json")

    def write(self, step: int, values: Mapping[str, float], at: float) -> None:
        """One point per key."""
        for key, value in values.items():
            self._client.log_metric(self._run_id, key, value, timestamp=int(at * 1000), step=step)

    def event(self, stored: StoredEvent) -> None:
        """Alerts become tags; other facts have no place there."""
        if isinstance(stored.event, Alert):
            self._client.set_tag(self._run_id, f"alert.{stored.seq}", one_line(event_text(stored.event)[1], 500))

    def flush(self) -> None:
        """Nothing to do: each call is answered by the server."""

    def close(self, outcome: str) -> None:
        """Set the status, unless the run goes on."""
        if outcome in _STATUS:
            self._client.set_terminated(self._run_id, status=_STATUS[outcome])
