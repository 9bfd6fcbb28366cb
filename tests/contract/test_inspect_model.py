"""Checkpoints as models of Inspect, by the real SDK from the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval_async, eval_retry_async
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, EvalSample, read_eval_log
from inspect_ai.model import GenerateConfig, Model, get_model
from inspect_ai.scorer import includes

from tcao_tui import paths
from tcao_tui.errors import UsageError
from tcao_tui.probes.tokenizers import load_tokenizer, place_of
from tests.fakes.engine_process import EngineProcess
from tests.fakes.inspect_task import greetings

pytestmark = pytest.mark.usefixtures("inspect_places")

BASE = f"tcao/{paths.TINY_MODEL_NAME}"


def model(name: str = BASE, **arguments: Any) -> Model:
    return get_model(name, profile="local", memoize=False, **arguments)


async def evaluated(task: Task, chosen: Model, log_dir: Path, **options: Any) -> EvalLog:
    async with chosen:
        [log] = await eval_async(task, model=chosen, log_dir=str(log_dir), **options)
    return read_eval_log(log.location)


def samples(log: EvalLog) -> list[EvalSample]:
    assert log.samples is not None
    return log.samples


async def test_the_log_names_the_checkpoint_and_says_why_each_answer_ended(
    engine: EngineProcess, tmp_path: Path
) -> None:
    log = await evaluated(greetings(max_tokens=2), model(), tmp_path)
    assert log.status == "success"
    assert log.eval.model == BASE
    assert log.eval.model_args == {"profile": "local"}
    assert [sample.output.stop_reason for sample in samples(log)] == ["max_tokens"] * 4
    usage = log.stats.model_usage[BASE]
    assert usage.output_tokens == 8
    assert usage.input_tokens + (usage.input_tokens_cache_read or 0) > 40
    whole = await evaluated(greetings(max_tokens=64), model(), tmp_path)
    assert "stop" in {sample.output.stop_reason for sample in samples(whole)}


async def test_an_answer_takes_what_the_prompt_leaves_of_the_context(tmp_path: Path) -> None:
    log = await evaluated(greetings(max_tokens=1_000_000), model(), tmp_path)
    assert log.status == "success"
    assert {sample.output.stop_reason for sample in samples(log)} <= {"stop", "max_tokens"}


async def test_a_text_that_ends_an_answer_is_cut_off_with_what_follows(tmp_path: Path) -> None:
    task = Task(dataset=[Sample(input="Say hello.", target="a")], scorer=includes())
    config = GenerateConfig(max_tokens=40, temperature=0.0)
    [whole] = samples(await evaluated(task, model(), tmp_path, **config.model_dump(exclude_none=True)))
    text = whole.output.completion
    assert len(text) > 2
    [cut] = samples(
        await evaluated(task, model(), tmp_path, stop_seqs=[text[1:3]], **config.model_dump(exclude_none=True))
    )
    assert cut.output.completion == text[: text.find(text[1:3])]
    assert cut.output.stop_reason == "stop"


async def test_a_retry_asks_the_same_checkpoint(tmp_path: Path) -> None:
    missing = "tinker://00000000-0000-0000-0000-000000000000:train:0/sampler_weights/001-000008"
    failed = await evaluated(
        greetings(), model(f"{BASE}@gone-8", checkpoint=missing), tmp_path, continue_on_fail=True, retry_on_error=0
    )
    assert failed.status == "error"
    [again] = await eval_retry_async(failed, log_dir=str(tmp_path))
    assert again.eval.model == f"{BASE}@gone-8"
    assert again.eval.model_args == {"profile": "local", "checkpoint": missing}


@pytest.mark.parametrize(
    ("name", "arguments"), [(f"{BASE}@run-8", {}), (BASE, {"checkpoint": "tinker://a:train:0/sampler_weights/b"})]
)
def test_a_name_that_hides_its_checkpoint_is_refused(name: str, arguments: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="does not say which checkpoint it is"):
        model(name, **arguments)


async def test_tokens_are_counted_by_the_models_own_tokenizer() -> None:
    chosen = model()
    tokenizer = load_tokenizer(place_of(paths.TINY_MODEL_NAME, ""))
    text = "Words, and numbers: 1234567."
    assert await chosen.api.count_text_tokens(text) == len(tokenizer.encode(text, add_special_tokens=False))
    await chosen.api.aclose()
