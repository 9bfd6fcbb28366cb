from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tcao_tui import paths
from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.domain.hyperparams import rate_text
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.qlora import MICRO_BATCH_TOKENS, start_rate, translate
from tcao_tui.domain.training_config import SettingChange
from tcao_tui.errors import ExitCode, UsageError
from tcao_tui.services.qlora import config_text, write_qlora
from tcao_tui.store.plan_file import read_plan, write_plan
from tcao_tui.store.port import NewRun
from tcao_tui.store.sqlite import open_store


def make_plan(plan: dict[str, Any] | None = None, **training: Any) -> Plan:
    values = {"base_model": "Qwen/Qwen3-8B", "run_name": "x", "train_file": "/data/t.jsonl", "learning_rate": 2e-4}
    return Plan.model_validate({"training": values | training, **(plan or {})})


def values(section: Any) -> dict[str, Any]:
    return {key: setting.value for key, setting in section.items()}


def test_rank_alpha_layers_length_and_optimiser_are_those_of_the_run() -> None:
    made = translate(make_plan(lora_rank=16, max_seq_len=1024, adam_beta2=0.9, weight_decay=0.01, seed=7), "here")
    lora, training, data = values(made.lora), values(made.training), values(made.data)
    assert (lora["r"], lora["lora_alpha"], lora["lora_dropout"]) == (16, 32, 0.0)
    assert lora["target_modules"][-1] == "lm_head"
    assert "target_parameters" not in lora
    assert (training["adam_beta2"], training["weight_decay"], training["seed"]) == (0.9, 0.01, 7)
    assert (data["model"], data["max_seq_len"]) == ("here", 1024)
    assert "alpha / r = 2" in made.lora["lora_alpha"].why


@pytest.mark.parametrize(
    ("parts", "targets"),
    [
        ({"train_mlp": False, "train_unembed": False}, {"q_proj", "k_proj", "v_proj", "o_proj"}),
        ({"train_attn": False, "train_unembed": False}, {"gate_proj", "up_proj", "down_proj"}),
        ({"train_attn": False, "train_mlp": False}, {"lm_head"}),
    ],
)
def test_what_the_run_does_not_train_gets_no_adapter(parts: dict[str, bool], targets: set[str]) -> None:
    assert set(values(translate(make_plan(**parts), "here").lora)["target_modules"]) == targets


@pytest.mark.parametrize(
    ("rate", "size", "start", "why"),
    [
        (2.5e-4, 8e9, 2.5e-4, "as in the Tinker run"),
        (4.73e-4, 8e9, 3e-4, "4.73e-4, above"),
        (1e-5, 13e9, 2e-4, "1e-5, below"),
        (3e-4, 70e9, 2e-4, "above"),
        (5e-4, 4e9, 5e-4, "as in the Tinker run"),
        (2e-3, None, 2e-3, "as in the Tinker run"),
    ],
)
def test_the_learning_rate_is_the_runs_where_that_suits_the_size_and_says_so_where_not(
    rate: float, size: float | None, start: float, why: str
) -> None:
    found = start_rate(rate, None if size is None else int(size))
    assert found.value == start
    assert why in found.why
    assert rate_text(2e-4) in found.why


@pytest.mark.parametrize("rows", [1, 3, 8, 100, 128])
@pytest.mark.parametrize("length", [16, 256, 1000, 4096, 32_768])
def test_an_update_is_made_of_as_many_rows_as_in_the_run(rows: int, length: int) -> None:
    training = values(translate(make_plan(train_batch_size=rows, max_seq_len=length), "here").training)
    micro = training["per_device_train_batch_size"]
    assert micro * training["gradient_accumulation_steps"] == rows
    assert micro == 1 or micro * length <= MICRO_BATCH_TOKENS


def test_epsilon_and_clipping_are_scaled_from_summed_to_mean_gradients() -> None:
    made = translate(make_plan(train_batch_size=4, adam_eps=1e-8, grad_clip_norm=2.0), "here")
    assert values(made.training)["adam_epsilon"] == pytest.approx(2.5e-9)
    assert values(made.training)["max_grad_norm"] == pytest.approx(0.5)
    assert "sums over 4 rows" in made.training["max_grad_norm"].why


@pytest.mark.parametrize(
    ("plan", "training", "said"),
    [
        ({}, {}, "rounded to 4 bits"),
        ({}, {"train_unembed": True}, "lm_head"),
        ({}, {"base_model": "Qwen/Qwen3.6-35B-A3B"}, "fused parameter"),
        ({}, {"base_model": "Qwen/Qwen3.6-35B-A3B"}, "in_proj_qkv holds several"),
        ({}, {"base_model": "openai/gpt-oss-20b"}, "MXFP4"),
        ({}, {"base_model": "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16"}, "out_proj of Mamba"),
        ({}, {"batch_tokens": 20_000}, "cuts batches at 20,000 tokens"),
        ({}, {"warmup_steps": 10}, "one step behind"),
        ({}, {"changes": (SettingChange(step=3, key="learning_rate", value=1e-4),)}, "changed while the run trained"),
        ({"start_from": "tinker://run/weights/001-000010"}, {}, "starts from the base model"),
    ],
)
def test_what_cannot_be_mimicked_is_said(plan: dict[str, Any], training: dict[str, Any], said: str) -> None:
    assert any(said in difference for difference in translate(make_plan(plan, **training), "here").differences)


def test_what_does_not_concern_a_plan_is_not_said() -> None:
    told = " ".join(translate(make_plan(train_unembed=False), "here").differences)
    for part in ("lm_head", "Experts", "cuts batches", "warms up", "changed while", "starts from a training state"):
        assert part not in told


def test_every_value_survives_the_file_whatever_it_holds(tmp_path: Path) -> None:
    plan = make_plan(input_field="a: b # c\n- d", base_model="x\ny: 1", lr_schedule="cosine", num_steps=3)
    made = translate(plan, "no\u202e")
    read = yaml.safe_load(config_text(made))
    assert read == {name: values(section) for name, section in made.sections.items()}
    assert read["training"]["lr_scheduler_type"] == "cosine"


@pytest.mark.parametrize("name", ["dpo-plan.yaml", "rl-plan.yaml"])
def test_a_plan_that_is_not_supervised_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="method sft only"):
        write_qlora(read_plan(paths.templates_dir() / name), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_files_that_a_person_changed_are_kept(tmp_path: Path) -> None:
    first = write_qlora(make_plan(), tmp_path)
    first.files[0].write_text("mine")
    write_qlora(make_plan(), tmp_path)
    assert first.files[0].with_name("qlora-config.yaml.old").read_text() == "mine"
    assert sorted(file.name for file in (tmp_path / "scripts").iterdir()) == ["plan.py", "qlora_trainer.py"]


def test_a_directory_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UsageError, match="cannot be written"):
        write_qlora(make_plan(), tmp_path / "out")


def test_the_command_takes_a_run_or_a_plan_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    console = CliContext(runs_root=tmp_path / "runs", environ={"HOME": str(tmp_path)})
    store = open_store(console.runs_root)
    store.create_run(
        NewRun(run_id="r1", name="x", method="sft", base_model="m", backend="b", total_steps=4, created_at=0.0)
    )
    store.close()
    (console.runs_root / "r1").mkdir(exist_ok=True)
    write_plan(console.runs_root / "r1", make_plan(lora_rank=8))
    for source in ("r1", str(console.runs_root / "r1" / "plan.yaml")):
        out = tmp_path / "out"
        assert main.run(["qlora", source, "--out", str(out), "--output", "json"], console) == ExitCode.OK
        told = json.loads(capsys.readouterr().out)
        assert told["config"]["lora"]["r"] == 8
        assert told["config"]["data"]["model"] == "Qwen/Qwen3-8B"
        assert all(Path(file).is_file() for file in told["files"])
        assert told["differences"]


def test_the_command_shows_values_with_reasons_and_what_to_type_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    console = CliContext(runs_root=tmp_path / "runs", environ={})
    plan = str(paths.templates_dir() / "demo-plan.yaml")
    assert main.run(["qlora", plan, "--out", str(tmp_path / "out")], console) == ExitCode.OK
    told = capsys.readouterr()
    assert "lora_alpha: 32  # Tinker's, whatever the rank" in told.out
    assert "what cannot be mimicked" in told.out
    assert "--dry-run" in told.err
    read = yaml.safe_load((tmp_path / "out" / "qlora-config.yaml").read_text())
    assert read["data"]["renderer_name"] == paths.TINY_MODEL_RENDERER
    assert Path(read["data"]["model"]).is_dir()
