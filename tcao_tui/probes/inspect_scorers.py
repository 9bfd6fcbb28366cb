"""Graders as scorers of Inspect: right and wrong as C and I, a number as itself, what nobody can grade as unscored.

What a grader raises is an error of that sample, which Inspect counts apart and tries again; it is never a wrong answer.
"""

from __future__ import annotations

import math

from inspect_ai.scorer import (
    CORRECT,
    INCORRECT,
    Metric,
    MetricProtocol,
    SampleScore,
    Score,
    Scorer,
    Target,
    accuracy,
    metric,
    scorer,
    stderr,
)
from inspect_ai.solver import TaskState

from tcao_tui.domain.plain_text import one_line
from tcao_tui.graders import open_grader
from tcao_tui.graders.port import Grader

_SHOWN_CHARACTERS = 200
_HAS_FORM = "has_form"


@metric
def in_form() -> Metric:
    """Share of the scored answers that had the form that the grader asks for, 0 to 1."""

    return share_of(_HAS_FORM)


def share_of(mark: str) -> MetricProtocol:
    """The share of scores whose metadata have a mark, 0 to 1."""

    def share(scores: list[SampleScore]) -> float:
        marked = [bool((each.score.metadata or {}).get(mark)) for each in scores]
        return sum(marked) / len(marked) if marked else 0.0

    return share


@scorer(metrics=[accuracy(), stderr()])
def graded(grader: str) -> Scorer:
    """A grader of `tcao_tui.graders`.

    Args:
        grader: Its name, with its argument after a colon.

    Raises:
        UsageError: There is no such grader.
        PlanInvalid: It does not take this argument.
    """
    opened = open_grader(grader)

    async def score(state: TaskState, target: Target) -> Score:
        return score_of(opened, grader, state.output.completion, target.text)

    return score


def metrics_of(grader: str, *, clustered: bool) -> list[Metric]:
    """What is told of a whole task by this grader.

    Args:
        grader: As `graded` takes it.
        clustered: Whether every sample says in its metadata which `cluster` it belongs to.
    """
    found = [accuracy(), stderr(cluster="cluster") if clustered else stderr()]
    return [*found, in_form()] if getattr(open_grader(grader), "checks_form", False) else found


def score_of(grader: Grader, spec: str, answer: str, reference: str) -> Score:
    """One answer's score.

    Raises:
        ValueError: The grader gave no score at all, such as infinity.
        Exception: Whatever the grader raises.
    """
    verdict = grader.grade(answer, reference)
    # Graders of other packages may be older than `read`.
    read = grader.read(answer) if hasattr(grader, "read") else answer
    compared, metadata = _compared(read, reference), {_HAS_FORM: read is not None}
    if verdict is None:
        return Score.unscored(answer=read, explanation=f"{spec} cannot grade this: {compared}", metadata=metadata)
    if not math.isfinite(verdict):
        raise ValueError(f"grader {spec} gave {verdict}, which is no score")
    value = (CORRECT if verdict else INCORRECT) if isinstance(verdict, bool) else float(verdict)
    return Score(value=value, answer=read, explanation=f"{spec}: {compared}", metadata=metadata)


def _compared(read: str | None, reference: str) -> str:
    given = "nothing of the kind" if read is None else repr(one_line(read, _SHOWN_CHARACTERS))
    return f"the answer holds {given}, wanted was {one_line(reference, _SHOWN_CHARACTERS)!r}"
