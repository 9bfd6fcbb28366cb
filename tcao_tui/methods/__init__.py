"""Training methods: a light `spec` that anyone may import and a heavy `run` that only the worker loads."""

from __future__ import annotations

from tcao_tui.methods.port import Method, MethodSpec
from tcao_tui.registry import Registry

METHODS: Registry[Method] = Registry(
    "tcao_tui.methods",
    {
        "sft": "tcao_tui.methods.sft.run:run",
        "dpo": "tcao_tui.methods.dpo.run:run",
        "preference_model": "tcao_tui.methods.preference_model.run:run",
        "rl": "tcao_tui.methods.rl.run:run",
        "distill": "tcao_tui.methods.distill.run:run",
        "rlhf": "tcao_tui.methods.pipeline.run:run",
        "pipeline": "tcao_tui.methods.pipeline.run:run",
    },
)
"""What carries a plan out; loading one imports tinker and torch."""

SPECS: Registry[type[MethodSpec]] = Registry(
    "tcao_tui.method_specs",
    {
        "sft": "tcao_tui.methods.sft.spec:SftSpec",
        "dpo": "tcao_tui.methods.dpo.spec:DpoSpec",
        "preference_model": "tcao_tui.methods.preference_model.spec:PreferenceModelSpec",
        "rl": "tcao_tui.methods.rl.spec:RlSpec",
        "distill": "tcao_tui.methods.distill.spec:DistillSpec",
        "rlhf": "tcao_tui.methods.pipeline.spec:RlhfSpec",
        "pipeline": "tcao_tui.methods.pipeline.spec:PipelineSpec",
    },
)
"""Names, summaries and metrics of the same methods, light."""
