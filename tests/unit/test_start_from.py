"""Starting from a checkpoint: what a new plan takes over, and what cannot be started from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.clients.checkpoint_calls import WeightsInfo
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.domain.checkpoint_listing import ListedCheckpoint, OwnCheckpoint, ServerCheckpoint, TrainingRun
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import BackendError, PlanInvalid, UsageError
from tcao_tui.services.backends import Profile, resolve_profile
from tcao_tui.services.start_from import Describe, fork_values, require_start
from tcao_tui.settings import Settings
from tcao_tui.store.plan_file import write_plan

LOCAL = resolve_profile(Settings(), "local", {})
STATE = "tinker://lora/weights/001-000005"


def plan(**more: object) -> Plan:
    config = TrainingConfig(
        base_model="tiny", run_name="tickets", train_file=Path("/data/t.jsonl"), lora_rank=16, learning_rate=3e-4
    )
    return Plan(training=config, goal="sort tickets").model_copy(update=more)


def listed(path: str = STATE, *, ours: bool = False) -> ListedCheckpoint:
    own = OwnCheckpoint("run-1", "tickets", RunStatus.COMPLETED, "tiny", 1, 5)
    kind = "training" if "/weights/" in path else "sampler"
    return ListedCheckpoint(
        server=ServerCheckpoint(path=path, training_run="lora", name="001-000005", kind=kind),
        training_run=TrainingRun(id="lora", base_model="tiny", lora_rank=16),
        own=own if ours else None,
    )


def test_a_plan_from_our_own_checkpoint_takes_over_the_plan_of_its_run(tmp_path: Path) -> None:
    (tmp_path / "run-1").mkdir()
    write_plan(tmp_path / "run-1", plan(start_from="tinker://older/weights/1"))
    values = {path: filled.value for path, filled in fork_values(tmp_path, listed(ours=True)).items()}
    assert values["start_from"] == STATE
    assert values["training.run_name"] == "tickets-fork"
    assert (values["goal"], values["training.learning_rate"], values["training.lora_rank"]) == (
        "sort tickets",
        3e-4,
        16,
    )
    assert "training.changes" not in values
    assert not any(path.startswith(("data", "decisions", "version")) for path in values)


def test_a_plan_from_somebody_elses_checkpoint_takes_over_model_and_rank(tmp_path: Path) -> None:
    for checkpoint in (listed(), listed(ours=True)):  # the plan file of the second is gone
        values = fork_values(tmp_path, checkpoint)
        assert {path: filled.value for path, filled in values.items()} == {
            "training.base_model": "tiny",
            "training.lora_rank": 16,
            "start_from": STATE,
        }


def test_weights_to_sample_from_start_no_training(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no training state"):
        fork_values(tmp_path, listed("tinker://lora/sampler_weights/001-000005"))


def gone(profile: Profile, path: str) -> WeightsInfo:
    raise BackendError(f"there is no {path}: it was deleted or has expired")


def undescribed(profile: Profile, path: str) -> WeightsInfo:
    raise Unsupported("not offered")


def other_model(profile: Profile, path: str) -> WeightsInfo:
    return WeightsInfo(base_model="large", lora_rank=16)


def other_rank(profile: Profile, path: str) -> WeightsInfo:
    return WeightsInfo(base_model="tiny", lora_rank=8)


@pytest.mark.parametrize(
    ("path", "describe", "said"),
    [
        (STATE, gone, "deleted or has expired"),
        (STATE, other_model, "is of large, and the plan trains tiny"),
        (STATE, other_rank, "has LoRA rank 8, and the plan has 16"),
        ("tinker://lora/sampler_weights/1", undescribed, "holds no training state"),
    ],
)
def test_a_launch_is_refused_where_the_start_cannot_be_loaded(path: str, describe: Describe, said: str) -> None:
    with pytest.raises(PlanInvalid, match=said) as refused:
        require_start(plan(start_from=path), LOCAL, describe)
    assert refused.value.where == "start_from"


def test_a_server_that_describes_no_weights_and_a_plan_without_a_start_stop_nothing() -> None:
    require_start(plan(start_from=STATE), LOCAL, undescribed)
    require_start(plan(), LOCAL, gone)
