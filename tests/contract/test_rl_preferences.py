"""RL against a preference model of an earlier stage."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.errors import PlanInvalid
from tcao_tui.store.rollout_files import read_rollouts
from tests.fakes.engine_process import EngineProcess
from tests.fakes.rl_lab import BATCH, GROUP, carry_out, make_plan


def write_pairs(path: Path, first: int, count: int) -> Path:
    rows = [{"prompt": f"say {n}", "chosen": str(n), "rejected": "no"} for n in range(first, first + count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def judge(engine: EngineProcess, tmp_path_factory: pytest.TempPathFactory) -> CheckpointRecord:
    """Some weights to judge with; which they are does not matter here."""
    directory = tmp_path_factory.mktemp("judge")
    return asyncio.run(carry_out(engine, make_plan(directory, num_steps=1), directory)).checkpoints[-1]


async def test_answers_compete_with_each_other_before_the_model_of_the_stage(
    engine: EngineProcess, tmp_path: Path, judge: CheckpointRecord
) -> None:
    plan = make_plan(
        tmp_path,
        rl={"grader": "preference_model:liked"},
        train_file=write_pairs(tmp_path / "pairs.jsonl", 0, 5),
        val_file=write_pairs(tmp_path / "held-out.jsonl", 10, 2),
        max_seq_len=128,
        num_steps=2,
    )
    context = await carry_out(engine, plan, tmp_path, stage_checkpoints={"liked": judge})
    assert context.trained == [(0, 0), (0, 1)]
    groups = list(read_rollouts(tmp_path, 1))
    assert {group.reference for group in groups} <= {"0", "1", "2", "3", "4"}
    for answer in (answer for group in groups for answer in group.answers):
        assert answer.reward == pytest.approx(answer.numbers["win_minus_loss"] + answer.numbers["format"] - 1)
    assert all(-1 <= value <= 1 for value in context.series("val_reward").values())
    read = {spend.tokens for spend in context.spends if spend.kind == "prefill" and spend.step == 1}
    comparisons = BATCH * GROUP * (GROUP - 1)
    assert sum(read) > context.series("tokens/prefill_uncached")[1] + 50 * comparisons
    sampled = sum(spend.tokens for spend in context.spends if spend.kind == "sample" and spend.step == 1)
    assert sampled == context.series("sampled_tokens")[1] + comparisons


async def test_a_stage_that_is_not_there_is_named(engine: EngineProcess, tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs.jsonl", 0, 5)
    plan = make_plan(tmp_path, rl={"grader": "preference_model:liked"}, train_file=pairs)
    with pytest.raises(PlanInvalid, match="no preference model of a stage 'liked'"):
        await carry_out(engine, plan, tmp_path)
