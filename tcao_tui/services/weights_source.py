"""The weights that a person means, as they are taken away: where they are, and what our store knows of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.run_view import RunView
from tcao_tui.errors import Refused
from tcao_tui.services.checkpoint_names import SCHEME, resolve_checkpoint
from tcao_tui.services.checkpoint_places import CheckpointPlaces
from tcao_tui.services.follow import read_view
from tcao_tui.services.plans import plan_of_run
from tcao_tui.services.runs import find_run, list_runs
from tcao_tui.store.port import RunStore


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
    """Find them; asks no server.

    Args:
        store: The run store.
        runs_root: Its root.
        reference: RUN, RUN:STEP, RUN:NAME or a `tinker://` path, as `resolve_checkpoint` takes them.

    Raises:
        UsageError: There is no such run, or no such checkpoint of it.
        Refused: They are for sampling only, and no run of ours says where the training state is.
    """
    path = resolve_checkpoint(store, reference)
    runs = list_runs(store) if reference.startswith(SCHEME) else [find_run(store, reference.partition(":")[0])]
    places = CheckpointPlaces(store)
    for run in runs:
        for record in places.of_run(run).all_records():
            if path in (record.state_path, record.sampler_path):
                return _of_record(runs_root, read_view(store, run.run_id), record)
    training_run, kind, name = path.removeprefix(SCHEME).split("/")
    if kind == "sampler_weights":
        raise Refused(
            "weights for sampling cannot be downloaded",
            where=one_line(path, 120),
            next_step=f"name the training state, such as {SCHEME}{training_run}/weights/{one_line(name, 80)}",
        )
    return WeightsSource(path, None, "".join(c if c.isalnum() or c in "._-" else "-" for c in name))


def _of_record(runs_root: Path, view: RunView, record: CheckpointRecord) -> WeightsSource:
    plan = plan_of_run(runs_root, view.run_id)
    label = f"{view.name}-{record.step:06d}"
    return WeightsSource(record.state_path, record.sampler_path, label, view, plan, record)
