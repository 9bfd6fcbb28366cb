"""Evaluators as a user would write them for the cookbook."""

from __future__ import annotations

from typing import Any

import tinker
from tinker_cookbook.eval.evaluators import SamplingClientEvaluator


class Lengths(SamplingClientEvaluator):
    """How many tokens are said, by prompt."""

    def __init__(self, prompts: int = 2) -> None:
        self._prompts = prompts

    async def __call__(self, sampling_client: tinker.SamplingClient) -> dict[str, Any]:
        items: list[dict[str, Any]] = []
        for number in range(self._prompts):
            prompt = tinker.ModelInput.from_ints([1, 2, 3])
            response = await sampling_client.sample_async(
                prompt=prompt, num_samples=1, sampling_params=tinker.SamplingParams(max_tokens=3, temperature=0.0)
            )
            items.append({"item": str(number), "value": float(len(response.sequences[0].tokens))})
        return {"eval/mean_length": sum(item["value"] for item in items) / len(items), "items": items}


class Broken(SamplingClientEvaluator):
    """Fails."""

    async def __call__(self, sampling_client: tinker.SamplingClient) -> dict[str, float]:
        raise KeyError("\x1b[2Jno such thing")
