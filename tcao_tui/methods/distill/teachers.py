"""Teachers: weights on the server that score or answer. What they read and write has their own model's price."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

import tinker

from tcao_tui.domain.events import Spend
from tcao_tui.domain.method_params import DistillParams
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.evaluation import price
from tcao_tui.methods.port import RunContext

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from transformers import PreTrainedTokenizerBase

_KNOWN_SHARE = 0.99
"""Share of the student's tokens that a teacher must know; special tokens may differ within a family."""


@dataclass(slots=True)
class Teacher:
    """One teacher.

    Attributes:
        client: The SDK's own client.
        model: As the server names it.
        quote: Its prices.
        scored: Logprobs of the sequences it has scored since they were last taken, by their tokens; the first is None.
        read, written: Tokens since they were last taken.
    """

    client: tinker.SamplingClient
    model: str
    quote: PriceQuote
    scored: dict[tuple[int, ...], Sequence[float | None]] = field(
        default_factory=dict[tuple[int, ...], "Sequence[float | None]"]
    )
    read: int = 0
    written: int = 0

    @property
    def as_sampling_client(self) -> tinker.SamplingClient:
        """This object for the loop, which asks for the SDK's class and uses `compute_logprobs`."""
        return cast("tinker.SamplingClient", self)

    def compute_logprobs(self, sequence: tinker.ModelInput) -> _Asked:
        """Score a sequence; the cookbook awaits `coroutine()` of what this returns."""
        return _Asked(self, sequence)

    async def score(self, sequence: tinker.ModelInput) -> Sequence[float | None]:
        """Logprobs of each token, the first None, which are remembered until they are taken."""
        found = await self.client.compute_logprobs(sequence)
        self.read += sequence.length
        self.scored[tuple(sequence.to_ints())] = found
        return found

    def take_spends(self, step: int) -> list[Spend]:
        """Ledger entries of what was read and written since this was last called."""
        used: tuple[tuple[Literal["prefill", "sample"], int, float | None], ...] = (
            ("prefill", self.read, self.quote.prefill_usd),
            ("sample", self.written, self.quote.sample_usd),
        )
        self.read = self.written = 0
        return [Spend(kind=kind, step=step, tokens=n, usd=price(n, usd)) for kind, n, usd in used if n]


@dataclass(frozen=True, slots=True)
class _Asked:
    teacher: Teacher
    sequence: tinker.ModelInput

    def coroutine(self) -> Coroutine[object, object, Sequence[float | None]]:
        return self.teacher.score(self.sequence)


async def open_teachers(
    context: RunContext, params: DistillParams, tokenizer: PreTrainedTokenizerBase
) -> tuple[Teacher, ...]:
    """The plan's teachers, the main one first.

    Raises:
        PlanInvalid: One counts in other tokens than the student.
        BackendError: The server has no such weights.
    """
    named = [(params.teacher_model, params.teacher_checkpoint, "distill.teacher_model")]
    for number, more in enumerate(params.more_teachers):
        named.append((more.model, more.checkpoint, f"distill.more_teachers.{number}.model"))
    vocabulary = tokenizer.get_vocab()
    teachers: list[Teacher] = []
    for model, checkpoint, key in named:
        client = await context.backend.sampling_client(base_model=model, model_path=checkpoint)
        if model != context.plan.training.base_model:
            with context.backend.calling("loading the tokenizer of the teacher"):
                theirs = await asyncio.to_thread(client.get_tokenizer)
            check_vocabulary(vocabulary, theirs.get_vocab(), model, key)
        teachers.append(Teacher(client, model, context.backend.quote_of(model)))
    return tuple(teachers)


def check_vocabulary(student: Mapping[str, int], teacher: Mapping[str, int], model: str, key: str) -> None:
    """Refuse a teacher whose tokens are others than the student's: it would score noise.

    Args:
        student: Tokens to their numbers.
        teacher: The same of the teacher.
        model: The teacher.
        key: Where the plan names it.

    Raises:
        PlanInvalid: They differ by more than special tokens.
    """
    shared = sum(teacher.get(token) == number for token, number in student.items())
    if shared < _KNOWN_SHARE * len(student):
        raise PlanInvalid(
            f"{model} counts in other tokens than the student: {shared:,} of {len(student):,} are the same",
            where=key,
            next_step="choose a teacher of the student's family; or answer the prompts with it and train with sft",
        )
