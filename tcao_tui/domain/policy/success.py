"""What counts as success, proposed before training: better on its own task, and no worse elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tcao_tui.domain.draft import Filled, KeyPath
from tcao_tui.domain.held_out import held_out_metrics
from tcao_tui.domain.policy.situation import Situation, counted, filled

_MEANINGS = {
    "val_mean_nll": "loss on held-out rows",
    "val_accuracy": "share of held-out pairs that are judged as people did",
    "val_reward": "reward on held-out problems",
    "val_teacher_kl": "distance to the teacher on held-out prompts",
}


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`success.*`, once there is something to measure it by."""
    if situation.text("evals.score.file"):
        rows = situation.count("evals.score.max_rows", 100)
        metric = filled("score", f"right answers on {counted(rows, 'row')} of your own task, never trained on")
    elif situation.text("training.val_file"):
        held_out = held_out_metrics(situation.method)[0]
        metric = filled(held_out, f"{_MEANINGS[held_out]}; whether answers are right, only a scored file would say")
    else:
        return {}
    better = "better than the base model, which is measured first: no number is honest before that"
    return {
        "success.metric": metric,
        "success.threshold": filled(None, better),
        "success.must_not_regress": _guards(situation),
    }


def _guards(situation: Situation) -> Filled:
    benchmarks = situation.draft.get("evals.benchmarks")
    listed: Any = [] if benchmarks is None or not isinstance(benchmarks.value, list) else benchmarks.value
    names = [str(b["name"]) for b in listed if isinstance(b, dict) and "name" in b]
    if situation.text("training.val_file") and situation.text("evals.score.file"):
        names.append(held_out_metrics(situation.method)[0])
    if not names:
        return filled([], "nothing else is measured")
    return filled(names, "what is measured besides; a model that forgets has not become better")
