"""What a server offers and what is known of its models: the only source of model names, never a list of ours.

Asking the server and reading the cookbook's tables is the business of `probes`; choosing is that of `policy`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tcao_tui.domain.plan import PriceQuote

Training = Literal["base", "instruct", "reasoning", "hybrid", "unknown"]
"""How a model was trained before: not at all, to follow instructions, to think first, or either by renderer."""


class ModelInfo(BaseModel):
    """One base model of a server.

    Attributes:
        context_length: Longest row in tokens; None when the server does not say.
        family: Such as "qwen3"; "" when unknown.
        total_parameters, active_parameters: Counts; a mixture of experts activates fewer. None when unknown.
        renderers: The cookbook's recommended renderers, the first being the default; empty when it knows none.
        tokenizer: What the tokenizer is loaded by: a hub id, or a folder on this machine.
        lora_parameters_per_rank: Trainable parameters at rank 1 on all layers; proportional to the rank.
        lora_source: Where that number comes from.
        sft_learning_rate: By the cookbook's `get_lr`; None where it is not defined for this family.
        rank_cap: Largest LoRA rank of this model here; None when not known.
        price: USD per million tokens; its fields are None where unknown.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    context_length: int | None = None
    trainable: bool = True
    family: str = ""
    total_parameters: int | None = None
    active_parameters: int | None = None
    training: Training = "unknown"
    is_vision: bool = False
    renderers: tuple[str, ...] = ()
    tokenizer: str = ""
    hidden_size: int | None = None
    lora_parameters_per_rank: float | None = None
    lora_source: str = ""
    sft_learning_rate: float | None = None
    rank_cap: int | None = None
    price: PriceQuote


class Capabilities(BaseModel):
    """The models of one backend, asked at `asked_at` (Unix seconds).

    Attributes:
        is_free: Nothing costs anything here, as on the local engine.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str
    backend: str
    is_free: bool
    asked_at: float
    models: tuple[ModelInfo, ...]

    def model(self, name: str) -> ModelInfo | None:
        """The model of exactly this name."""
        return next((model for model in self.models if model.name == name), None)
