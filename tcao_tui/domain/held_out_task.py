"""Layer 1 for any weights: the loss on rows that were not trained on, and on some that were, to see over-fitting."""

from __future__ import annotations

from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.plan_data import DataFile, data_files, kinds_of

HELD_OUT = "loss on held-out rows"
TRAINED_ON = "loss on training rows"

MOST_ROWS = 500
"""Rows of each file at most: the mean of 500 rows is sure to a few per cent of their spread."""


def held_out_tasks(plan: Plan, *, seed: int = 0) -> tuple[EvalTask, ...]:
    """The loss on the plan's validation rows, and on as many training rows.

    Of several stages the last one counts whose rows hold answers; there are no tasks where none does, as with RL.

    Args:
        plan: With its data hashed.
        seed: Of the choice of rows, the same for all weights.
    """
    for stage in reversed(stage_plans(plan)):
        if {"chat", "preference"} & set(kinds_of(stage.plan) or ()):
            found = (_task(stage.plan, file, seed) for file in data_files(stage.plan))
            return tuple(task for task in found if task is not None)
    return ()


def _task(plan: Plan, file: DataFile, seed: int) -> EvalTask | None:
    names = {"val_file": HELD_OUT, "train_file": TRAINED_ON}
    if file.field not in names:
        return None
    training = plan.training
    fields = None if file.field_map is None else file.field_map.model_dump()
    return EvalTask(
        name=names[file.field],
        layer=1,
        harness="held_out",
        target=str(file.path),
        arguments={
            "fields": fields,
            "train_on_what": training.train_on_what,
            "max_seq_len": training.max_seq_len,
            "renderer": training.renderer_name or "",
        },
        limit=MOST_ROWS,
        seed=seed,
        content=file.recorded,
        higher_is_better=False,
        is_guardrail=file.field == "val_file",
    )
