"""A task of Inspect without a data hub, graded by what answers include."""

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


@task
def sums(samples: int = 12, connections: int = 4) -> Task:
    """Each sample is another question, and only so many are asked at once."""
    asked = [Sample(input=f"What is {n} plus {n}?", target=str(n % 10), id=f"sum-{n:02d}") for n in range(samples)]
    config = GenerateConfig(max_tokens=6, temperature=0.0, max_connections=connections)
    return Task(dataset=asked, scorer=includes(), config=config)
