"""How the training is to go: schedule, pilot, and what ends it early. Watch rules have defaults of their own."""

from __future__ import annotations

from collections.abc import Mapping

from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.hyperparams import rank_limit
from tcao_tui.domain.pilot_range import PILOTED, RATE_FACTORS
from tcao_tui.domain.pipeline import STAGED_METHODS
from tcao_tui.domain.policy.situation import Situation, counted, filled

WARMED_STEPS = 500
"""Steps from which a warm-up costs next to nothing."""

MOST_WARMUP_STEPS = 20
PILOTED_STEPS, LONG_RUN_STEPS = 100, 1000
"""Steps from which a run has a pilot: where it costs money, and where it costs only time."""

MOST_PILOT_STEPS, PILOT_SHARE = 20, 0.05
MANY_PASSES = 2.0
"""Passes over the rows from which a model may learn them by heart."""

PATIENCE = 2
_LADDER = "cookbook: a tiny run, a few steps, then the full one"
_HELD_OUT = {"sft": "val_mean_nll", "preference_model": "val_mean_nll"}
"""Metrics by which more passes show that they do harm; methods without one learn from answers of their own."""


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`training.lr_schedule`, `training.warmup_steps`, `pilot` and `watch.early_stopping`, steps being known."""
    steps = situation.count("training.num_steps")
    if not steps:
        return {}
    return {**_schedule(steps), **_pilot(situation, steps), **_early_stopping(situation, steps)}


def _schedule(steps: int) -> dict[KeyPath, Filled]:
    falling = Alternative(value="linear", label="linear", why="the last steps settle, if the loss is noisy at the end")
    reason = "checkpoints on the way are as good as the last one, and the run can be extended"
    found = {"training.lr_schedule": filled("constant", reason, "LoRA Without Regret", alternatives=(falling,))}
    if steps >= WARMED_STEPS:
        warm = min(MOST_WARMUP_STEPS, steps // 100)
        reason = "Adam's first steps are its least certain, and so few cost nothing in a long run"
        found["training.warmup_steps"] = filled(warm, reason, "usual practice")
    return found


def _pilot(situation: Situation, steps: int) -> dict[KeyPath, Filled]:
    if situation.method in STAGED_METHODS or situation.facts.capabilities is None:
        return {}
    from_steps = LONG_RUN_STEPS if situation.is_free else PILOTED_STEPS
    if steps < from_steps:
        return {}
    pilot = min(MOST_PILOT_STEPS, round(steps * PILOT_SHARE))
    stake = "so many steps take a while" if situation.is_free else "the server costs money"
    reason = f"{stake}: after {counted(pilot, 'step')} its loss, lengths and cost are judged before the rest may follow"
    return {"pilot.steps": filled(pilot, reason, _LADDER), **_range_test(situation)}


def _range_test(situation: Situation) -> dict[KeyPath, Filled]:
    """None, but offered."""
    if situation.method not in PILOTED:
        return {}
    rank, most = situation.count("training.lora_rank", 1), rank_limit(situation.model)
    ranks = [other for other in (rank // 4, rank * 4) if 1 <= other <= most]
    cells = len(RATE_FACTORS) * (1 + len(ranks))
    why = (
        f"{cells} short runs show first whether learning rate and rank lie in the good range, if nobody has tuned them"
    )
    test = Alternative(value={"steps": 20, "lora_ranks": ranks}, label="with a range test", why=why)
    reason = "the rates of the rule were swept by others; trying them again costs more than the pilot"
    return {"pilot.range_test": filled(None, reason, "usual practice", alternatives=(test,))}


def _early_stopping(situation: Situation, steps: int) -> dict[KeyPath, Filled]:
    metric, batch = _HELD_OUT.get(situation.method), situation.count("training.train_batch_size")
    if metric is None or not situation.text("training.val_file") or not situation.rows:
        return {}
    passes, every = steps * batch / situation.rows, situation.count("training.eval_every")
    if passes < MANY_PASSES or not every or steps <= every * (PATIENCE + 1):
        return {}
    reason = f"{passes:.0f} passes may learn the rows by heart: stop when validation has not got better for two evals"
    return {
        "watch.early_stopping.metric": filled(metric, reason, "usual practice"),
        "watch.early_stopping.patience": filled(PATIENCE, "one worse eval may be noise", "usual practice"),
    }
