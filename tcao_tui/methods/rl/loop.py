"""The cookbook's RL loops with everything but their range bound; `methods.loops` runs them and listens."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import chz
import tinker
from tinker_cookbook.rl import train
from tinker_cookbook.rl.types import RLDataset, RLDatasetBuilder
from tinker_cookbook.utils.cost_estimation import CostTracker, TokenUsage

from tcao_tui.domain.method_params import RlParams
from tcao_tui.methods.loops.client import LoopClient
from tcao_tui.methods.loops.segments import Loop
from tcao_tui.methods.loops.tap import COOKBOOK_DIR, Tap
from tcao_tui.methods.port import RunContext

if TYPE_CHECKING:
    from tinker_cookbook.checkpoint_utils import CheckpointManager
    from transformers import PreTrainedTokenizerBase

_RECIPE = "tcao_rl"


@chz.chz
class _NoBuilder(RLDatasetBuilder):
    """The inner loops get the dataset itself."""

    async def __call__(self) -> tuple[RLDataset, None]:
        raise NotImplementedError


class NoCheckpoints:
    """A checkpoint manager that saves nothing: checkpoints are saved between segments, by our protocol."""

    def should_save_periodic(self, step: int) -> bool:
        """Never."""
        return False

    async def maybe_save_rolling_async(self, step: int, loop_state: dict[str, Any]) -> None:
        """Nothing."""


class LeftOut:
    """Tokens that were sampled for groups which a step left out; the loop's own numbers of a step lack them."""

    def __init__(self, tracker: CostTracker) -> None:
        self._tracker, self._told = tracker, TokenUsage()

    def take_tokens(self) -> Mapping[str, int]:
        """Tokens since this was last asked, by kind of spending."""
        before, self._told = self._told, self._tracker.discarded
        read = self._told.prefill_cached + self._told.prefill_uncached - before.prefill_cached - before.prefill_uncached
        return {"prefill": read, "sample": self._told.sampled - before.sampled}


def rl_loop(
    context: RunContext,
    client: LoopClient,
    tap: Tap,
    dataset: RLDataset,
    *,
    reference: tinker.SamplingClient | None,
    tokenizer: PreTrainedTokenizerBase,
    tracker: CostTracker,
) -> Loop:
    """The loop that the plan asks for: on policy, or sampling ahead.

    Args:
        context: The worker.
        client: The LoRA.
        tap: Takes what is logged.
        dataset: Batches by number of the update, from 0.
        reference: Sampler of the weights that the KL penalty pulls towards; None without one.
        tokenizer: The model's.
        tracker: Counts tokens.
    """
    params = context.plan.rl or RlParams()
    config = _config(context, params, len(dataset.get_batch(0)) if params.max_steps_off_policy else 0)
    trained = train.do_async_training if params.max_steps_off_policy else train.do_sync_training
    run = partial(
        trained,
        num_batches=context.plan.training.num_steps,
        config=config,
        training_client=client.as_training_client,
        kl_reference_client=reference,
        evaluators=[],
        dataset=dataset,
        ml_logger=tap,
        tokenizer=cast("Any", tokenizer),
        checkpoint_mgr=cast("CheckpointManager", NoCheckpoints()),
        cost_tracker=tracker,
    )

    async def loop(start: int, end: int) -> None:
        await run(start, end)

    return loop


def _config(context: RunContext, params: RlParams, groups_ahead: int) -> train.Config:
    training = context.plan.training
    ahead = None
    if groups_ahead:
        ahead = train.AsyncConfig(
            max_steps_off_policy=params.max_steps_off_policy, groups_per_batch=groups_ahead, loss_fn=params.loss_fn
        )
    return train.Config(
        learning_rate=training.learning_rate,
        dataset_builder=_NoBuilder(),
        model_name=training.base_model,
        recipe_name=_RECIPE,
        max_tokens=params.max_tokens,
        log_path=str(context.run_dir / COOKBOOK_DIR),
        eval_every=0,
        save_every=0,
        kl_penalty_coef=params.kl_penalty_coef,
        loss_fn=params.loss_fn,
        num_substeps=params.num_substeps,
        lora_rank=training.lora_rank,
        temperature=params.temperature,
        remove_constant_reward_groups=params.remove_constant_reward_groups,
        rollout_error_tolerance=False,
        async_config=ahead,
        num_groups_to_log=0,
    )
