"""A task of Inspect without a data hub: greetings, graded by what they include."""

from __future__ import annotations

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import includes


@task
def greetings(max_tokens: int = 4) -> Task:
    """Four samples."""
    samples = [Sample(input=f"Say hello to {name}.", target="a", id=name) for name in ("Ann", "Bob", "Cid", "Dee")]
    return Task(dataset=samples, scorer=includes(), config=GenerateConfig(max_tokens=max_tokens, temperature=0.0))
