"""Whether exported weights do what the backend does: token by token, with a stated tolerance. Pure.

What is compared are logprobs of the same tokens (a prompt and the backend's greedy answer to it), and whether the
export too would have chosen each token of that answer: then, and only then, its greedy answer is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tcao_tui.domain.plain_text import one_line

PROMPTS = 8
ANSWER_TOKENS = 48

INCLUDED_PROMPTS = (
    "What is the capital of France?",
    "Write a short poem about the sea.",
    "Explain why the sky is blue, in one sentence.",
    "List three uses of a paperclip.",
    "Translate to German: Good morning, how are you?",
    "What is 17 times 24?",
    'Give me a JSON object with the keys "name" and "age".',
    "Name a fruit that is red.",
)
"""For weights of which no data are known."""

DType = Literal["float32", "float16", "bfloat16"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Answered(_Part):
    """A prompt and the backend's greedy answer to it.

    Attributes:
        tokens: Prompt and answer.
        prompt_tokens: How many of them are the prompt.
        logprobs: Of each token in nats, given those before it; None for the first, and where the backend gives none.
        words: Each token as text.
    """

    text: str
    tokens: tuple[int, ...]
    prompt_tokens: int = Field(ge=1)
    logprobs: tuple[float | None, ...]
    words: tuple[str, ...]


class Measured(_Part):
    """The same tokens through exported weights, from the second on.

    Attributes:
        logprobs: Of each token, nats.
        best: The likeliest token in its place.
        best_logprobs: Its logprob.
    """

    logprobs: tuple[float, ...]
    best: tuple[int, ...]
    best_logprobs: tuple[float, ...]


class Tolerance(_Part):
    """How far logprobs may be apart, in nats: any one token, and the mean over all."""

    dtype: DType
    max_nats: float
    mean_nats: float
    why: str


TOLERANCES: dict[DType, Tolerance] = {
    # Rounding is 2^-24 of a value; sums in another order over some hundred terms and layers cost a few digits more.
    "float32": Tolerance(dtype="float32", max_nats=1e-3, mean_nats=1e-4, why="float32 on both sides: order of sums"),
    # Rounding is 2^-11 of a value: 0.01 of a logit near 20, several times that over the layers before it.
    "float16": Tolerance(dtype="float16", max_nats=0.06, mean_nats=0.006, why="rounding of float16, 2^-11 of a value"),
    # Rounding is 2^-8 of a value, eight times that of float16.
    "bfloat16": Tolerance(dtype="bfloat16", max_nats=0.5, mean_nats=0.05, why="rounding of bfloat16, 2^-8 of a value"),
}
"""Measured on 2026-11-24 for the coarse types: the included model (3 layers of 128, LoRA on all matrices, unembedding
included) against itself in float32, 301 and 581 tokens. bfloat16 was 0.019 and 0.029 apart on average and 0.16 at most,
float16 0.002 and 0.004, and 0.03: an eighth, as theory says. Both sides may round, each in its way, which makes sqrt(2)
times that: 0.041 and 0.23 in bfloat16. One token gets twice as much, since larger models have larger logits: from 16 to
32 they lie 0.125 apart in bfloat16, and four such steps are 0.5. No larger model was measured.

What has to be caught is further away: in an adapter of 12 small steps, one matrix of one layer that was lost or negated
was 0.084 on average and 1.0 at most, a lost unembedding 0.18 and 2.6, a wrong scaling 0.6 and 10. The average is what
tells them from rounding; see `tests/contract/test_parity_bfloat16.py`.
"""


class Difference(_Part):
    """Where the two sides differ: `place` counts the tokens of prompt and answer from 0."""

    prompt: int
    text: str
    place: int
    token: str
    backend_logprob: float
    export_logprob: float
    nats: float


class Parity(_Part):
    """The result.

    Attributes:
        ready_to_serve: Everything agrees within the tolerance.
        failures: What does not, each a sentence for people.
        compared_tokens: Tokens whose logprobs both sides know.
        greedy_tokens: Tokens of all answers, and `greedy_agreed` those that the export would have chosen too;
            `greedy_ties` are others so close that rounding decides.
        worst: Largest difference.
    """

    ready_to_serve: bool
    failures: tuple[str, ...]
    tolerance: Tolerance
    prompts: int
    compared_tokens: int
    mean_nats: float
    max_nats: float
    greedy_tokens: int
    greedy_agreed: int
    greedy_ties: int
    worst: Difference | None


@dataclass(frozen=True, slots=True)
class _Choice:
    """A token of an answer that the export would not have chosen; `gap` is by how much, nats."""

    prompt: int
    place: int
    gap: float


def tolerance_for(*dtypes: str) -> Tolerance:
    """The tolerance of the coarsest of the number types involved; unknown ones count as bfloat16."""
    rank: list[DType] = ["float32", "float16", "bfloat16"]
    coarsest = max(rank.index(name) if name in rank else len(rank) - 1 for name in dtypes)
    return TOLERANCES[rank[coarsest]]


def compare(answers: Sequence[Answered], measured: Sequence[Measured], tolerance: Tolerance) -> Parity:
    """Hold both sides against each other; `answers` and `measured` are in the same order."""
    differences = [
        found
        for number, (answer, export) in enumerate(zip(answers, measured, strict=True))
        for found in _differences(number, answer, export)
    ]
    choices = [
        choice
        for number, (answer, export) in enumerate(zip(answers, measured, strict=True))
        for choice in _other_choices(number, answer, export)
    ]
    # Each side may be off by the tolerance, in opposite directions.
    ties = [choice for choice in choices if choice.gap <= 2 * tolerance.max_nats]
    others = [choice for choice in choices if choice.gap > 2 * tolerance.max_nats]
    worst = max(differences, key=lambda found: found.nats, default=None)
    mean = sum(found.nats for found in differences) / len(differences) if differences else 0.0
    greedy = sum(len(answer.tokens) - answer.prompt_tokens for answer in answers)
    failures = [*_distance_failures(worst, mean, tolerance), *_choice_failures(others, answers, measured)]
    return Parity(
        ready_to_serve=not failures,
        failures=tuple(failures),
        tolerance=tolerance,
        prompts=len(answers),
        compared_tokens=len(differences),
        mean_nats=mean,
        max_nats=worst.nats if worst else 0.0,
        greedy_tokens=greedy,
        greedy_agreed=greedy - len(choices),
        greedy_ties=len(ties),
        worst=worst,
    )


def _differences(number: int, answer: Answered, export: Measured) -> list[Difference]:
    return [
        Difference(
            prompt=number,
            text=one_line(answer.text, 80),
            place=place,
            token=one_line(answer.words[place], 30),
            backend_logprob=told,
            export_logprob=export.logprobs[place - 1],
            nats=abs(told - export.logprobs[place - 1]),
        )
        for place, told in enumerate(answer.logprobs)
        if place > 0 and told is not None
    ]


def _other_choices(number: int, answer: Answered, export: Measured) -> list[_Choice]:
    return [
        _Choice(number, place, export.best_logprobs[place - 1] - export.logprobs[place - 1])
        for place in range(answer.prompt_tokens, len(answer.tokens))
        if export.best[place - 1] != answer.tokens[place]
    ]


def _distance_failures(worst: Difference | None, mean: float, tolerance: Tolerance) -> list[str]:
    if worst is None:
        return ["no token could be compared"]
    failures: list[str] = []
    # Not "greater than": a difference that is no number is a failure too.
    if not worst.nats <= tolerance.max_nats:
        failures.append(
            f'token {worst.place} ("{worst.token}") of prompt {worst.prompt + 1} ("{worst.text}") has logprob '
            f"{worst.backend_logprob:.4f} at the backend and {worst.export_logprob:.4f} in the export: "
            f"{worst.nats:.4g} apart, more than {tolerance.max_nats:g}"
        )
    if not mean <= tolerance.mean_nats:
        failures.append(f"logprobs are {mean:.4g} apart on average, more than {tolerance.mean_nats:g}")
    return failures


def _choice_failures(others: Sequence[_Choice], answers: Sequence[Answered], measured: Sequence[Measured]) -> list[str]:
    if not others:
        return []
    first = others[0]
    answer = answers[first.prompt]
    return [
        f"{len(others)} tokens of greedy answers differ; the first is token {first.place} "
        f'("{one_line(answer.words[first.place], 30)}") of the answer to prompt {first.prompt + 1} '
        f'("{one_line(answer.text, 80)}"), where the export prefers another by {first.gap:.4g} nats'
    ]
