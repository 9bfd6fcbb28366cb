"""What the folder of a model on this machine tells: exact sizes, and the chat format from its template.

Builds the model without weights (on torch's meta device), so it costs neither memory nor reading them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from tcao_tui.domain.capabilities import Training
from tcao_tui.probes.cookbook_facts import training_of

LORA_SOURCE = "counted from the layers of the model on this machine"

NO_TEMPLATE = ("role_colon",)


@dataclass(frozen=True, slots=True)
class LocalFacts:
    """Fields as in `ModelInfo`."""

    total_parameters: int
    hidden_size: int | None
    lora_parameters_per_rank: float
    renderers: tuple[str, ...]
    training: Training


def local_facts(folder: Path) -> LocalFacts:
    """Look at a folder in Hugging Face layout. Raises `OSError` or `ValueError` when it is none."""
    config: Any = AutoConfig.from_pretrained(folder, local_files_only=True)
    with torch.device("meta"):
        model: nn.Module = AutoModelForCausalLM.from_config(config)
    template = chat_template(folder)
    renderers = renderers_for(template)
    text_config: Any = config.get_text_config()
    return LocalFacts(
        total_parameters=sum(parameter.numel() for parameter in model.parameters()),
        hidden_size=getattr(text_config, "hidden_size", None),
        lora_parameters_per_rank=float(lora_parameters_per_rank(model)),
        renderers=renderers,
        training=training_of(renderers) if template else "base",
    )


def lora_parameters_per_rank(model: nn.Module) -> int:
    """Rows and columns of every linear layer: a LoRA of rank 1 on all of them has so many parameters."""
    layers = (module for module in model.modules() if isinstance(module, nn.Linear | Conv1D))
    return sum(sum(layer.weight.shape) for layer in layers)


def chat_template(folder: Path) -> str:
    """The model's chat template, "" when it has none."""
    try:
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    except OSError:
        pass
    try:
        config: Any = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    template = config.get("chat_template") if isinstance(config, dict) else None
    return template if isinstance(template, str) else json.dumps(template) if template else ""


def renderers_for(template: str) -> tuple[str, ...]:
    """The cookbook's renderers that write like a template; empty when none is known to."""
    if not template:
        return NO_TEMPLATE
    if "<|im_start|>" in template:
        return ("qwen3", "qwen3_disable_thinking") if "enable_thinking" in template else ("qwen3_instruct",)
    return ("llama3",) if "<|start_header_id|>" in template else ()
