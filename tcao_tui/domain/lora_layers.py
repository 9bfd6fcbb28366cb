"""Which layers Tinker puts a LoRA on, by the names that Hugging Face gives them.

Read off the parameter counts in the cookbook's `hyperparam_utils` (0.6.1), which only these layers add up to: low-rank
attention is trained on its projections from and to the hidden size, gates and routers not at all. A test builds the
adapters and counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcao_tui.domain.model_names import base_name, family_of, parameters_in

LORA_ALPHA = 32
"""Tinker's LoRA alpha whatever the rank, as in its exported adapters and the cookbook's `weights/README.md`."""

UNEMBEDDING = "lm_head"


@dataclass(frozen=True, slots=True)
class LoraLayers:
    """Names of layers in a Hugging Face model, each the end of a module's name.

    Attributes:
        attention: What `train_attn` stands for, linear attention and state-space mixers included.
        mlp: What `train_mlp` stands for, apart from the experts.
        experts: Parameters that hold all experts of a layer in one; they are no modules.
        fused: Modules that hold what Tinker trains as several, each with a LoRA of its own.
        out_of_reach: What Tinker trains and PEFT (0.21) cannot adapt.
    """

    attention: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    mlp: tuple[str, ...] = ("gate_proj", "up_proj", "down_proj")
    experts: tuple[str, ...] = ()
    fused: tuple[str, ...] = ()
    out_of_reach: str = ""


_EXPERTS = ("experts.gate_up_proj", "experts.down_proj")
_LATENT = LoraLayers(
    attention=("q_a_proj", "kv_a_proj_with_mqa", "o_proj"),
    mlp=(),
    experts=_EXPERTS,
    out_of_reach="dense layers and shared experts, whose names it takes for the fused experts",
)
_MAMBA = LoraLayers(
    attention=("q_proj", "k_proj", "v_proj", "o_proj", "in_proj"),
    mlp=("up_proj", "down_proj"),
    experts=("experts.up_proj", "experts.down_proj"),
    fused=("in_proj",),
    out_of_reach="out_proj of Mamba layers",
)
_DELTA = ("q_proj", "k_proj", "v_proj", "o_proj", "in_proj_qkv", "in_proj_z", "out_proj")

_FAMILIES: tuple[tuple[str, LoraLayers], ...] = (
    ("deepseek-v3", _LATENT),
    ("kimi-k2", _LATENT),
    ("glm-5", _LATENT),
    ("gpt-oss", LoraLayers(mlp=(), experts=_EXPERTS)),
    ("nemotron-3", _MAMBA),
)
_QWEN_DELTA = ("qwen3.5", "qwen3.6", "qwen3.8")


def layers_of(base_model: str) -> LoraLayers:
    """The layers of a model by its name; those of Llama and Qwen3 where the family is not known."""
    family, experts = family_of(base_model), _EXPERTS if has_experts(base_model) else ()
    if family.startswith(_QWEN_DELTA):
        return LoraLayers(attention=_DELTA, experts=experts, fused=("in_proj_qkv",))
    known = next((layers for part, layers in _FAMILIES if part in base_name(base_model).lower()), None)
    return known or LoraLayers(mlp=() if experts else LoraLayers().mlp, experts=experts)


def has_experts(base_model: str) -> bool:
    """Whether the name says that fewer parameters are active than there are."""
    size = parameters_in(base_name(base_model))
    return size is not None and size[1] < size[0]
