"""How much training: rows per step, steps, and how often to measure and to save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.hyperparams import power_of_two_at_most
from tcao_tui.domain.policy.situation import Situation, counted, filled
from tcao_tui.domain.row_tokens import row_tokens

GUIDE = "cookbook hyperparameter guide"
MOST_ROWS_PER_STEP, FEWEST_ROWS_PER_STEP = 128, 8
FEWEST_STEPS, GOOD_STEPS = 100, 1000
MOST_EPOCHS = 3
BIG_RUN_STEPS = 2000
"""Steps from which a pilot is worth offering: 1-5% of the run, 500 to 2,000 steps."""

MEASUREMENTS = 6
VALIDATION_SHARE = 0.2
"""Validation may read at most this share of the tokens that training reads."""

_ROUND = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000)


@dataclass(frozen=True, slots=True)
class _Rollouts:
    """Groups per step of a method that samples: on a paid server, and on the local engine."""

    paid: int
    free: int
    source: str


_SAMPLING: dict[str, _Rollouts] = {
    "rl": _Rollouts(64, 16, "cookbook rl: 100 groups of 4 (math_rl) to 128 of 16"),
    "distill": _Rollouts(64, 16, "cookbook distillation: 8 to 1,024 groups of 4"),
}


def decide_updates(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`training.train_batch_size` and `training.num_steps`, once the rows are counted."""
    rows = situation.rows
    if not rows:
        return {}
    if situation.method in _SAMPLING:
        return _sampling(situation, rows)
    batch, budget = situation.count("training.train_batch_size"), situation.count("training.batch_tokens")
    found: dict[KeyPath, Filled] = {}
    if budget and situation.tokens is not None:
        batch = situation.tokens.per_batch(budget)
    elif not batch:
        batch, found["training.train_batch_size"] = _batch(situation, rows)
    found["training.num_steps"] = _steps(rows, batch)
    return found


def decide_cadence(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`training.eval_every` and `training.save_every`, once the steps are known."""
    steps = situation.count("training.num_steps")
    if not steps:
        return {}
    chosen = situation.number("training.eval_every")
    found: dict[KeyPath, Filled] = {}
    if chosen is None:
        found["training.eval_every"] = _eval_every(situation, steps)
        chosen = float(found["training.eval_every"].value)
    return {**found, "training.save_every": _save_every(steps, int(chosen))}


def _batch(situation: Situation, rows: int) -> tuple[int, Filled]:
    fits = power_of_two_at_most(MOST_EPOCHS * rows / FEWEST_STEPS)
    batch = min(rows, MOST_ROWS_PER_STEP, max(FEWEST_ROWS_PER_STEP, fits))
    what = "pairs" if situation.method == "dpo" else "rows"
    if batch == MOST_ROWS_PER_STEP:
        reason = f"the cookbook's start, and {rows:,} {what} give at least {FEWEST_STEPS} steps at it"
    elif MOST_EPOCHS * rows // batch >= FEWEST_STEPS:
        reason = f"the largest at which {rows:,} {what} give {FEWEST_STEPS} steps in {MOST_EPOCHS} passes"
    else:
        reason = f"small, since {rows:,} {what} give few steps; LoRA likes small batches better than large ones"
    larger = (Alternative(value=batch * 2, label=f"{batch * 2}", why="smoother steps, half as many"),)
    return batch, filled(batch, reason, GUIDE, alternatives=larger if batch * 2 <= rows else ())


def _steps(rows: int, batch: int) -> Filled:
    per_epoch = max(1, rows // batch)
    epochs = next((n for n in range(1, MOST_EPOCHS) if n * per_epoch >= GOOD_STEPS), MOST_EPOCHS)
    steps = epochs * per_epoch
    reason = f"{counted(epochs, 'pass', 'passes')} over {rows:,} rows at {batch} a step"
    if steps < FEWEST_STEPS:
        reason = f"{reason}; fewer than {FEWEST_STEPS}, but more passes would teach the rows by heart"
    return filled(steps, reason, GUIDE, alternatives=_other_steps(steps, per_epoch))


def _other_steps(steps: int, per_epoch: int) -> tuple[Alternative, ...]:
    found: list[Alternative] = []
    if steps > BIG_RUN_STEPS:
        pilot = min(BIG_RUN_STEPS, max(500, round(steps * 0.03)))
        why = "a pilot first: shows for a fraction of the cost whether the full run is worth it"
        found.append(Alternative(value=pilot, label=f"{pilot:,} steps ({pilot / steps:.0%})", why=why))
    if steps > per_epoch >= 20:
        found.append(Alternative(value=per_epoch, label=f"{per_epoch:,} steps", why="one pass, if it overfits"))
    return tuple(found)


def _sampling(situation: Situation, rows: int) -> dict[KeyPath, Filled]:
    rollouts = _SAMPLING[situation.method]
    most = rollouts.free if situation.is_free else rollouts.paid
    groups = max(1, min(most, power_of_two_at_most(rows)))
    size = situation.count(f"{situation.method}.group_size", 4)
    where = "the local engine samples slowly" if situation.is_free else "enough groups for a steady gradient"
    reason = f"{groups} prompts of {size} answers each, {groups * size:,} answers a step; {where}"
    steps = (
        f"about {FEWEST_STEPS * groups / rows:.1f} passes over {counted(rows, 'prompt')}; watch the reward and extend"
    )
    return {
        "training.train_batch_size": filled(groups, reason, rollouts.source),
        "training.num_steps": filled(FEWEST_STEPS, steps, GUIDE),
    }


def _eval_every(situation: Situation, steps: int) -> Filled:
    every = _round_down(steps / MEASUREMENTS)
    if situation.validation is None and not situation.text("training.val_file"):
        return filled(every, "no validation rows yet; this is when they would be measured")
    share = _validation_share(situation, steps, every)
    while share is not None and share > VALIDATION_SHARE and every < steps:
        every = min(steps, next((n for n in _ROUND if n > every), steps))
        share = _validation_share(situation, steps, every)
    told = "" if share is None else f", for {share:.0%} more tokens"
    return filled(
        every,
        f"{counted(2 + (steps - 1) // every, 'measurement')} over the run{told}",
        "cookbook: every 10 to 20 steps",
    )


def _validation_share(situation: Situation, steps: int, every: int) -> float | None:
    validation = None if situation.validation is None else row_tokens(situation.validation, like=situation.train)
    batch = situation.count("training.train_batch_size")
    if validation is None or situation.tokens is None or not batch or not situation.tokens.row.expected:
        return None
    passes = 2 + (steps - 1) // every
    return passes * validation.rows * validation.row.expected / (steps * batch * situation.tokens.row.expected)


def _save_every(steps: int, eval_every: int) -> Filled:
    least = max(20, steps // 20)
    with_evals = eval_every * -(-least // eval_every) if eval_every else steps
    is_aligned = with_evals <= max(least, steps / 4)
    every = with_evals if is_aligned else _round_down(max(least, steps / 5))
    aligned = "with a measurement, so that the best can be kept; " if is_aligned else ""
    reason = f"{aligned}a crash costs at most {every} steps, and only the last two, the best and the final are stored"
    return filled(every, reason, "cookbook: every 20 steps")


def _round_down(number: float) -> int:
    return max((n for n in _ROUND if n <= number), default=1)
