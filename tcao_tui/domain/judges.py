"""What speaks against a model as the judge of another one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tcao_tui.domain.model_names import family_of
from tcao_tui.domain.pipeline import PREFERENCE_REWARD, stage_plans, teacher_models
from tcao_tui.domain.plan import Plan

OUR_PROVIDER = "tcao/"
"""Before models of the server itself, as Inspect names them."""


@dataclass(frozen=True, slots=True)
class Caution:
    """Why a judge's grades may flatter, what would not, and what to do."""

    what: str
    expected: str
    fix: str


def judge_cautions(plan: Plan, judge: str) -> Iterator[Caution]:
    """What a person should know before a judge's grades are believed.

    Args:
        plan: Of the run whose checkpoints are judged.
        judge: As Inspect names it.
    """
    base, model = plan.training.base_model, model_of(judge)
    if _short(model) in map(_short, _rewarding(plan)):
        yield Caution(
            f"{judge} grades what it also rewards in training: the score says how well it was pleased",
            "a judge that training never asked",
            "name another judge, or believe the graders that follow a rule",
        )
    elif same_family(model, base):
        yield Caution(
            f"{judge} is of the same family as {base}, and models prefer answers like their own",
            "a judge of another family",
            "name another judge, or compare its grades with those of people before you believe them",
        )


def model_of(judge: str) -> str:
    """The model's own name, without provider and checkpoint."""
    return judge.removeprefix(OUR_PROVIDER).partition("@")[0]


def same_family(one: str, other: str) -> bool:
    """Whether two models are kin by their names: Qwen3 and Qwen2.5 are."""
    first, second = _kin(one), _kin(other)
    return bool(first) and first == second


def _kin(name: str) -> str:
    found = re.search(r"[a-z]+", family_of(name))
    return found[0] if found else ""


def _short(name: str) -> str:
    return name.rpartition("/")[2].casefold()


def _rewarding(plan: Plan) -> Iterator[str]:
    """Models whose judgement is trained on: teachers, and the base of a preference model."""
    yield from teacher_models(plan)
    for stage in stage_plans(plan):
        if stage.plan.rl is not None and stage.plan.rl.grader.partition(":")[0] == PREFERENCE_REWARD:
            yield stage.plan.training.base_model
