"""What evaluations found of weights, for lists of checkpoints: the mean of each finished cell, by `tinker://` path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import fmean

from tcao_tui.domain.checkpoint_listing import LayerScore, OwnCheckpoint
from tcao_tui.domain.evaluation import CellState
from tcao_tui.store.evaluations import EvaluationStore, EvaluationSummary


class EvaluatedScores:
    """Scores of all evaluations of a store; one that did not change is not read again. For one thread at a time.

    Args:
        store: The store.
    """

    def __init__(self, store: EvaluationStore) -> None:
        self._store = store
        self._known: dict[str, tuple[int, Mapping[str, tuple[LayerScore, ...]]]] = {}

    def added_to(self, owners: Mapping[str, OwnCheckpoint]) -> dict[str, OwnCheckpoint]:
        """The same with their scores; training state and weights to sample from of one step have the same ones."""
        by_path = self._by_path()
        by_place = {_place(own): by_path[path] for path, own in owners.items() if path in by_path}
        return {path: _with(own, by_place.get(_place(own), ())) for path, own in owners.items()}

    def _by_path(self) -> dict[str, tuple[LayerScore, ...]]:
        found: dict[str, dict[str, LayerScore]] = {}
        for summary in reversed(self._store.evaluations()):
            for path, scores in self._of(summary).items():
                found.setdefault(path, {}).update({score.name: score for score in scores})
        return {path: tuple(scores.values()) for path, scores in found.items()}

    def _of(self, summary: EvaluationSummary) -> Mapping[str, tuple[LayerScore, ...]]:
        changes, scores = self._known.get(summary.evaluation_id, (-1, {}))
        if changes != summary.changes:
            scores = self._read(summary.evaluation_id)
            self._known[summary.evaluation_id] = summary.changes, scores
        return scores

    def _read(self, evaluation_id: str) -> Mapping[str, tuple[LayerScore, ...]]:
        spec = self._store.evaluation(evaluation_id).spec
        tasks = {task.name: task for task in spec.tasks}
        paths = {subject.name: subject.checkpoint for subject in spec.subjects}
        done = [cell.key for cell in self._store.cells(evaluation_id) if cell.state is CellState.DONE]
        found: dict[str, tuple[LayerScore, ...]] = {}
        for key, items in self._store.items(evaluation_id, done).items():
            values = [item.value for item in items if item.value is not None]
            if (path := paths[key.subject]) and values:
                task = tasks[key.task]
                score = LayerScore(task.layer, task.name, fmean(values), lower_is_better=not task.higher_is_better)
                found[path] = (*found.get(path, ()), score)
        return found


def _place(own: OwnCheckpoint) -> tuple[str, int, int]:
    return own.run_id, own.attempt, own.step


def _with(own: OwnCheckpoint, scores: tuple[LayerScore, ...]) -> OwnCheckpoint:
    """What the run itself measured comes first within a layer."""
    return replace(own, scores=tuple(sorted((*own.scores, *scores), key=lambda score: score.layer))) if scores else own
