"""`python -m tcao_tui.probes.transcripts`: reads samples of Inspect logs for as long as somebody asks.

Inspect's own API reads, since the format of its files is no promise; importing it takes seconds, so one process serves
a screen. What a sample says is shortened here: nobody reads a megabyte in a terminal, and Inspect's viewer shows all.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Iterator, Mapping
from pathlib import Path
from zipfile import BadZipFile

from inspect_ai.log import EvalSample, EvalSampleSummary, read_eval_log_sample, read_eval_log_sample_summaries
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ContentReasoning, ContentText
from inspect_ai.scorer import Score
from pydantic import JsonValue

from tcao_tui.clients.backend_calls import Nothing, Shape
from tcao_tui.clients.log_calls import Previews, ReadPreviews, ReadSample, ReadTranscript
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.transcript import GivenScore, SamplePreview, ToolCall, Transcript, Turn
from tcao_tui.errors import ExitCode, UsageError
from tcao_tui.probes.serving import Handler, Tell, serve_stdin
from tcao_tui.registry import Registry

_PREVIEW = 400
_LONGEST_TEXT = 60_000
_MOST_CHARACTERS = 600_000
"""Of one sample's turns; the first and the last ones are kept."""

_A_PART = 500
"""Previews in one part."""


class Logs:
    """The ids of samples in logs that were read, and one reader at a time: Inspect's is not made for threads."""

    def __init__(self) -> None:
        self._ids: dict[Path, tuple[int, Mapping[str, int | str]]] = {}
        self._reading = asyncio.Lock()

    async def summaries(self, log: Path) -> list[EvalSampleSummary]:
        """How the samples begin. Raises what Inspect raises."""
        async with self._reading:
            changed = log.stat().st_mtime_ns
            found = await asyncio.to_thread(read_eval_log_sample_summaries, str(log))
            self._ids[log] = changed, {str(sample.id): sample.id for sample in found}
            return found

    async def sample(self, log: Path, item: str, epoch: int) -> EvalSample:
        """A sample; raises `UsageError` when the log has none of that name."""
        changed, ids = self._ids.get(log, (0, {}))
        if changed != log.stat().st_mtime_ns or item not in ids:
            await self.summaries(log)
            ids = self._ids[log][1]
        if item not in ids:
            raise UsageError(
                f"the log has no sample {one_line(item, 80)} yet", where=str(log), next_step="look again in a while"
            )
        async with self._reading:
            return await asyncio.to_thread(
                read_eval_log_sample, str(log), ids[item], epoch, resolve_attachments="core", exclude_fields={"store"}
            )

    async def close(self) -> None:
        """Nothing stays open."""


async def previews(logs: Logs, arguments: JsonValue, tell: Tell) -> Nothing:
    """`logs.previews`."""
    found = await logs.summaries(ReadPreviews.model_validate(arguments).log)
    for start in range(0, len(found), _A_PART):
        tell(Previews(samples=tuple(preview(sample) for sample in found[start : start + _A_PART])))
    return Nothing()


async def transcript(logs: Logs, arguments: JsonValue, tell: Tell) -> ReadSample:
    """`logs.transcript`."""
    asked = ReadTranscript.model_validate(arguments)
    return ReadSample(transcript=transcript_of(await logs.sample(asked.log, asked.item, asked.epoch)))


CALLS: Registry[Handler[Logs]] = Registry(
    "tcao_tui.log_calls",
    {
        "logs.previews": "tcao_tui.probes.transcripts:previews",
        "logs.transcript": "tcao_tui.probes.transcripts:transcript",
    },
)
"""Handlers by `Call.name`."""


def preview(sample: EvalSampleSummary) -> SamplePreview:
    """How a sample begins."""
    answers = [score.answer for score in (sample.scores or {}).values() if score.answer]
    return SamplePreview(
        item=str(sample.id),
        epoch=sample.epoch,
        asked=_begin(sample.input if isinstance(sample.input, str) else _said(sample.input)),
        target=_begin(_joined(sample.target)),
        answer=_begin(answers[0] if answers else ""),
    )


def _begin(text: str) -> str:
    return text if len(text) <= _PREVIEW else text[:_PREVIEW] + "…"


def _said(messages: list[ChatMessage]) -> str:
    """The last words of a person, which tell samples apart that share a system prompt."""
    return next((message.text for message in reversed(messages) if message.role == "user"), "")


def _joined(target: str | list[str]) -> str:
    return target if isinstance(target, str) else " | ".join(target)


def transcript_of(sample: EvalSample) -> Transcript:
    """A sample as our values, long texts shortened."""
    usage = list(sample.model_usage.values())
    output = sample.output
    return Transcript(
        item=str(sample.id),
        epoch=sample.epoch,
        target=_short(_joined(sample.target)),
        turns=tuple(_within(_turn(message) for message in sample.messages)),
        scores=tuple(_score(name, score) for name, score in (sample.scores or {}).items()),
        stop_reason=output.stop_reason if output.choices else "",
        error=_short(sample.error.message) if sample.error is not None else "",
        limit=f"{sample.limit.type} {sample.limit.limit:g}" if sample.limit is not None else "",
        input_tokens=sum(one.input_tokens + (one.input_tokens_cache_read or 0) for one in usage),
        output_tokens=sum(one.output_tokens for one in usage),
        seconds=sample.working_time if sample.working_time is not None else sample.total_time,
    )


def _turn(message: ChatMessage) -> Turn:
    parts = [] if isinstance(message.content, str) else message.content
    reasoning = [part.reasoning or part.summary or "" for part in parts if isinstance(part, ContentReasoning)]
    others = [f"({part.type})" for part in parts if not isinstance(part, ContentReasoning | ContentText)]
    calls = message.tool_calls or [] if isinstance(message, ChatMessageAssistant) else []
    return Turn(
        role=message.role,
        text=_short("\n".join(text for text in (message.text, *others) if text)),
        reasoning=_short("\n".join(reasoning)),
        calls=tuple(ToolCall(name=call.function, arguments=_short(_json(call.arguments))) for call in calls),
    )


def _score(name: str, score: Score) -> GivenScore:
    value = score.value if isinstance(score.value, str) else _json(score.value)
    return GivenScore(
        scorer=name, value=_begin(value), answer=_short(score.answer or ""), explanation=_short(score.explanation or "")
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _short(text: str) -> str:
    """The beginning and the end of a text that is too long."""
    if len(text) <= _LONGEST_TEXT:
        return text
    half = _LONGEST_TEXT // 2
    return (
        f"{text[:half]}\n… {len(text) - 2 * half:,} characters are left out; inspect view shows them …\n{text[-half:]}"
    )


def _within(turns: Iterator[Turn]) -> list[Turn]:
    """The first and the last turns, as many as can be shown."""
    kept = list(turns)
    sizes = [len(turn.text) + len(turn.reasoning) + sum(len(call.arguments) for call in turn.calls) for turn in kept]
    left_out = 0
    while sum(sizes) > _MOST_CHARACTERS and len(kept) > 2:
        middle = len(kept) // 2
        del kept[middle], sizes[middle]
        left_out += 1
    if left_out:
        told = f"… {left_out:,} messages are left out; inspect view shows them …"
        kept.insert(len(kept) // 2, Turn(role="system", text=told))
    return kept


async def answered(answering: Awaitable[Shape]) -> Shape:
    """The answer; what a file that is no log, or a torn one, makes Inspect raise comes out as a `UsageError`."""
    try:
        return await answering
    except (ValueError, KeyError, IndexError, EOFError, BadZipFile) as error:
        said = one_line(f"{type(error).__name__}: {error}", 300)
        raise UsageError(f"not a log that can be read: {said}", next_step="inspect log recover") from error


if __name__ == "__main__":
    serve_stdin(Logs(), CALLS, answered)
    sys.exit(ExitCode.OK)
