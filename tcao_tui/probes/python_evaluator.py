"""`python -m tcao_tui.probes.python_evaluator JOB.json`: an evaluator of one's own, as `domain.eval_job` has it.

`module:Class` is a `SamplingClientEvaluator` of the cookbook. What it returns are numbers of the whole; rows under the
key `items`, each with `item` and `value`, are kept one by one, so that checkpoints can be compared on them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

import tinker
from pydantic import TypeAdapter, ValidationError
from tinker_cookbook.eval.evaluators import SamplingClientEvaluator

from tcao_tui.clients.tinker_errors import SDK_ERRORS, clean, translate
from tcao_tui.domain.eval_job import Ended, Found, GaveUp, Job
from tcao_tui.domain.evaluation import Counts, ItemResult, Usage
from tcao_tui.errors import TcaoError, UsageError
from tcao_tui.probes.cell_journal import Journal, carry_out, sampling_client
from tcao_tui.probes.server import Server

_ITEMS = "items"


def main(job_file: str) -> int:
    """Carry a job out. Returns the exit code."""
    return carry_out(job_file, _evaluate)


class CountingClient:
    """A sampling client that counts what it was asked; everything else is the client's own."""

    def __init__(self, client: tinker.SamplingClient) -> None:
        self._client = client
        self.usage = Usage(usd=None)

    def __getattr__(self, name: str) -> object:
        """What the client itself has."""
        return getattr(self._client, name)

    async def sample(
        self,
        prompt: tinker.ModelInput,
        num_samples: int,
        sampling_params: tinker.SamplingParams,
        include_prompt_logprobs: bool = False,
        topk_prompt_logprobs: int = 0,
    ) -> tinker.SampleResponse:
        """Sample, as the SDK does."""
        response = await self._client.sample(
            prompt, num_samples, sampling_params, include_prompt_logprobs, topk_prompt_logprobs
        )
        self.usage = Usage(
            input_tokens=self.usage.input_tokens + prompt.length,
            output_tokens=self.usage.output_tokens + sum(len(each.tokens) for each in response.sequences),
            usd=None,
        )
        return response

    sample_async = sample


def evaluator_of(target: str, arguments: Mapping[str, Any]) -> SamplingClientEvaluator:
    """The evaluator that `module:Class` names.

    Raises:
        UsageError: There is no such class, or it is no evaluator of samplers.
    """
    module, _, name = target.partition(":")
    made = getattr(import_module(module), name, None)
    if not isinstance(made, type) or not issubclass(made, SamplingClientEvaluator):
        raise UsageError(
            f"{target} is no SamplingClientEvaluator of the cookbook",
            where="entry",
            next_step="derive it from tinker_cookbook.eval.evaluators.SamplingClientEvaluator",
        )
    return made(**arguments)


async def _evaluate(job: Job, journal: Journal, server: Server) -> None:
    try:
        evaluator = evaluator_of(job.task.target, job.task.arguments)
        counting = CountingClient(await sampling_client(server, job.subject))
        returned: dict[str, Any] = dict(await evaluator(cast("tinker.SamplingClient", counting)))
    except SDK_ERRORS as error:
        raise translate(error, f"evaluating {clean(job.subject.name)}") from error
    except TcaoError:
        raise
    except Exception as error:
        told = clean(f"{type(error).__name__}: {error}")
        journal.write(GaveUp(problem=f"{job.task.target} failed: {told}", next_step="see the cell's log"))
        raise
    items = items_of(returned.pop(_ITEMS, ()))
    unscored = sum(item.value is None for item in items)
    counts = Counts(planned=len(items), completed=len(items), unscored=unscored)
    journal.write(Found(items=items, counts=counts, usage=counting.usage))
    journal.write(Ended(numbers=numbers_of(returned)))


def items_of(given: object) -> tuple[ItemResult, ...]:
    """Rows that an evaluator gave. Raises `UsageError` for what is none."""
    try:
        return TypeAdapter(tuple[ItemResult, ...]).validate_python(given)
    except ValidationError as error:
        raise UsageError(
            "its items are not rows with an item and a value",
            next_step='return {"items": [{"item": "1", "value": 1.0}]}',
        ) from error


def numbers_of(returned: Mapping[str, object]) -> dict[str, float]:
    """The metrics that are numbers."""
    return {
        str(name): float(value)
        for name, value in returned.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
