"""The cells of a pilot's range test: short trainings at other learning rates and ranks, as plans of their own. Pure.

Reading what came of them is `range_test`; training them is the worker's business.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tcao_tui.domain.marks import RangeMarks
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import EvalPlan, Plan
from tcao_tui.domain.training_events import RangeCellTrained
from tcao_tui.domain.watch_plan import RangeTest, WatchPlan
from tcao_tui.domain.wording import number_text

RATE_FACTORS = (0.1, 0.32, 1.0, 3.2, 10.0)
"""Learning rates that are tried, relative to the plan's own: half a decade apart."""

PILOTED = ("sft", "dpo", "preference_model")
"""Methods whose pilot may have a range test: their batches are known, so that all cells see the same ones."""


@dataclass(frozen=True, slots=True)
class RangeCell:
    """One training of the test.

    Attributes:
        index: Counts from 1.
        plan: Its short plan: nothing is measured, saved or watched.
        is_own: Whether learning rate and rank are those of the plan itself.
    """

    index: int
    plan: Plan
    is_own: bool

    @property
    def words(self) -> str:
        """`learning rate 0.0003, rank 32`."""
        return cell_words(self.plan.training.learning_rate, self.plan.training.lora_rank)


def cell_words(learning_rate: float, lora_rank: int) -> str:
    """A cell as people call it."""
    return f"learning rate {learning_rate:g}, rank {lora_rank}"


def losses_text(cell: RangeCellTrained) -> str:
    """`loss 2.31 -> 1.84 in 20 steps`."""
    first, last = (number_text(math.nan if loss is None else loss) for loss in (cell.losses[0], cell.losses[-1]))
    return f"loss {first} -> {last} in {len(cell.losses)} steps"


def range_lines(marks: RangeMarks) -> list[str]:
    """Each cell in a line, those that are on their way and those of the plan and the best marked."""
    lines: list[str] = []
    for index, begun in sorted(marks.begun.items()):
        done = marks.trained.get(index)
        notes = ["the plan's own"] if begun.is_own else []
        notes += ["best"] if marks.tested is not None and marks.tested.best == index else []
        told = "on its way" if done is None else losses_text(done)
        lines.append(
            f"{cell_words(begun.learning_rate, begun.lora_rank)}: {told}{f' ({", ".join(notes)})' * bool(notes)}"
        )
    return lines


def nearby_rates(learning_rate: float) -> tuple[float, ...]:
    """Learning rates from a tenth to ten times one, on two digits."""
    return tuple(float(f"{learning_rate * factor:.2g}") for factor in RATE_FACTORS)


def range_terms(plan: Plan) -> RangeTest | None:
    """The range test that a plan asks for; None without."""
    return None if plan.pilot is None else plan.pilot.range_test


def range_cells(plan: Plan) -> tuple[RangeCell, ...]:
    """The cells of a plan's range test, the plan's own values among them; of a pipeline those of its first stage."""
    terms = range_terms(plan)
    if terms is None:
        return ()
    first = stage_plans(plan)[0].plan
    config = first.training
    rates = terms.learning_rates or nearby_rates(config.learning_rate)
    rates = sorted({config.learning_rate, *(rate for rate in rates if rate <= 1)})
    ranks = sorted({config.lora_rank, *terms.lora_ranks})
    values = [(rate, rank) for rank in ranks for rate in rates]
    own = (config.learning_rate, config.lora_rank)
    return tuple(
        RangeCell(index, _short(first, terms.steps, *chosen), chosen == own) for index, chosen in enumerate(values, 1)
    )


def _short(plan: Plan, steps: int, learning_rate: float, lora_rank: int) -> Plan:
    config = plan.training.model_copy(
        update={
            "learning_rate": learning_rate,
            "lora_rank": lora_rank,
            "num_steps": steps,
            "lr_schedule": "constant",
            "warmup_steps": 0,
            "save_every": 0,
            "eval_every": 0,
            "val_file": None,
            "changes": (),
        }
    )
    return plan.model_copy(update={"training": config, "evals": EvalPlan(), "watch": WatchPlan(), "pilot": None})
