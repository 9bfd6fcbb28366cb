"""The reward by a preference model that an earlier stage has trained: answers to one prompt compete with each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, cast

import tinker
from tinker_cookbook.preference.types import Comparison, PreferenceModelFromChatRenderer
from tinker_cookbook.rl.preference_envs import PairwisePreferenceGroupBuilder, TournamentPattern
from tinker_cookbook.rl.types import EnvGroupBuilder

from tcao_tui.clients.tinker_port import TinkerBackend, Trainer
from tcao_tui.domain.method_params import RlParams
from tcao_tui.errors import PlanInvalid
from tcao_tui.methods.at_once import at_most
from tcao_tui.methods.evaluation import Validate, Validated, greedy_answers
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.rl.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable

_COMPARISONS_AT_ONCE = 64


class JudgingModel:
    """A preference model's sampler that counts what it reads and writes."""

    def __init__(self, backend: TinkerBackend, client: tinker.SamplingClient) -> None:
        self.backend, self._client = backend, client
        self._asked = self._read = 0

    @property
    def as_sampling_client(self) -> tinker.SamplingClient:
        """This object for the cookbook's model, which asks for the SDK's class and uses `sample`."""
        return cast("tinker.SamplingClient", self)

    def sample(
        self, prompt: tinker.ModelInput, num_samples: int, sampling_params: tinker.SamplingParams
    ) -> Awaitable[tinker.SampleResponse]:
        """Ask for one letter."""
        self._asked += 1
        self._read += prompt.length
        return self._client.sample(prompt, num_samples, sampling_params)

    def take_tokens(self) -> Mapping[str, int]:
        """Tokens read and written since this was last asked."""
        used = {"prefill": self._read, "sample": self._asked}
        self._asked = self._read = 0
        return used


async def open_judging_model(context: RunContext, stage: str) -> JudgingModel:
    """The model that `stage` has trained.

    Raises:
        PlanInvalid: No stage of that name comes before this one.
        BackendError: Its weights are gone from the server.
    """
    trained = context.stage_checkpoints.get(stage)
    if trained is None or trained.sampler_path is None:
        before = ", ".join(context.stage_checkpoints) or "none"
        raise PlanInvalid(
            f"no preference model of a stage {stage!r} is there; stages before this one: {before}",
            where="rl.grader",
            next_step="name a stage of method preference_model, as in `tcao run` of an rlhf plan",
        )
    client = await context.backend.sampling_client(model_path=trained.sampler_path)
    return JudgingModel(context.backend, client)


@dataclass(frozen=True)
class JudgedAnswers(PairwisePreferenceGroupBuilder):
    """Several answers to one prompt; `reference` is the answer that people chose."""

    reference: str = ""


class PreferenceReward:
    """Each answer earns its wins minus its losses against the others, -1 to 1, and 1 less when it never ended.

    Args:
        renderer: Of the plan.
        model: Judges.
        params: Of the plan.
        seed: Of greedy answers, where a tie is broken.
    """

    def __init__(self, renderer: ChatRenderer, model: JudgingModel, params: RlParams, seed: int) -> None:
        self._renderer, self._model, self._params, self._seed = renderer, model, params, seed
        self._judge = PreferenceModelFromChatRenderer(renderer.cookbook, model.as_sampling_client)

    def group_of(self, problem: Problem) -> EnvGroupBuilder:
        """The group of answers to one prompt."""
        return JudgedAnswers(
            convo_prefix=self._renderer.messages(problem.turns),
            policy_renderer=self._renderer.cookbook,
            tournament_pattern=TournamentPattern.ALL_PAIRS_BOTH_WAYS,
            preference_model=self._judge,
            num_envs=self._params.group_size,
            reference=problem.reference,
        )

    def validation(self, trainer: Trainer, problems: Sequence[Problem]) -> Validate:
        """How greedy answers fare against those that people chose, -1 to 1."""

        async def validate() -> Validated:
            prompts = [problem.prompt for problem in problems]
            answers = await greedy_answers(
                await trainer.sampler(), self._renderer, prompts, max_tokens=self._params.max_tokens, seed=self._seed
            )
            with self._model.backend.calling("asking the preference model"):
                scores = await at_most(_COMPARISONS_AT_ONCE, self._compared, zip(problems, answers, strict=True))
            used = self._model.take_tokens()
            return Validated(
                {"val_reward": fmean(scores)},
                prefill_tokens=sum(prompt.length for prompt in prompts) + used["prefill"],
                sampled_tokens=sum(map(len, answers)) + used["sample"],
            )

        return validate

    def take_tokens(self) -> Mapping[str, int]:
        """Tokens that the preference model has used since this was last asked."""
        return self._model.take_tokens()

    async def _compared(self, answered: tuple[Problem, Sequence[int]]) -> float:
        problem, answer = answered
        message, _ = self._renderer.cookbook.parse_response(list(answer))
        prompt, chosen = map(self._renderer.messages, (problem.turns, problem.chosen))
        comparison = Comparison(prompt, chosen, [message])
        return (await self._judge(comparison) - await self._judge(comparison.swap())) / 2
