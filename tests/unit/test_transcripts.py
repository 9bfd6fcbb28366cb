"""Samples of real Inspect logs, read by the helper process as a screen reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from inspect_ai import Task, eval_async
from inspect_ai.dataset import Sample
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    ContentReasoning,
    ContentText,
    ModelOutput,
    ModelUsage,
    get_model,
)
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import Tool, ToolCall, tool

from tcao_tui.errors import UsageError
from tcao_tui.services.transcripts import TranscriptReader
from tests.fakes.inspect_alone import inspect_alone

HOSTILE = "\x1b[31mred\x1b[0m"


@tool
def track() -> Tool:
    async def execute(parcel: str) -> str:
        """Say where a parcel is.

        Args:
            parcel: Its number.
        """
        return f"parcel {parcel} is in Ghent"

    return execute


def output(content: str | list[ContentReasoning | ContentText], *calls: ToolCall) -> ModelOutput:
    message = ChatMessageAssistant(content=[*content] if isinstance(content, list) else content, tool_calls=[*calls])
    reason = "tool_calls" if calls else "max_tokens"
    given = ModelOutput(model="mockllm/model", choices=[ChatCompletionChoice(message=message, stop_reason=reason)])
    # Without it the mock counts tokens by a vocabulary that it fetches from the network.
    given.usage = ModelUsage(input_tokens=12, output_tokens=7, total_tokens=19)
    return given


async def log(directory: Path) -> Path:
    """One sample, two epochs: thinks, asks a tool, answers at length."""
    call = ToolCall(id="1", function="track", arguments={"parcel": "A7"})
    thought = ContentReasoning(reasoning="I should look it up.")
    answers = [
        output([thought, ContentText(text="Let me look.")], call),
        output(f"It is in Ghent. {HOSTILE}" + "x" * 100_000),
    ]
    model = get_model("mockllm/model", custom_outputs=answers * 2, memoize=False)
    dataset = [Sample(id=7, input="Where is A7?", target="Ghent")]
    task = Task(dataset=dataset, solver=[use_tools(track()), generate()], scorer=includes(), name="parcels", epochs=2)
    [done] = await eval_async(task, model=model, log_dir=str(directory), max_connections=1, max_samples=1)
    return Path(done.location)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[TranscriptReader]:
    found = TranscriptReader([tmp_path / "own"])
    yield found
    found.close()


@pytest.fixture
async def data_home(tmp_path: Path) -> AsyncIterator[None]:
    with inspect_alone(tmp_path / "data"):
        yield


@pytest.mark.usefixtures("data_home")
async def test_a_sample_is_read_with_reasoning_calls_scores_and_usage(tmp_path: Path, reader: TranscriptReader) -> None:
    path = await log(tmp_path / "own")
    first, second = reader.previews(path)
    assert (first.item, first.epoch, second.epoch) == ("7", 1, 2)
    assert (first.asked, first.target) == ("Where is A7?", "Ghent")
    found = reader.transcript(path, "7", 2)
    assert [turn.role for turn in found.turns] == ["user", "assistant", "tool", "assistant"]
    asked = found.turns[1]
    assert (asked.reasoning, asked.text) == ("I should look it up.", "Let me look.")
    assert (asked.calls[0].name, asked.calls[0].arguments) == ("track", '{"parcel": "A7"}')
    assert found.turns[2].text == "parcel A7 is in Ghent"
    assert (found.scores[0].scorer, found.scores[0].value) == ("includes", "C")
    assert (found.epoch, found.stop_reason, found.input_tokens, found.output_tokens) == (2, "max_tokens", 24, 14)
    assert len(found.turns[3].text) < 61_000
    assert "characters are left out" in found.turns[3].text
    with pytest.raises(UsageError, match="no sample 8"):
        reader.transcript(path, "8")


@pytest.mark.usefixtures("data_home")
async def test_logs_elsewhere_are_read_only_when_a_person_named_them(tmp_path: Path, reader: TranscriptReader) -> None:
    elsewhere = await log(tmp_path / "elsewhere")
    link = tmp_path / "own" / "link.eval"
    link.parent.mkdir()
    link.symlink_to(elsewhere)
    for path in (elsewhere, link, tmp_path / "own" / ".." / "elsewhere" / elsewhere.name):
        with pytest.raises(UsageError, match="not of the evaluation"):
            reader.previews(path)
    named = TranscriptReader(named=[elsewhere])
    assert len(named.previews(elsewhere)) == 2
    named.close()


def test_what_is_no_log_is_told_and_the_helper_lives_on(tmp_path: Path, reader: TranscriptReader) -> None:
    torn = tmp_path / "own" / "torn.eval"
    torn.parent.mkdir()
    torn.write_bytes(b"PK\x03\x04 and no more")
    for _again in range(2):
        with pytest.raises(UsageError, match="not a log that can be read"):
            reader.previews(torn)
    with pytest.raises(UsageError, match="no such log"):
        reader.previews(tmp_path / "own" / "gone.eval")
