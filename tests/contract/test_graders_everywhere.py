"""Every grader gives one verdict wherever it grades: by itself, as a scorer of Inspect, as reward, as score."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval_async
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score

from tcao_tui.graders import GRADERS, open_grader
from tcao_tui.methods.grading import Judge
from tcao_tui.probes.inspect_scorers import graded, metrics_of
from tests.contract.test_every_grader import SPECS
from tests.fakes.inspect_alone import inspect_alone

ANSWERS = ("42", " 42 ", "41", "", '{"a": 42}', '{"a": 41}', "the answer is 42.", "10", "Paris", "no number")
REFERENCES = ("42", '{"a": 42}', "Paris", "1", "")
PAIRS = [(answer, reference) for answer in ANSWERS for reference in REFERENCES]


@pytest.fixture(scope="module", autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with inspect_alone(tmp_path_factory.mktemp("data")):
        yield


async def graded_by(spec: str, pairs: list[tuple[str, str]], log_dir: Path) -> EvalLog:
    """The log of a task whose model gives these answers to these references."""
    outputs = [ModelOutput.from_content("mock", answer) for answer, _ in pairs]
    for output in outputs:
        output.usage = ModelUsage()
    dataset = [Sample(input=f"Question {number}", target=ref, id=number) for number, (_, ref) in enumerate(pairs)]
    task = Task(dataset=dataset, scorer=graded(spec), metrics=[*metrics_of(spec, clustered=False)])
    model = get_model("mockllm/model", custom_outputs=outputs, memoize=False)
    [log] = await eval_async(
        task, model=model, log_dir=str(log_dir), max_samples=1, max_connections=1, continue_on_fail=True
    )
    return log


async def answered(pairs: list[tuple[str, str]], spec: str, log_dir: Path) -> list[EvalSample]:
    log = await graded_by(spec, pairs, log_dir)
    assert log.samples is not None
    return sorted(log.samples, key=lambda sample: int(sample.id))


def value_of(score: Score) -> float | None:
    known: dict[Any, float | None] = {"C": 1.0, "I": 0.0}
    value = known.get(score.value, score.value)
    assert isinstance(value, float)
    return None if math.isnan(value) else value


@pytest.mark.parametrize("name", GRADERS.names())
async def test_a_scorer_and_a_reward_say_what_the_grader_says(name: str, tmp_path: Path) -> None:
    spec = SPECS.get(name, name)
    grader, judge = open_grader(spec), Judge(spec, lambda told: None)
    samples = await answered(PAIRS, spec, tmp_path)
    assert len(samples) == len(PAIRS)
    for (answer, reference), sample in zip(PAIRS, samples, strict=True):
        verdict = grader.grade(answer, reference)
        assert judge.grade(answer, reference) == verdict
        score = (sample.scores or {})["graded"]
        assert value_of(score) == verdict
        assert score.explanation
        assert score.answer == grader.read(answer)


async def test_an_exception_of_a_grader_is_an_error_of_that_sample_and_never_wrong(tmp_path: Path) -> None:
    spec = "python:tests.fakes.own_grader:broken"
    samples = await answered([("1", "x"), ("2", "x"), ("nan", "x"), ("1", "x")], spec, tmp_path)
    assert [sample.error is not None for sample in samples] == [False, True, True, False]
    assert [sample.scores["graded"].value for sample in samples if sample.scores] == [1.0, 1.0]
    assert samples[1].error is not None
    assert "KeyError" in samples[1].error.traceback


async def test_the_share_of_answers_in_the_wanted_form_is_told(tmp_path: Path) -> None:
    texts = ('{"a": 1}', '{"a": 2}', "no JSON", "[")
    log = await graded_by("json", [(text, '{"a": 1}') for text in texts], tmp_path)
    assert log.results is not None
    metrics = log.results.scores[0].metrics
    assert metrics["in_form"].value == 0.5
    assert metrics["accuracy"].value == 0.25
