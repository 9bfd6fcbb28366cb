"""Starting from a checkpoint: the values of a new plan that does, and whether that of a plan can be loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tcao_tui.clients.checkpoint_calls import DescribeCheckpoint, WeightsInfo
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.domain.checkpoint_listing import ListedCheckpoint
from tcao_tui.domain.draft import Filled, KeyPath, flat
from tcao_tui.domain.plan import Plan
from tcao_tui.errors import BackendError, PlanInvalid, UsageError
from tcao_tui.services.backend_helper import BackendHelper
from tcao_tui.services.backends import Profile
from tcao_tui.services.plans import plan_of_run

type Describe = Callable[[Profile, str], WeightsInfo]

_NAME_CHARACTERS = 64
_OF_THE_RUN = {"version", "data", "stage_data", "decisions", "start_from"}


def fork_values(runs_root: Path, checkpoint: ListedCheckpoint) -> dict[KeyPath, Filled]:
    """What a plan that starts from a checkpoint begins with: the plan of its run where it is ours, else its model.

    Raises:
        UsageError: It holds no training state.
    """
    if checkpoint.server.kind != "training":
        raise UsageError(
            f"{checkpoint.path} holds no training state, so nothing can be trained on from it",
            next_step="take the training checkpoint of its step: `tcao ckpt ls --kind training`",
        )
    values = _of_its_run(runs_root, checkpoint) or {
        "training.base_model": checkpoint.base_model,
        "training.lora_rank": checkpoint.lora_rank,
    }
    known = {path: value for path, value in values.items() if value is not None}
    source = f"checkpoint {checkpoint.path}"
    return {
        path: Filled(value=value, by="you", reason="as the checkpoint was trained", source=source)
        for path, value in {**known, "start_from": checkpoint.path}.items()
    }


def _of_its_run(runs_root: Path, checkpoint: ListedCheckpoint) -> dict[KeyPath, Any]:
    if checkpoint.own is None:
        return {}
    plan = plan_of_run(runs_root, checkpoint.own.run_id)
    if plan is None:
        return {}
    plain = plan.model_dump(mode="json", exclude=_OF_THE_RUN, exclude_none=True)
    del plain["training"]["changes"]
    plain["training"]["run_name"] = f"{plan.training.run_name[: _NAME_CHARACTERS - 5]}-fork"
    return {path: filled.value for path, filled in flat(plain).items()}


def ask_server(profile: Profile, path: str) -> WeightsInfo:
    """What the server says of weights. Raises `Unsupported` where it describes none, `BackendError` for none."""
    with BackendHelper(profile.name, purpose="check") as helper:
        return helper.call(DescribeCheckpoint(path=path))


def require_start(plan: Plan, profile: Profile, describe: Describe = ask_server) -> None:
    """Make sure that the checkpoint a plan starts from can be loaded into its LoRA.

    Raises:
        PlanInvalid: It is gone, holds no training state, or is of another model or rank.
    """
    path = plan.start_from
    if path is None:
        return
    if "/weights/" not in path:
        raise _invalid(f"{path} holds no training state")
    try:
        weights = describe(profile, path)
    except Unsupported:
        return
    except BackendError as error:
        raise _invalid(error.what) from error
    if weights.base_model not in (None, plan.training.base_model):
        raise _invalid(f"{path} is of {weights.base_model}, and the plan trains {plan.training.base_model}")
    if weights.lora_rank not in (None, plan.training.lora_rank):
        raise _invalid(f"{path} has LoRA rank {weights.lora_rank}, and the plan has {plan.training.lora_rank}")


def _invalid(what: str) -> PlanInvalid:
    return PlanInvalid(what, where="start_from", next_step="tcao ckpt ls --kind training")
