"""The tool that asks the server which models it trains."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from tcao_tui.domain.capabilities import Capabilities, ModelInfo
from tcao_tui.planner.desk import Desk
from tcao_tui.planner.envelope import enveloped, name
from tcao_tui.planner.port import Interview, Tool, ToolOutcome


class ListModels(Tool):
    """Ask the server for the models that can be trained, with size, context length and price; starts the local engine.

    Only a model of this list can be planned with.
    """

    name: ClassVar[str] = "list_models"

    async def run(self, interview: Interview, desk: Desk, call_id: str) -> ToolOutcome:
        """Ask. Raises `TcaoError` when the server is away or refuses the key."""
        capabilities = await asyncio.to_thread(desk.capabilities)
        return ToolOutcome({"ok": True, **capabilities_json(capabilities)}, facts=(capabilities,))


def capabilities_json(capabilities: Capabilities) -> dict[str, Any]:
    """The models for a planner; their names are the server's, so they stand in an envelope."""
    trainable = [model for model in capabilities.models if model.trainable]
    return {
        "backend": capabilities.backend,
        "is_free": capabilities.is_free,
        "trainable_models": len(trainable),
        "models": enveloped("the server's list", [_model_json(model) for model in trainable]),
    }


def _model_json(model: ModelInfo) -> dict[str, Any]:
    return {
        "name": name(model.name),
        "family": name(model.family),
        "total_parameters": model.total_parameters,
        "active_parameters": model.active_parameters,
        "context_length": model.context_length,
        "training": model.training,
        "is_vision": model.is_vision,
        "train_usd_per_million_tokens": model.price.train_usd,
        "sample_usd_per_million_tokens": model.price.sample_usd,
    }
