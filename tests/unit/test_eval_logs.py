"""Inspect logs held against each other: what is read of them, what must agree, and what the command says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from inspect_ai import Task, eval_async
from inspect_ai.dataset import Sample
from inspect_ai.log import read_eval_log
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import includes

from tcao_tui.domain.eval_logs import EvalLogSummary, as_task, disagreements
from tcao_tui.domain.evaluation import ItemResult
from tcao_tui.errors import UsageError
from tcao_tui.probes.eval_logs import summary as read_summary
from tcao_tui.services.eval_logs import compare_logs
from tcao_tui.services.log_matrix import log_matrix
from tests.fakes.command_line import CommandLine
from tests.fakes.inspect_alone import inspect_alone


async def log(directory: Path, right: int, items: int = 40, task: str = "greetings", cut: int = 0) -> Path:
    """A real log of a model that answers the first `right` items as wanted; the last `cut` answers are cut off."""

    def answer(number: int) -> ModelOutput:
        text = "hello" if number < right else "no"
        reason = "max_tokens" if number >= items - cut else "stop"
        given = ModelOutput.from_content("mockllm/model", text, stop_reason=reason)
        # Without it the mock counts tokens by a vocabulary that it fetches from the network.
        given.usage = ModelUsage(input_tokens=2, output_tokens=1, total_tokens=3)
        return given

    dataset = [Sample(id=number, input=f"greet {number}", target="hello") for number in range(items)]
    model = get_model("mockllm/model", custom_outputs=[answer(number) for number in range(items)], memoize=False)
    [done] = await eval_async(
        Task(dataset=dataset, scorer=includes(), name=task), model=model, log_dir=str(directory), max_connections=1
    )
    return Path(done.location)


@pytest.fixture
def data_home(tmp_path: Path) -> Iterator[None]:
    with inspect_alone(tmp_path / "data"):
        yield


@pytest.mark.usefixtures("data_home")
async def test_a_real_log_is_read_with_what_it_lacks(tmp_path: Path) -> None:
    path = await log(tmp_path, 30, cut=8)
    found = read_summary(read_eval_log(str(path)), str(path))
    assert (found.task, found.scorer, found.model, found.planned) == ("greetings", "includes", "mockllm/model", 40)
    assert sum(item.value or 0.0 for item in found.items) == 30
    assert found.counts == "40 items, 8 cut off"
    assert found.unusable == pytest.approx(0.2)


@pytest.mark.usefixtures("data_home")
async def test_the_command_says_the_verdict_and_can_fail_a_build(tmp_path: Path) -> None:
    console = CommandLine(tmp_path)
    base, better, worse = [await log(tmp_path / name, right) for name, right in (("b", 20), ("c", 38), ("d", 2))]
    said = console.call("eval", "compare", str(base), str(better), str(worse), "--fail-if-worse", code=1)
    assert f"best: mockllm/model ({better.name})" in said.stdout
    assert "items that choosing did not see" in said.stdout
    told = json.loads(console.call("eval", "compare", str(better), str(worse), "--output", "json").stdout)
    assert told["recommended"] == f"mockllm/model ({better.name})"
    assert told["judged"][0]["outcome"] == "worse"
    assert told["judged"][0]["losses"] == 36


@pytest.mark.usefixtures("data_home")
async def test_what_cannot_be_read_is_refused_with_its_place(tmp_path: Path) -> None:
    base, torn = await log(tmp_path / "base", 2), tmp_path / "torn.eval"
    torn.write_bytes(base.read_bytes()[:200])
    with pytest.raises(UsageError, match="compared with nothing"):
        compare_logs([base])
    with pytest.raises(UsageError, match="no such log"):
        compare_logs([base, tmp_path / "gone.eval"])
    with pytest.raises(UsageError, match="not a log that can be read") as refused:
        compare_logs([base, torn])
    assert refused.value.where == str(torn)


def summary(items: Sequence[ItemResult], **changes: object) -> EvalLogSummary:
    values = {"path": "a", "task": "t", "version": "0", "model": "m", "status": "success", "scorer": "s"}
    return EvalLogSummary.model_validate({**values, "settings": "", "planned": 4, "items": items, **changes})


def test_what_never_ran_or_has_no_grade_is_unusable() -> None:
    found = summary([ItemResult(item="1", value=1.0), ItemResult(item="2", value=None)])
    assert found.unusable == 0.75
    assert found.counts == "2 items, 1 unscored, 2 not run"
    assert as_task([found], ["x"]).scores["x"]["2"].value is None


def test_logs_without_a_common_item_or_with_other_settings_do_not_agree() -> None:
    one, two = summary([ItemResult(item="1", value=1.0)]), summary([ItemResult(item="2", value=1.0)], settings="cot")
    assert [line.split(":")[1].strip() for line in disagreements([one, two])] == [
        "settings is cot, and  in a",
        "has no item in common with a",
    ]


@pytest.mark.usefixtures("data_home")
async def test_logs_come_together_as_a_matrix_whose_first_model_is_the_base(tmp_path: Path) -> None:
    base = await log(tmp_path / "a", 20)
    await log(tmp_path / "b", 38)
    found = log_matrix([base, tmp_path / "b"])
    assert [found.matrix.cells[key].outcome for key in found.logs] == [None, "better"]
    assert found.matrix.base == "mockllm/model"
    assert sum(item.value or 0 for item in found.items[[*found.logs][1]]) == 38
    with pytest.raises(UsageError, match="no log here"):
        log_matrix([tmp_path / "data"])


def test_opening_logs_needs_a_terminal(tmp_path: Path) -> None:
    told = CommandLine(tmp_path).call("eval", "open", str(tmp_path), code=2)
    assert "tcao eval compare" in told.stderr
