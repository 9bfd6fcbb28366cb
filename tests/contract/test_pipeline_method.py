"""Several trainings in one run, through the real SDK on a real engine with a random model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.events import DataLoaded, Scored
from tcao_tui.domain.method_params import RlhfParams
from tcao_tui.domain.plan import EvalPlan, Plan, ScoreSpec
from tcao_tui.domain.stages import Stage
from tcao_tui.domain.training_config import SettingChange, TrainingConfig
from tcao_tui.domain.training_events import RolloutsTaken, StageEnded, StageMeasured, StageStarted
from tcao_tui.methods import METHODS
from tcao_tui.methods.port import Directive
from tests.fakes.engine_process import EngineProcess
from tests.fakes.random_backend import open_backend
from tests.fakes.recording_context import RecordingContext

STEPS = 3


def rows_file(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def pairs(path: Path, count: int, first: int = 0) -> Path:
    numbers = range(first, first + count)
    return rows_file(path, [{"prompt": f"say {n}", "chosen": f"{n}!", "rejected": f"no {n}"} for n in numbers])


def training(directory: Path, **changes: Any) -> TrainingConfig:
    settings: dict[str, Any] = {
        "base_model": "random",
        "run_name": "r",
        "train_file": rows_file(directory / "rows.jsonl", [{"input": f"say {n}", "output": f"{n}"} for n in range(9)]),
        "lora_rank": 4,
        "max_seq_len": 384,
        "train_batch_size": 2,
        "num_steps": STEPS,
        "eval_every": 2,
        "save_every": 2,
        "learning_rate": 1e-3,
        "renderer_name": "qwen3_instruct",
        **changes,
    }
    return TrainingConfig(**settings)


def sft_then_dpo(directory: Path, start: str = "previous", **changes: Any) -> Plan:
    """Three steps of SFT over nine rows, then as many of DPO over five pairs, of which three are held out."""
    paired = {
        "training.train_file": pairs(directory / "pairs.jsonl", 5),
        "training.val_file": pairs(directory / "held-out.jsonl", 3, first=50),
        "training.learning_rate": 1e-2,
    }
    stages = (Stage(name="imitate", method="sft"), Stage(name="prefer", method="dpo", start=start, set=paired))
    return Plan(method="pipeline", training=training(directory), stages=stages, **changes)


async def carry_out(
    engine: EngineProcess, plan: Plan, run_dir: Path, *, saved: Sequence[CheckpointRecord] = (), **options: Any
) -> RecordingContext:
    backend = await open_backend(engine)
    context = RecordingContext(plan, backend, run_dir=run_dir, **options)
    context.checkpoints += saved
    try:
        await METHODS.load(plan.method)(context)
    finally:
        await backend.close("success")
    return context


def course(context: RecordingContext) -> list[str]:
    return [line for line in context.log if line.split()[0] in {"step", "save", "stage_started"}]


def stages_of(context: RecordingContext) -> list[StageStarted]:
    return [event for event in context.events if isinstance(event, StageStarted)]


@pytest.fixture(scope="module")
def whole(engine: EngineProcess, tmp_path_factory: pytest.TempPathFactory) -> RecordingContext:
    """An uninterrupted run of two stages."""
    directory = tmp_path_factory.mktemp("whole")
    return asyncio.run(carry_out(engine, sft_then_dpo(directory), directory))


def test_steps_are_counted_through_and_batches_in_each_stages_own_data(whole: RecordingContext) -> None:
    assert course(whole) == [
        "stage_started",
        "step 1",
        "step 2",
        "save 2 periodic",
        "step 3",
        "save 3 stage",
        "stage_started",
        "step 4",
        "step 5",
        "save 5 periodic",
        "step 6",
        "save 6 final",
    ]
    assert whole.trained == [(0, 0), (0, 1), (0, 2), (0, 0), (0, 1), (1, 0)]
    loaded = [event for event in whole.events if isinstance(event, DataLoaded)]
    assert [(event.first_step, event.batches_per_epoch) for event in loaded] == [(0, 4), (3, 2)]


def test_a_stage_starts_from_the_weights_of_the_one_before_and_with_its_own_settings(whole: RecordingContext) -> None:
    first, second = stages_of(whole)
    assert (first.name, first.method, first.first_step, first.started_from) == ("imitate", "sft", 0, "")
    assert (second.name, second.method, second.first_step) == ("prefer", "dpo", STEPS)
    assert second.started_from == whole.checkpoints[1].state_path
    assert whole.series("learning_rate") == {1: 1e-3, 2: 1e-3, 3: 1e-3, 4: 1e-2, 5: 1e-2, 6: 1e-2}


def test_what_a_stage_measures_before_its_first_update_is_its_baseline(whole: RecordingContext) -> None:
    assert list(whole.series("val_accuracy")) == [5, 6], "step 3 belongs to the stage before"
    [measured] = [event for event in whole.events if isinstance(event, StageMeasured)]
    assert (measured.index, measured.name, measured.step) == (1, "prefer", STEPS)
    assert measured.values["val_accuracy"] == 0.5
    assert all(key.startswith("val_") for key in measured.values)


async def test_a_stage_may_start_from_the_base_model(engine: EngineProcess, tmp_path: Path) -> None:
    context = await carry_out(engine, sft_then_dpo(tmp_path, start="base"), tmp_path)
    assert [stage.started_from for stage in stages_of(context)] == ["", ""]


async def test_a_resume_goes_on_inside_the_stage_that_was_interrupted(
    engine: EngineProcess, whole: RecordingContext
) -> None:
    inside = whole.checkpoints[2]
    resumed = await carry_out(
        engine, whole.plan, whole.run_dir, saved=whole.checkpoints[:3], resume_point=inside, attempt=2
    )
    assert course(resumed) == ["stage_started", "step 6", "save 6 final"]
    assert resumed.trained == whole.trained[5:]
    assert resumed.series("dpo_loss")[6] == pytest.approx(whole.series("dpo_loss")[6], abs=1e-4)


async def test_a_stage_whose_end_was_saved_is_only_measured_again(
    engine: EngineProcess, whole: RecordingContext
) -> None:
    ended = whole.checkpoints[:2]
    resumed = await carry_out(engine, whole.plan, whole.run_dir, saved=ended, resume_point=ended[-1], attempt=2)
    assert course(resumed) == ["stage_started", *course(whole)[6:]]
    assert [stage.name for stage in stages_of(resumed)] == ["imitate", "prefer"]


async def test_a_stage_that_was_over_when_the_next_one_began_is_not_entered_again(
    engine: EngineProcess, whole: RecordingContext
) -> None:
    ended = whole.checkpoints[:2]
    resumed = await carry_out(
        engine, whole.plan, whole.run_dir, saved=ended, resume_point=ended[-1], attempt=2, begun=(STEPS,)
    )
    assert [stage.name for stage in stages_of(resumed)] == ["prefer"]


@pytest.mark.parametrize(("step", "last"), [(2, "save 2 stop"), (5, "save 5 stop")])
async def test_a_stop_within_any_stage_ends_the_run_with_a_checkpoint(
    engine: EngineProcess, tmp_path: Path, step: int, last: str
) -> None:
    context = await carry_out(engine, sft_then_dpo(tmp_path), tmp_path, script={step: Directive.STOP})
    assert course(context)[-1] == last


def scored_plan(directory: Path) -> Plan:
    scored = rows_file(directory / "scored.jsonl", [{"input": "say 1", "output": "1"}])
    return sft_then_dpo(directory, evals=EvalPlan(score=ScoreSpec(file=scored, max_tokens=4)))


async def test_a_stage_that_is_enough_ends_with_its_score_and_the_next_is_counted_as_planned(
    engine: EngineProcess, tmp_path: Path
) -> None:
    context = await carry_out(engine, scored_plan(tmp_path), tmp_path, script={2: Directive.FINISH})
    assert course(context) == [
        *["stage_started", "step 1", "step 2", "save 2 stage"],
        *["stage_started", "step 4", "step 5", "save 5 periodic", "step 6", "save 6 final"],
    ]
    [ended] = [event for event in context.events if isinstance(event, StageEnded)]
    assert (ended.index, ended.first_step, ended.step, ended.last_step) == (0, 0, 2, STEPS)
    assert stages_of(context)[1].started_from == context.checkpoints[0].state_path
    assert [event.step for event in context.events if isinstance(event, Scored)] == [0, 2, 6]


async def test_a_stage_whose_early_end_was_saved_but_not_said_is_not_trained_on(
    engine: EngineProcess, tmp_path: Path
) -> None:
    plan = scored_plan(tmp_path)
    first = await carry_out(engine, plan, tmp_path, script={2: Directive.FINISH})
    ended = first.checkpoints[:1]
    again: dict[str, Any] = {"saved": ended, "resume_point": ended[0], "attempt": 2}
    resumed = await carry_out(engine, plan, tmp_path, script={2: Directive.FINISH}, **again)
    assert course(resumed) == ["stage_started", *course(first)[4:]]
    assert [event.step for event in resumed.events if isinstance(event, Scored)] == [2, 6], "its score is made up for"


@pytest.mark.parametrize(
    ("asked", "after_pause", "stages"),
    [
        (Directive.STOP, Directive.CONTINUE, 1),
        (Directive.PAUSE, Directive.STOP, 1),
        (Directive.PAUSE, Directive.CONTINUE, 2),
    ],
)
async def test_between_two_stages_people_are_obeyed_as_well(
    engine: EngineProcess, tmp_path: Path, asked: Directive, after_pause: Directive, stages: int
) -> None:
    plan = sft_then_dpo(tmp_path)
    # The last step of a stage asks once by itself; what is asked for after that is seen between the stages.
    context = await carry_out(
        engine, plan, tmp_path, script={0: Directive.CONTINUE}, after_pause=after_pause, late={STEPS: asked}
    )
    assert len(stages_of(context)) == stages


async def test_a_change_of_a_setting_holds_within_its_stage(engine: EngineProcess, tmp_path: Path) -> None:
    change = SettingChange(step=2, key="learning_rate", value=5e-4)
    plan = sft_then_dpo(tmp_path)
    changed = plan.model_copy(update={"training": plan.training.model_copy(update={"changes": (change,)})})
    context = await carry_out(engine, changed, tmp_path)
    assert context.series("learning_rate") == {1: 1e-3, 2: 5e-4, 3: 5e-4, 4: 1e-2, 5: 1e-2, 6: 1e-2}


async def test_scores_are_taken_once_at_each_border(engine: EngineProcess, tmp_path: Path) -> None:
    scored = rows_file(tmp_path / "scored.jsonl", [{"input": "say 1", "output": "1"}])
    evals = EvalPlan(score=ScoreSpec(file=scored, max_tokens=4))
    context = await carry_out(engine, sft_then_dpo(tmp_path, evals=evals), tmp_path)
    assert [event.step for event in context.events if isinstance(event, Scored)] == [0, STEPS, 2 * STEPS]


async def test_rlhf_imitates_then_judges_then_practises(engine: EngineProcess, tmp_path: Path) -> None:
    config = training(
        tmp_path,
        train_file=pairs(tmp_path / "pairs.jsonl", 5),
        val_file=pairs(tmp_path / "held-out.jsonl", 2, first=50),
        num_steps=2,
    )
    params = RlhfParams(reward_steps=2, rl_steps=2, group_size=2, max_tokens=4)
    context = await carry_out(engine, Plan(method="rlhf", training=config, rlhf=params), tmp_path)
    sft, preference, rl = stages_of(context)
    assert [(stage.name, stage.method) for stage in (sft, preference, rl)] == [
        ("sft", "sft"),
        ("preference", "preference_model"),
        ("rl", "rl"),
    ]
    assert preference.started_from == ""
    assert rl.started_from == context.checkpoints[0].state_path
    assert [(record.step, record.reason) for record in context.checkpoints] == [
        (2, "stage"),
        (4, "stage"),
        (6, "final"),
    ]
    assert list(context.series("reward_mean")) == [5, 6]
    assert [event.file for event in context.events if isinstance(event, RolloutsTaken)] == [
        f"stages/rl/rollouts/step-{step:06d}.jsonl" for step in (1, 2)
    ]
    assert all((tmp_path / event.file).exists() for event in context.events if isinstance(event, RolloutsTaken))
