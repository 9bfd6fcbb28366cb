"""Which weights a person means by RUN, RUN:STEP or a `tinker://` path, with what our store knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.run_view import RunView
from tcao_tui.errors import Refused, TcaoError, UsageError
from tcao_tui.services.diagnosis import read_view
from tcao_tui.services.runs import find_run
from tcao_tui.store.plan_file import PLAN_NAME, read_plan
from tcao_tui.store.port import PAST_EVERY_ROW, Cursor, RunStore

_SCHEME = "tinker://"


@dataclass(frozen=True, slots=True)
class WeightsSource:
    """Weights on a server.

    Attributes:
        path: Of the training state, or of an export; what can be downloaded.
        sampler_path: Of the same weights for sampling; None where it is not known.
        label: What files of them are called.
        view, plan, record: Of the run that saved them, where it is one of ours.
    """

    path: str
    sampler_path: str | None
    label: str
    view: RunView | None = None
    plan: Plan | None = None
    record: CheckpointRecord | None = None

    @property
    def backend(self) -> str | None:
        """Name of the profile of its run."""
        return self.view.backend if self.view else None

    @property
    def scores(self) -> Mapping[str, tuple[float | None, float | None]]:
        """Measurements by name: of the base model, at step 0, and of these weights."""
        if self.view is None or self.record is None:
            return {}
        found: dict[str, tuple[float | None, float | None]] = {}
        for score in self.view.scores:
            before, after = found.get(score.name, (None, None))
            if score.step == 0:
                found[score.name] = (score.value, after)
            if score.step == self.record.step:
                found[score.name] = (before, score.value)
        series = self.view.series.get("val_mean_nll")
        values = dict(zip(series.steps, series.values, strict=True)) if series else {}
        found["val_mean_nll"] = (values.get(0), values.get(self.record.step))
        return {name: values for name, values in found.items() if values[1] is not None}


def weights_source(store: RunStore, runs_root: Path, reference: str) -> WeightsSource:
    """Find them.

    Args:
        store: The run store.
        runs_root: Its root.
        reference: RUN (its newest checkpoint), RUN:STEP, or a `tinker://` path.

    Raises:
        UsageError: There is no such run, or no such checkpoint of it.
    """
    if reference.startswith(_SCHEME):
        return _of_path(store, runs_root, reference)
    run, _, step = reference.rpartition(":") if reference.rpartition(":")[2].isdecimal() else (reference, "", "")
    run_id = find_run(store, run).run_id
    view = read_view(store, run_id)
    found = [c for c in view.checkpoints if not step or c.step == int(step)]
    if not found:
        steps = ", ".join(str(c.step) for c in view.checkpoints[-8:]) or "none"
        raise UsageError(
            f"{run_id} has no checkpoint{f' of step {step}' if step else ''}; there are: {steps}",
            next_step=f"tcao show {run_id}",
        )
    return _of_record(runs_root, view, found[-1])


def _of_record(runs_root: Path, view: RunView, record: CheckpointRecord) -> WeightsSource:
    try:
        plan = read_plan(runs_root / view.run_id / PLAN_NAME)
    except (TcaoError, OSError):
        plan = None
    label = f"{view.name}-{record.step:06d}"
    return WeightsSource(record.state_path, record.sampler_path, label, view, plan, record)


def _of_path(store: RunStore, runs_root: Path, path: str) -> WeightsSource:
    parts = path.removeprefix(_SCHEME).split("/")
    if len(parts) != 3 or not all(parts):
        raise UsageError(f"{one_line(path, 120)} is no path of weights", next_step="tinker://RUN/weights/NAME")
    for run in store.runs():
        batch = store.read(run.run_id, Cursor(metric=PAST_EVERY_ROW, spend=PAST_EVERY_ROW), limit=100_000)
        if any(path in stored.event.model_dump_json() for stored in batch.events if "checkpoint" in stored.event.kind):
            view = read_view(store, run.run_id)
            for record in view.checkpoints:
                if path in (record.state_path, record.sampler_path):
                    return _of_record(runs_root, view, record)
    training_run, kind, name = parts
    label = "".join(c if c.isalnum() or c in "._-" else "-" for c in name)
    match kind:
        case "weights" | "external_weights":
            return WeightsSource(path, None, label)
        case "sampler_weights":
            raise Refused(
                "weights for sampling cannot be downloaded",
                where=one_line(path, 120),
                next_step=f"name the training state, such as {_SCHEME}{training_run}/weights/{one_line(name, 80)}",
            )
        case _:
            raise UsageError(f"{one_line(path, 120)} is no path of weights", next_step="tinker://RUN/weights/NAME")
