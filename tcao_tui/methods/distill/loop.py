"""The cookbook's on-policy distillation with everything but its range bound; `methods.loops` runs it and listens."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import tinker
from tinker_cookbook.completers import StopCondition
from tinker_cookbook.distillation import train_on_policy
from tinker_cookbook.distillation.datasets import CompositeDataset
from tinker_cookbook.rl.types import Action, ActionExtra, Env, EnvGroupBuilder, RLDataset, StepResult

from tcao_tui.domain.method_params import DistillParams
from tcao_tui.methods.distill.teachers import Teacher
from tcao_tui.methods.loops.client import LoopClient
from tcao_tui.methods.loops.segments import Loop
from tcao_tui.methods.loops.tap import COOKBOOK_DIR, Tap
from tcao_tui.methods.port import RunContext
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.rl.loop import NoCheckpoints
from tcao_tui.methods.rl.problems import Problem

if TYPE_CHECKING:
    from tinker_cookbook.checkpoint_utils import CheckpointManager
    from transformers import PreTrainedTokenizerBase

_RECIPE = "tcao_distill"


class PromptEnv(Env):
    """A prompt that is answered once; only the teacher says what that is worth."""

    def __init__(self, prompt: Problem, renderer: ChatRenderer) -> None:
        self._prompt, self._stop = prompt.prompt, renderer.cookbook.get_stop_sequences()

    async def initial_observation(self) -> tuple[tinker.ModelInput, StopCondition]:
        """The prompt."""
        return self._prompt, self._stop

    async def step(self, action: Action, *, extra: ActionExtra | None = None) -> StepResult:
        """The end."""
        empty = tinker.ModelInput.empty()
        return StepResult(reward=0.0, episode_done=True, next_observation=empty, next_stop_condition=self._stop)


@dataclass(frozen=True, slots=True)
class PromptAnswers(EnvGroupBuilder):
    """Several answers to one prompt."""

    prompt: Problem
    renderer: ChatRenderer
    group_size: int

    async def make_envs(self) -> Sequence[Env]:
        """One environment per answer."""
        return [PromptEnv(self.prompt, self.renderer) for _ in range(self.group_size)]


def distill_loop(
    context: RunContext,
    client: LoopClient,
    tap: Tap,
    batches: Sequence[RLDataset],
    teachers: Sequence[Teacher],
    *,
    tokenizer: PreTrainedTokenizerBase,
) -> Loop:
    """The loop over the prompts of all teachers.

    Args:
        context: The worker.
        client: The LoRA.
        tap: Takes what is logged.
        batches: Each teacher's prompts by number of the update, from 0.
        teachers: In the same order.
        tokenizer: The model's.
    """
    # It logs an example of every update as INFO, colours and all; answers are kept as rollouts.
    logging.getLogger(train_on_policy.__name__).setLevel(logging.WARNING)
    run = partial(
        train_on_policy.do_sync_training,
        num_batches=context.plan.training.num_steps,
        config=_config(context),
        training_client=client.as_training_client,
        checkpoint_mgr=cast("CheckpointManager", NoCheckpoints()),
        service_client=cast("tinker.ServiceClient", None),
        evaluators=[],
        dataset=CompositeDataset(list(batches), [0] * len(batches)),
        teacher_clients=[teacher.as_sampling_client for teacher in teachers],
        ml_logger=tap,
        tokenizer=cast("Any", tokenizer),
    )

    async def loop(start: int, end: int) -> None:
        await run(start, end)

    return loop


def _config(context: RunContext) -> train_on_policy.Config:
    training, params = context.plan.training, cast("DistillParams", context.plan.distill)
    return train_on_policy.Config(
        learning_rate=training.learning_rate,
        dataset_configs=[],
        model_name=training.base_model,
        recipe_name=_RECIPE,
        max_tokens=params.max_tokens,
        temperature=params.temperature,
        lora_rank=training.lora_rank,
        kl_penalty_coef=params.kl_penalty_coef,
        log_path=str(context.run_dir / COOKBOOK_DIR),
        eval_every=0,
        save_every=0,
    )
