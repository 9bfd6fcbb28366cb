"""The configuration builds the real objects of PEFT, bitsandbytes' Transformers side and Transformers."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from tinker_cookbook.hyperparam_utils import get_lora_param_count
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, BitsAndBytesConfig, TrainingArguments

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.qlora import Section, translate

QWEN3 = {"hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36, "num_attention_heads": 32}
LLAMA = {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32}
DELTA = {"hidden_size": 2560, "intermediate_size": 9216, "num_hidden_layers": 32, "num_attention_heads": 16}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "Qwen/Qwen3-8B": ("qwen3", QWEN3 | {"num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151_936}),
    "meta-llama/Llama-3.1-8B": ("llama", LLAMA | {"num_key_value_heads": 8, "vocab_size": 128_256}),
    "Qwen/Qwen3.5-4B": ("qwen3_5_text", DELTA | {"num_key_value_heads": 4, "head_dim": 256, "vocab_size": 248_320}),
    "Qwen/Qwen3-30B-A3B": (
        "qwen3_moe",
        {"hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4}
        | {"head_dim": 128, "vocab_size": 151_936, "num_experts": 128, "moe_intermediate_size": 768},
    ),
    "openai/gpt-oss-20b": ("gpt_oss", {"num_hidden_layers": 24, "vocab_size": 512}),
    "deepseek-ai/DeepSeek-V3.1": ("deepseek_v3", {"vocab_size": 512, "n_routed_experts": 8}),
}
"""Published sizes of models, to build them without weights."""

FAMILIES = {
    "Qwen/Qwen3.6-35B-A3B": "qwen3_5_moe_text",
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": "nemotron_h",
    "zai-org/GLM-5.3": "glm_moe_dsa",
    "moonshotai/Kimi-K2.6": "deepseek_v3",
}


def arguments(section: Section) -> dict[str, Any]:
    return {key: setting.value for key, setting in section.items()}


def make_plan(base_model: str, **training: Any) -> Plan:
    values = {"base_model": base_model, "run_name": "x", "train_file": "/data/t.jsonl", "learning_rate": 2e-4}
    return Plan.model_validate({"training": values | training})


def adapted(kind: str, shape: dict[str, Any], lora: Section) -> PeftModel:
    with torch.device("meta"):
        base = AutoModelForCausalLM.from_config(CONFIG_MAPPING[kind](**shape))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about merging tied heads
        return get_peft_model(base, LoraConfig(**arguments(lora)), low_cpu_mem_usage=True)


def trained(model: PeftModel) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


@pytest.mark.parametrize("name", ["Qwen/Qwen3-8B", "meta-llama/Llama-3.1-8B"])
@pytest.mark.parametrize("parts", [{}, {"train_unembed": False}, {"train_mlp": False}, {"train_attn": False}])
def test_the_adapter_has_as_many_parameters_as_tinkers(name: str, parts: dict[str, bool]) -> None:
    made = translate(make_plan(name, lora_rank=16, **parts), name)
    assert trained(adapted(*SHAPES[name], made.lora)) == get_lora_param_count(name, 16, **parts)


@pytest.mark.parametrize("name", ["Qwen/Qwen3-30B-A3B", "openai/gpt-oss-20b", "deepseek-ai/DeepSeek-V3.1"])
def test_attention_of_a_mixture_of_experts_has_as_many_parameters_as_tinkers(name: str) -> None:
    only = {"train_mlp": False, "train_unembed": False}
    made = translate(make_plan(name, lora_rank=16, **only), name)
    assert trained(adapted(*SHAPES[name], made.lora)) == get_lora_param_count(name, 16, **only)


def test_attention_that_is_fused_has_fewer_parameters_than_tinkers_and_that_is_said() -> None:
    name, only = "Qwen/Qwen3.5-4B", {"train_mlp": False, "train_unembed": False}
    made = translate(make_plan(name, lora_rank=1, **only), name)
    model = adapted(*SHAPES[name], made.lora)
    fused_layers = sum("in_proj_qkv" in layer for layer in model.targeted_module_names)
    shared_factors = 2 * DELTA["hidden_size"]  # the three projections of Tinker have a factor A each
    assert trained(model) + fused_layers * shared_factors == get_lora_param_count(name, 1, **only)
    assert any("in_proj_qkv" in difference for difference in made.differences)


@pytest.mark.parametrize("name", [*SHAPES, *FAMILIES])
def test_every_named_layer_is_there_and_experts_are_adapted(name: str) -> None:
    kind, shape = SHAPES.get(name) or (FAMILIES[name], {"vocab_size": 512})
    lora = translate(make_plan(name, lora_rank=1), name).lora
    model = adapted(kind, shape, lora)
    found = {layer.rpartition(".")[2] for layer in model.targeted_module_names}
    assert set(arguments(lora)["target_modules"]) <= found
    for parameter in arguments(lora).get("target_parameters", ()):
        assert any(target.endswith(parameter) for target in model.targeted_parameter_names), parameter


def test_the_base_is_quantised_to_nf4_twice_and_computes_in_bfloat16() -> None:
    built = BitsAndBytesConfig(**arguments(translate(make_plan("Qwen/Qwen3-8B"), "here").quantization))
    assert built.load_in_4bit
    assert (built.bnb_4bit_quant_type, built.bnb_4bit_use_double_quant) == ("nf4", True)
    assert built.bnb_4bit_compute_dtype is torch.bfloat16


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
@pytest.mark.parametrize("val_file", [None, "/data/v.jsonl"])
def test_transformers_takes_every_training_argument(schedule: str, val_file: str | None) -> None:
    plan = make_plan("Qwen/Qwen3-8B", lr_schedule=schedule, val_file=val_file, eval_every=0, save_every=0, num_steps=9)
    given = arguments(translate(plan, "here").training) | {"bf16": False}  # this machine may have no GPU
    built = TrainingArguments(output_dir="out", use_cpu=True, **given)
    assert built.max_steps == 9
    assert built.optim == "adamw_torch"
    assert built.lr_scheduler_type == {"constant": "constant_with_warmup"}.get(schedule, schedule)
    assert built.per_device_train_batch_size * built.gradient_accumulation_steps == 128
