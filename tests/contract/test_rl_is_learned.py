"""What RL is for, on the tiny chat model: the included demo plan, on policy and sampling ahead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui.domain.events import Scored
from tcao_tui.domain.method_params import RlParams
from tcao_tui.methods import METHODS
from tcao_tui.paths import TINY_MODEL_NAME, templates_dir
from tcao_tui.store.plan_file import read_plan
from tests.fakes.engine_process import EngineProcess
from tests.fakes.random_backend import open_backend
from tests.fakes.recording_context import RecordingContext

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    process = EngineProcess(tmp_path_factory.mktemp("engine") / "state")
    yield process
    process.stop()


@pytest.mark.parametrize(
    "changes",
    [{}, {"max_steps_off_policy": 1, "loss_fn": "ppo"}, {"loss_fn": "cispo", "kl_penalty_coef": 0.01}],
    ids=["on policy", "ahead", "cispo"],
)
async def test_the_demo_lifts_exact_match_from_less_than_30_to_more_than_80_percent(
    engine: EngineProcess, tmp_path: Path, changes: dict[str, object]
) -> None:
    plan = read_plan(templates_dir() / "rl-demo-plan.yaml")
    params = RlParams.model_validate({**(plan.rl or RlParams()).model_dump(), **changes})
    backend = await open_backend(engine, model=TINY_MODEL_NAME)
    context = RecordingContext(plan.model_copy(update={"rl": params}), backend, run_dir=tmp_path)
    try:
        await METHODS.load("rl")(context)
    finally:
        await backend.close("success")
    before, after = [event for event in context.events if isinstance(event, Scored)]
    assert before.value is not None
    assert before.value < 0.3
    assert after.value is not None
    assert after.value > 0.8
    rewards = context.series("reward_mean")
    assert rewards[30] > rewards[1] + 0.4
    assert context.series("val_reward")[30] > 0.8
