"""Which weights are evaluated: the base model of a run and its checkpoints, or weights by their path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.evaluation import Subject
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.errors import Refused, UsageError
from tcao_tui.services.checkpoint_names import SCHEME, resolve_checkpoint
from tcao_tui.services.checkpoint_places import CheckpointPlaces
from tcao_tui.services.plans import plan_of_run
from tcao_tui.services.runs import find_run, list_runs
from tcao_tui.store.port import RunStore


@dataclass(frozen=True, slots=True)
class Meant:
    """What is to be evaluated.

    Attributes:
        subjects: The base model first, then checkpoints by step.
        run: The run that they are about; None for weights of none of ours.
        plan: Of the run; None where it cannot be read any more.
    """

    subjects: tuple[Subject, ...]
    run: RunSummary | None = None
    plan: Plan | None = None


def subjects_meant(
    store: RunStore, runs_root: Path, words: Sequence[str], *, last: int | None = None, base_model: str = ""
) -> Meant:
    """The weights that are meant, with the base model that they were trained from.

    Args:
        store: The run store.
        runs_root: Directory of the runs.
        words: RUN for all checkpoints that it kept, or checkpoints as `resolve_checkpoint` takes them.
        last: Only so many of a run's checkpoints, the furthest.
        base_model: Of weights that no run of ours saved.

    Raises:
        UsageError: Nothing to sample from is meant, or nobody knows the base model.
        Refused: The weights are of different base models or servers.
    """
    finder = _Finder(store, runs_root, base_model)
    found = [subject for word in words for subject in finder.find(word, last)]
    trained = {subject.checkpoint: subject for subject in found}
    if len(models := {subject.base_model for subject in trained.values()}) > 1:
        raise Refused(f"these are trained from different models: {', '.join(sorted(models))}")
    first = found[0]
    base = Subject(name=first.base_model, base_model=first.base_model, renderer=first.renderer)
    run = finder.runs[0] if finder.runs else None
    ordered = sorted(trained.values(), key=lambda subject: (subject.run_id, subject.step))
    return Meant((base, *ordered), run, plan_of_run(runs_root, run.run_id) if run else None)


class _Finder:
    """Looks words up in the run store.

    Attributes:
        runs: Those that were met, each once.
    """

    def __init__(self, store: RunStore, runs_root: Path, base_model: str) -> None:
        self._store, self._runs_root, self._base_model = store, runs_root, base_model
        self._places = CheckpointPlaces(store)
        self.runs: list[RunSummary] = []

    def find(self, word: str, last: int | None) -> list[Subject]:
        if word.startswith(SCHEME):
            return [self._of_path(word)]
        run = find_run(self._store, word.partition(":")[0])
        if ":" in word:
            path = resolve_checkpoint(self._store, word, use="sampler")
            records = [r for r in self._places.of_run(run).all_records() if r.sampler_path == path]
        else:
            records = [r for r in self._places.of_run(run).records() if r.sampler_path][-(last or 0) :]
        if not records:
            raise UsageError(f"{run.run_id} has no weights to sample from yet", next_step=f"tcao show {run.run_id}")
        return [self._subject(run, record) for record in records]

    def _of_path(self, path: str) -> Subject:
        resolve_checkpoint(self._store, path, use="sampler")
        for run in list_runs(self._store):
            for record in self._records(run):
                if path in (record.sampler_path, record.state_path):
                    return self._subject(run, record)
        if not self._base_model:
            raise UsageError(
                f"{path} was saved by none of our runs, so nobody knows what it was trained from",
                next_step="--base MODEL",
            )
        return Subject(name=path.rpartition("/")[2], base_model=self._base_model, checkpoint=path)

    def _records(self, run: RunSummary) -> Iterable[CheckpointRecord]:
        return self._places.of_run(run).all_records()

    def _subject(self, run: RunSummary, record: CheckpointRecord) -> Subject:
        if record.sampler_path is None:
            raise UsageError(f"{record.name} has no weights to sample from", where=record.state_path)
        if all(known.run_id != run.run_id for known in self.runs):
            self.runs.append(run)
        if len(backends := {known.backend for known in self.runs}) > 1:
            raise Refused(f"these runs are of different servers: {', '.join(sorted(backends))}")
        plan = plan_of_run(self._runs_root, run.run_id)
        return Subject(
            name=f"{run.name}@{record.step}",
            base_model=run.base_model,
            checkpoint=record.sampler_path,
            state=record.state_path,
            run_id=run.run_id,
            step=record.step,
            renderer=(plan.training.renderer_name or "") if plan else "",
        )
