"""Several goals: one of them all by weights, or the subjects that give nothing away (Pareto)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tcao_tui.domain.statistics.paired import ItemScore, holm
from tcao_tui.domain.statistics.verdict import ALPHA, Scores, Task


def weighted(goals: Sequence[Task], weights: Mapping[str, float]) -> Task:
    """One task whose score is the weighted sum of the scores of several, above is better; its items are all of theirs.

    Args:
        goals: The tasks; items that only some subjects have bend the weights a little.
        weights: By the tasks' names; above zero.
    """
    names = list(dict.fromkeys(name for goal in goals for name in goal.scores))
    most = {goal.name: max((len(scores) for scores in goal.scores.values()), default=0) for goal in goals}
    scale = {
        goal.name: (1 if goal.higher_is_better else -1) * weights[goal.name] * sum(most.values()) / most[goal.name]
        for goal in goals
        if most[goal.name]
    }
    title = " + ".join(f"{weights[goal.name]:g} × {goal.name}" for goal in goals)
    return Task(title, {name: _together(goals, scale, name) for name in names})


def _together(goals: Sequence[Task], scale: Mapping[str, float], name: str) -> Scores:
    return {
        f"{goal.name}\0{item}": ItemScore(
            None if score.value is None else score.value * scale[goal.name],
            f"{goal.name}\0{score.cluster}" if score.cluster else "",
        )
        for goal in goals
        for item, score in goal.scores.get(name, {}).items()
    }


def trade_offs(goals: Sequence[Task], names: Sequence[str]) -> tuple[str, ...]:
    """Subjects that no other one beats: clearly better on one goal, and on no goal behind."""
    known = [name for name in names if all(goal.scores.get(name) for goal in goals)]
    return tuple(name for name in known if not any(_beats(goals, other, name) for other in known if other != name))


def _beats(goals: Sequence[Task], one: str, other: str) -> bool:
    gains = [goal.gain(one, other) for goal in goals]
    clear = holm([gain.p_value for gain in gains])
    return all(gain.mean >= 0 for gain in gains) and any(
        p_value < ALPHA and gain.mean > 0 for gain, p_value in zip(gains, clear, strict=True)
    )
