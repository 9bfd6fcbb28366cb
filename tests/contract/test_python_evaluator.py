"""Evaluators of one's own, by the real SDK from the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui import paths
from tcao_tui.domain.eval_job import RESULTS, Ended, Found, GaveUp, Job, Line, parse_line
from tcao_tui.domain.evaluation import EvalTask, Subject
from tcao_tui.probes.python_evaluator import main

pytestmark = pytest.mark.usefixtures("engine_places")


def evaluated(directory: Path, entry: str, **arguments: int) -> list[Line]:
    name = paths.TINY_MODEL_NAME
    task = EvalTask(name="own", layer=3, harness="python", target=entry, arguments=dict(arguments))
    job = Job(task=task, subject=Subject(name=name, base_model=name), profile="local", directory=directory)
    (directory / "job.json").write_text(job.model_dump_json())
    try:
        main(str(directory / "job.json"))
    finally:
        lines = [parse_line(text) for text in (directory / RESULTS).read_bytes().splitlines()]
    return [line for line in lines if line is not None]


def test_its_numbers_and_its_rows_are_kept_and_what_it_asked_is_counted(tmp_path: Path) -> None:
    found, ended = evaluated(tmp_path, "tests.fakes.own_evaluator:Lengths", prompts=3)
    assert isinstance(found, Found)
    assert [item.item for item in found.items] == ["0", "1", "2"]
    assert (found.counts.planned, found.counts.completed) == (3, 3)
    assert found.usage.input_tokens == 9
    assert found.usage.output_tokens == sum(item.value or 0 for item in found.items)
    assert isinstance(ended, Ended)
    assert ended.numbers.keys() == {"eval/mean_length"}


def test_one_that_fails_says_so_without_what_steers_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        evaluated(tmp_path, "tests.fakes.own_evaluator:Broken")
    told = parse_line((tmp_path / RESULTS).read_bytes().splitlines()[0])
    assert isinstance(told, GaveUp)
    assert "KeyError" in told.problem
    assert "\x1b" not in told.problem


def test_what_is_no_evaluator_of_samplers_is_refused(tmp_path: Path) -> None:
    [told] = evaluated(tmp_path, "tests.fakes.own_grader:Nothing")
    assert isinstance(told, GaveUp)
    assert "no SamplingClientEvaluator" in told.problem
