"""Models as judges: scorers of Inspect that ask the model bound to the role `grader`, and no other one.

What the judge says without a grade leaves the sample unscored; a judge that is away or too slow is an error of the
sample, after some tries. Neither is ever a wrong answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from inspect_ai.model import GenerateConfig, Model, get_model
from inspect_ai.scorer import (
    CORRECT,
    INCORRECT,
    Metric,
    Score,
    Scorer,
    Target,
    accuracy,
    mean,
    metric,
    scorer,
    stderr,
)
from inspect_ai.solver import TaskState
from inspect_ai.util import collect

from tcao_tui import paths
from tcao_tui.domain.judges import OUR_PROVIDER
from tcao_tui.domain.judging import better_in, grade_in, grading_prompt, pairwise_prompt, win_of
from tcao_tui.probes.inspect_scorers import share_of

ROLE = "grader"

ASKING = GenerateConfig(temperature=0.0, max_tokens=1024, max_retries=4, attempt_timeout=90, timeout=300)
"""Greedy; seconds and tries are bounded, so that a judge that is away ends the sample and not the patience."""

_SWAYED = "swayed"


@dataclass(frozen=True, slots=True)
class Rubric:
    """What a judge is told besides the texts: its prompt's name and the rubric."""

    prompt: str
    text: str

    @property
    def template(self) -> str:
        """The prompt as it is shipped."""
        return (paths.prompts_dir() / "judging" / f"{self.prompt}.md").read_text(encoding="utf-8")


def bound_judge() -> Model:
    """The model of the role.

    Raises:
        PrerequisiteError: No model is bound to it; without this, Inspect would ask the model under test.
    """
    return get_model(role=ROLE, required=True)


def judge_model(name: str, profile: str) -> Model:
    """The model that grades; what it said once of the same answer is not asked again after a death.

    Args:
        name: As Inspect names it.
        profile: Server of a judge `tcao/...`.
    """
    if name.startswith(OUR_PROVIDER):
        return get_model(name, profile=profile, memoize=False)
    return get_model(name, config=GenerateConfig(cache=True), memoize=False)


@metric
def order_mattered() -> Metric:
    """Share of the comparisons in which the judge preferred another answer when they changed places, 0 to 1."""

    return share_of(_SWAYED)


@scorer(metrics=[accuracy(), stderr()])
def judged(rubric: str = "") -> Scorer:
    """Right or wrong by a judge."""
    told = Rubric("grade", rubric)

    async def score(state: TaskState, target: Target) -> Score:
        answer = state.output.completion
        prompt = grading_prompt(
            told.template, rubric=told.text, question=state.input_text, wanted=target.text, answer=answer
        )
        said = (await bound_judge().generate(prompt, config=ASKING)).completion
        grade = grade_in(said)
        if grade is None:
            return Score.unscored(reason="grader_failed", answer=answer, explanation=said)
        return Score(value=CORRECT if grade else INCORRECT, answer=answer, explanation=said)

    return score


@scorer(metrics=[mean(), stderr(), order_mattered()])
def preferred(rubric: str = "") -> Scorer:
    """Whether a judge prefers the answer to another one: 1, 0, or 0.5 where it depends on which comes first.

    The other one is the `opponent` of the sample's metadata, else the wanted answer.
    """
    told = Rubric("pairwise", rubric)

    async def score(state: TaskState, target: Target) -> Score:
        answer = state.output.completion
        opponent: str | None = state.metadata.get("opponent")
        other, wanted = (target.text, "") if opponent is None else (opponent, target.text)

        async def asked(first: str, second: str) -> str:
            prompt = pairwise_prompt(
                told.template, rubric=told.text, question=state.input_text, wanted=wanted, first=first, second=second
            )
            return (await bound_judge().generate(prompt, config=ASKING)).completion

        said, swapped = await collect(asked(answer, other), asked(other, answer))
        explanation = f"as the first:\n{said}\n\nas the second:\n{swapped}"
        one, two = better_in(said), better_in(swapped)
        if one is None or two is None:
            return Score.unscored(reason="grader_failed", answer=answer, explanation=explanation)
        return Score(
            value=win_of(one, two),
            answer=answer,
            explanation=explanation,
            metadata={_SWAYED: one == two and one != "neither"},
        )

    return score
