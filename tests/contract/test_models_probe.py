"""What is known of models: by the real SDK from the engine, from the cookbook's tables, and from a folder on disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from peft import LoraConfig, get_peft_model
from tinker.types import SupportedModel
from transformers import AutoModelForCausalLM

from tcao_tui import paths
from tcao_tui.errors import BackendError, ExitCode
from tcao_tui.probes import local_model
from tcao_tui.probes.cookbook_facts import cookbook_facts
from tcao_tui.probes.models import describe, probe_main
from tcao_tui.services import models
from tcao_tui.services.backends import KeySource, Profile, resolve_profile
from tcao_tui.settings import Settings
from tests.fakes.engine_process import EngineProcess
from tests.fakes.own_places import use_places

LOCAL = resolve_profile(Settings(), "local", {})
TINKER = Profile("tinker", "tinker", None, KeySource("sdk"), "test")


@pytest.fixture
def places(engine: EngineProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "engine").symlink_to(engine.state_dir)
    for name, place in (("STATE", state), ("CONFIG", tmp_path / "config"), ("CACHE", tmp_path / "cache")):
        monkeypatch.setenv(f"TCAO_{name}_DIR", str(place))


def test_the_engine_tells_its_models_and_their_folders_the_rest(
    places: None, model_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe_main(["--profile", "local"]) == 0
    told = json.loads(capsys.readouterr().out)
    found: dict[str, Any] = {model["name"]: model for model in told["models"]}
    assert told["is_free"] is True
    assert set(found) == {"random", paths.TINY_MODEL_NAME}
    tiny, random = found[paths.TINY_MODEL_NAME], found["random"]
    assert (tiny["total_parameters"], tiny["hidden_size"], tiny["context_length"]) == (640_064, 128, 4096)
    assert (tiny["renderers"], tiny["training"]) == (["qwen3_instruct"], "instruct")
    assert (random["tokenizer"], random["renderers"], random["training"]) == (str(model_dir), ["role_colon"], "base")
    assert all(model["price"]["train_usd"] == 0 for model in found.values())


def test_the_service_asks_through_the_helper_and_remembers(places: None, monkeypatch: pytest.MonkeyPatch) -> None:
    found = models.capabilities(LOCAL)
    assert found.model(paths.TINY_MODEL_NAME)

    def fail(profile: Profile) -> Any:
        raise AssertionError("asked again")

    assert models.capabilities(LOCAL, ask=fail) == found


def test_an_engine_that_does_not_run_is_an_error_with_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use_places(monkeypatch, tmp_path)
    assert probe_main(["--profile", "local"]) == ExitCode.BACKEND
    assert json.loads(capsys.readouterr().out)["error"]["next_step"] == "tcao engine start"
    with pytest.raises(BackendError, match="not running"):
        models.capabilities(LOCAL, start_engine=False)


@pytest.mark.parametrize("tied", [True, False])
def test_lora_parameters_are_those_that_an_adapter_on_all_layers_has(tied: bool, model_dir: Path) -> None:
    folder = model_dir if tied else paths.TINY_MODEL
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head"]
    adapted = get_peft_model(model, LoraConfig(r=4, target_modules=targets, task_type="CAUSAL_LM"))
    trained = sum(value.numel() for name, value in adapted.named_parameters() if ".lora_" in name)
    assert local_model.local_facts(folder).lora_parameters_per_rank * 4 == trained


@pytest.mark.parametrize(
    ("template", "renderers"),
    [
        ("", ("role_colon",)),
        ("<|im_start|>{{ role }}", ("qwen3_instruct",)),
        ("<|im_start|>{% if enable_thinking %}", ("qwen3", "qwen3_disable_thinking")),
        ("<|start_header_id|>", ("llama3",)),
        ("[INST]", ()),
    ],
)
def test_the_chat_format_is_read_off_the_template(template: str, renderers: tuple[str, ...]) -> None:
    assert local_model.renderers_for(template) == renderers


def test_templates_stand_in_a_file_of_their_own_or_in_the_tokenizers(tmp_path: Path) -> None:
    assert local_model.chat_template(tmp_path) == ""
    config = tmp_path / "tokenizer_config.json"
    for content, expected in (("{", ""), ("[]", ""), ('{"chat_template": "a"}', "a")):
        config.write_text(content)
        assert local_model.chat_template(tmp_path) == expected
    config.write_text(json.dumps({"chat_template": [{"name": "default", "template": "<|im_start|>"}]}))
    assert "<|im_start|>" in local_model.chat_template(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("own")
    assert local_model.chat_template(tmp_path) == "own"


def supported(name: str) -> SupportedModel:
    return SupportedModel(model_name=name, max_context_length=65536, trainable=True, sampleable=True)


def test_the_cookbook_adds_what_it_knows_of_a_model() -> None:
    found = describe(supported("Qwen/Qwen3.6-35B-A3B"), TINKER, "http://localhost:1", {})
    assert (found.total_parameters, found.active_parameters) == (35_000_000_000, 3_000_000_000)
    assert found.renderers[0] == "qwen3_5"
    assert (found.training, found.family, found.is_vision) == ("hybrid", "qwen3.6", True)
    assert found.lora_parameters_per_rank == 17_545_728
    assert found.sft_learning_rate == pytest.approx(4.99e-4, rel=1e-3)
    assert found.price.train_usd is None


def test_long_context_variants_are_the_model_they_are_variants_of() -> None:
    found = describe(supported("zai-org/GLM-5.3:peft:262144"), TINKER, "http://localhost:1", {})
    assert (found.rank_cap, found.family, found.tokenizer) == (32, "glm-5.3", "zai-org/GLM-5.3")
    assert (found.training, found.sft_learning_rate) == ("reasoning", None)
    assert found.lora_parameters_per_rank


@pytest.mark.parametrize("name", ["acme/odd-7B", "Qwen/Qwen9-3B", "no-maker", "meta-llama/Llama-9-8B"])
def test_a_model_that_nobody_knows_is_described_by_its_name_without_asking_a_hub(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any, **more: Any) -> Any:
        raise AssertionError("asked the hub")

    monkeypatch.setattr("tinker_cookbook.hyperparam_utils.AutoConfig.from_pretrained", refuse)
    facts = cookbook_facts(name)
    assert (facts.renderers, facts.sft_learning_rate, facts.lora_parameters_per_rank) == ((), None, None)
    assert describe(supported(name), TINKER, "http://localhost:1", {}).training == "unknown"


def test_base_models_are_told_from_those_that_were_trained_to_chat() -> None:
    kinds = {name: cookbook_facts(name).training for name in ("Qwen/Qwen3-8B-Base", "Qwen/Qwen3-4B-Instruct-2507")}
    assert kinds == {"Qwen/Qwen3-8B-Base": "base", "Qwen/Qwen3-4B-Instruct-2507": "instruct"}
    assert cookbook_facts("thinkingmachines/Inkling-Small").training == "hybrid"


def test_a_folder_that_is_gone_leaves_what_the_server_said(tmp_path: Path) -> None:
    found = describe(supported("acme/odd-7B"), LOCAL, "http://localhost:1", {"acme/odd-7B": tmp_path / "gone"})
    assert (found.tokenizer, found.total_parameters) == (str(tmp_path / "gone"), 7_000_000_000)
