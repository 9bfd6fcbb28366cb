"""What Inspect finds of us by its entry point: the model provider `tcao/...`. Every Inspect process loads it: light."""

from __future__ import annotations

from inspect_ai.model import ModelAPI, modelapi


@modelapi(name="tcao")
def tcao() -> type[ModelAPI]:
    """Checkpoints and base models of a Tinker server, see `probes.inspect_model`."""
    from tcao_tui.probes.inspect_model import CheckpointModel  # seconds, and only where such a model is used

    return CheckpointModel
