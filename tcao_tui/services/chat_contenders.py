"""Who is meant by a word: a base model, weights on the server, or a checkpoint of a run of ours.

Our runs know the chat format that a checkpoint was trained with; for anything else the recommended one is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.chat import Contender
from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.errors import Refused, UsageError
from tcao_tui.services.checkpoint_names import SCHEME, resolve_checkpoint
from tcao_tui.services.checkpoint_places import CheckpointPlaces
from tcao_tui.services.plans import plan_of_run
from tcao_tui.services.runs import find_run, list_runs
from tcao_tui.store.port import RunStore

BASE = "base"
"""The base model of the other contenders."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A contender, and what is known of its run."""

    contender: Contender
    run: RunSummary | None = None


@dataclass(frozen=True, slots=True)
class Meant:
    """Contenders in the order of the words; `backend` is the profile of their runs, None without a run of ours."""

    contenders: tuple[Contender, ...]
    backend: str | None


def contenders_meant(words: Sequence[str], store: RunStore | None, runs_root: Path, *, renderer: str = "") -> Meant:
    """Who is meant.

    Args:
        words: A checkpoint as `resolve_checkpoint` takes it, the name of a base model (with a slash), or `base`.
        store: The run store; None when there is none.
        runs_root: Directory of the runs.
        renderer: Chat format for all of them; empty for each its own.

    Raises:
        UsageError: Nobody who can be sampled is meant by a word, or nobody tells what `base` is.
        Refused: The runs are of different servers.
    """
    finder = _Finder(store, runs_root)
    found = [finder.find(word) for word in words if word != BASE]
    runs = [each.run for each in found if each.run is not None]
    if len(backends := {run.backend for run in runs}) > 1:
        raise Refused(f"these runs are of different servers: {', '.join(sorted(backends))}")
    rest = iter(found)
    chosen = [_base(found) if word == BASE else next(rest).contender for word in words]
    if renderer:
        chosen = [each.model_copy(update={"renderer": renderer}) for each in chosen]
    return Meant(_told_apart(chosen), runs[0].backend if runs else None)


def _told_apart(contenders: Sequence[Contender]) -> tuple[Contender, ...]:
    """With a number behind labels that are there before."""
    found: list[Contender] = []
    for each in contenders:
        count = 1 + sum(other.label.partition(" (")[0] == each.label for other in found)
        found.append(each if count == 1 else each.model_copy(update={"label": f"{each.label} ({count})"}))
    return tuple(found)


def _base(found: Sequence[_Found]) -> Contender:
    """The base model that the others were trained from, in their chat format."""
    one = next((each for each in found if each.run is not None), None)
    if one is None or one.run is None:
        raise UsageError("base is the base model of another contender's run", next_step="name the model itself")
    return Contender(source=one.run.base_model, label=BASE, renderer=one.contender.renderer)


class _Finder:
    """Looks words up in the run store."""

    def __init__(self, store: RunStore | None, runs_root: Path) -> None:
        self._store, self._runs_root = store, runs_root
        self._places = CheckpointPlaces(store) if store is not None else None

    def find(self, word: str) -> _Found:
        if "/" in word and not word.startswith(SCHEME):
            return _Found(Contender(source=word, label=word.rpartition("/")[2]))
        if self._store is None:
            return self._without_runs(word)
        path = resolve_checkpoint(self._store, word, use="sampler")
        if word.startswith(SCHEME):
            return self._of_path(path, list_runs(self._store))
        return self._of_path(path, [find_run(self._store, word.partition(":")[0])])

    def _without_runs(self, word: str) -> _Found:
        if word.startswith(SCHEME):
            return _foreign(word)
        raise UsageError(
            f"there is no run {word}: there are no runs yet",
            next_step="name a base model, such as tcao/tiny-qwen3, or a tinker:// path",
        )

    def _of_path(self, path: str, runs: Iterable[RunSummary]) -> _Found:
        for run in runs:
            for record in self._records(run):
                if path in (record.sampler_path, record.state_path):
                    label = f"{run.name}:{record.step}"
                    source = record.sampler_path or path
                    return _Found(Contender(source=source, label=label, renderer=self._renderer(run)), run)
        return _foreign(path)

    def _records(self, run: RunSummary) -> Iterable[CheckpointRecord]:
        return self._places.of_run(run).all_records() if self._places is not None else ()

    def _renderer(self, run: RunSummary) -> str:
        """The chat format of the run's plan; empty when it names none or cannot be read."""
        plan = plan_of_run(self._runs_root, run.run_id)
        return (plan.training.renderer_name or "") if plan is not None else ""


def _foreign(path: str) -> _Found:
    """Weights that no run of ours saved."""
    return _Found(Contender(source=path, label=path.removeprefix(SCHEME)))
