from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tinker_cookbook import tokenizer_utils

from tests.engine.conftest import MODEL
from tests.fakes.engine_process import EngineProcess

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def cookbook_environment(engine: EngineProcess, model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoTokenizer

    monkeypatch.setenv("TINKER_BASE_URL", engine.url)
    monkeypatch.setenv("TINKER_API_KEY", engine.key)
    tokenizer_utils.register_tokenizer(MODEL, lambda: AutoTokenizer.from_pretrained(model_dir))


def _metrics(log_path: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (log_path / "metrics.jsonl").read_text().splitlines()]


def test_the_cookbooks_supervised_loop_trains_unmodified(tmp_path: Path) -> None:
    from tinker_cookbook.supervised import train
    from tinker_cookbook.supervised.data import FromConversationFileBuilder
    from tinker_cookbook.supervised.types import ChatDatasetBuilderCommonConfig

    data = tmp_path / "data.jsonl"
    rows = [[{"role": "user", "content": f"say {n}"}, {"role": "assistant", "content": "yes " * 3}] for n in range(64)]
    data.write_text("".join(json.dumps({"messages": row}) + "\n" for row in rows))
    common = ChatDatasetBuilderCommonConfig(
        model_name_for_tokenizer=MODEL, renderer_name="role_colon", max_length=200, batch_size=16
    )
    config = train.Config(
        log_path=str(tmp_path / "run"),
        model_name=MODEL,
        recipe_name="test",
        renderer_name="role_colon",
        dataset_builder=FromConversationFileBuilder(common_config=common, file_path=str(data), test_size=16),
        learning_rate=5e-3,
        num_epochs=4,
        lora_rank=8,
        eval_every=4,
        save_every=4,
    )
    asyncio.run(train.main(config))
    losses = [row["train_mean_nll"] for row in _metrics(tmp_path / "run") if "train_mean_nll" in row]
    assert len(losses) == 12
    assert losses[-1] < losses[0] - 1
    saved = [json.loads(line) for line in (tmp_path / "run" / "checkpoints.jsonl").read_text().splitlines()]
    assert saved[-1]["state_path"].startswith("tinker://")


def test_the_cookbooks_reinforcement_loop_trains_unmodified(tmp_path: Path) -> None:
    from tinker_cookbook.recipes.math_rl.arithmetic_env import ArithmeticDatasetBuilder
    from tinker_cookbook.rl import train

    builder = ArithmeticDatasetBuilder(
        batch_size=4, model_name_for_tokenizer=MODEL, n_batches=3, renderer_name="role_colon", group_size=4
    )
    config = train.Config(
        log_path=str(tmp_path / "run"),
        model_name=MODEL,
        recipe_name="test",
        renderer_name="role_colon",
        dataset_builder=builder,
        learning_rate=1e-4,
        max_tokens=8,
        lora_rank=8,
        eval_every=0,
        save_every=2,
    )
    asyncio.run(train.main(config))
    rows = _metrics(tmp_path / "run")
    assert len([row for row in rows if "env/all/reward/total" in row]) == 3
    assert abs(next(row["optim/kl_sample_train_v1"] for row in rows if "optim/kl_sample_train_v1" in row)) < 1e-3
    assert (tmp_path / "run" / "checkpoints.jsonl").exists()
