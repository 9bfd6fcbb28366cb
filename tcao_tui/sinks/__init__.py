"""Metric sinks: other programs' records of our runs, each written by a process of its own; and notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcao_tui.registry import Registry

if TYPE_CHECKING:
    from tcao_tui.sinks.port import OpenSink

SINKS: Registry[OpenSink] = Registry(
    "tcao_tui.sinks",
    {
        "tensorboard": "tcao_tui.sinks.tensorboard:TensorBoardSink",
        "wandb": "tcao_tui.sinks.wandb:WandbSink",
        "trackio": "tcao_tui.sinks.trackio:TrackioSink",
        "mlflow": "tcao_tui.sinks.mlflow:MlflowSink",
    },
)
"""Sinks by the name that `tcao sink --to` takes; the SDK of one is imported when it opens."""
