"""How far the student is from its teacher on prompts that it is not trained on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import tinker

from tcao_tui.clients.tinker_port import TinkerBackend
from tcao_tui.domain.method_params import DistillParams
from tcao_tui.methods.at_once import at_most
from tcao_tui.methods.distill.scoring import reverse_kl
from tcao_tui.methods.distill.teachers import Teacher
from tcao_tui.methods.evaluation import Validated
from tcao_tui.methods.loops.client import LoopClient
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.rl.problems import Problem

_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class HeldOutKl:
    """A `Validate`: reverse KL to a teacher, nats per token, of one answer to each prompt, drawn from fixed seeds."""

    backend: TinkerBackend
    client: LoopClient
    teacher: Teacher
    prompts: Sequence[Problem]
    renderer: ChatRenderer
    params: DistillParams
    seed: int

    async def __call__(self) -> Validated:
        """Answer all prompts and have them scored."""
        with self.backend.calling("validation"):
            sampler = await self.client.save_weights_and_get_sampling_client()
            ask = partial(self._kl, sampler)
            found = await at_most(_AT_ONCE, ask, enumerate(self.prompts))
        self.teacher.scored.clear()
        tokens = sum(count for _, count in found)
        mean = sum(kl for kl, _ in found) / tokens if tokens else math.nan
        spends = self.teacher.take_spends(0)
        return Validated(
            {"val_teacher_kl": mean},
            prefill_tokens=sum(prompt.prompt.length for prompt in self.prompts),
            sampled_tokens=tokens,
            spends=spends,
        )

    async def _kl(self, sampler: tinker.SamplingClient, numbered: tuple[int, Problem]) -> tuple[float, int]:
        """KL summed over one answer, and its tokens."""
        number, problem = numbered
        settings = tinker.SamplingParams(
            max_tokens=self.params.max_tokens,
            temperature=self.params.temperature,
            stop=self.renderer.stop,
            seed=self.seed + number,
        )
        answered = await sampler.sample(problem.prompt, num_samples=1, sampling_params=settings)
        [answer] = answered.sequences
        tokens, logprobs = list(answer.tokens), list(answer.logprobs or ())
        if not tokens:
            return 0.0, 0
        whole = tinker.ModelInput.from_ints([*problem.prompt.to_ints(), *tokens])
        return reverse_kl(logprobs, await self.teacher.score(whole)), len(tokens)
