"""The real Anthropic SDK over real sockets: what a turn is, and what every fault of the wire becomes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from pydantic import SecretStr

from tcao_tui.clients.llm_anthropic import AnthropicLlm
from tcao_tui.clients.llm_port import (
    LlmFailure,
    LlmPart,
    LlmProfile,
    LlmRequest,
    LlmTurn,
    LlmUsage,
    TextPart,
    ThinkingPart,
    ToolSpec,
)
from tests.fakes.anthropic_stub import AnthropicStub, Reply, call

KEY = "sk-ant-canary-0123456789"
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}
REQUEST = LlmRequest(
    "Be brief.",
    (ToolSpec("count", "Counts.", SCHEMA, strict=True), ToolSpec("look", "Looks.", {"type": "object"})),
    ({"role": "user", "content": [{"type": "text", "text": "hello"}]},),
)


async def ask(stub: AnthropicStub, parts: list[LlmPart] | None = None, **profile: Any) -> LlmTurn:
    client = AnthropicLlm(LlmProfile("stub-model", base_url=stub.url, **profile), SecretStr(KEY))
    try:
        return await client.stream(REQUEST, parts.append if parts is not None else lambda _: None)
    finally:
        await client.close()


async def failure(reply: Reply) -> LlmFailure:
    async with AnthropicStub([reply]) as stub:
        with pytest.raises(LlmFailure) as caught:
            await ask(stub)
        assert len(stub.requests) == 1, "the SDK must not retry by itself"
    return caught.value


async def test_a_turn_streams_and_comes_back_whole() -> None:
    parts: list[LlmPart] = []
    reply = Reply(
        text="Looking.",
        thinking="hm",
        tools=[call("count", n=1), call("look")],
        usage={"input_tokens": 7, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 3, "output_tokens": 2},
    )
    async with AnthropicStub([reply]) as stub:
        turn = await ask(stub, parts)
    assert "".join(part.text for part in parts if isinstance(part, TextPart)) == "Looking."
    assert ThinkingPart("hm") in parts
    assert turn.content == (
        {"type": "thinking", "thinking": "hm", "signature": "signature-1"},
        {"type": "text", "text": "Looking."},
        {"type": "tool_use", "id": "toolu_1_0", "name": "count", "input": {"n": 1}},
        {"type": "tool_use", "id": "toolu_1_1", "name": "look", "input": {}},
    )
    assert {index: json.loads(text) for index, text in turn.tool_json.items()} == {2: {"n": 1}, 3: {}}
    assert (turn.stop_reason, turn.usage, turn.model) == ("tool_use", LlmUsage(7, 5, 3, 2), "stub")


async def test_prompt_tools_and_switches_are_sent_as_the_profile_says() -> None:
    async with AnthropicStub([Reply(text="a"), Reply(text="b")]) as stub:
        await ask(stub)
        await ask(stub, strict=False, cache=False, thinking="none", effort="low", api_version="2023-06-01")
    full, plain = stub.requests
    assert full["system"] == [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    assert full["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}
    assert full["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert full["tools"][0]["strict"] is True
    assert full["tools"][0]["input_schema"]["additionalProperties"] is False
    assert "minimum" not in full["tools"][0]["input_schema"]["properties"]["n"]
    assert "strict" not in full["tools"][1]
    assert "output_config" not in full
    assert "cache_control" not in json.dumps(plain)
    assert "thinking" not in plain
    assert plain["output_config"] == {"effort": "low"}
    assert all("strict" not in tool for tool in plain["tools"])
    assert stub.headers[1]["anthropic-version"] == "2023-06-01"
    assert "temperature" not in full
    assert "tool_choice" not in full


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
async def test_a_busy_server_is_away_and_may_say_for_how_long(status: int) -> None:
    caught = await failure(Reply(status=status, headers={"retry-after": "7"}, error={"type": "x", "message": "busy"}))
    assert (caught.kind, caught.retry_after_seconds) == ("away", 7.0)
    assert "busy" in caught.what


async def test_retry_after_in_milliseconds_or_nonsense_is_understood() -> None:
    assert (await failure(Reply(status=429, headers={"retry-after-ms": "1500"}))).retry_after_seconds == 1.5
    assert (await failure(Reply(status=429, headers={"retry-after": "soon"}))).retry_after_seconds is None


@pytest.mark.parametrize(
    ("status", "kind", "step"),
    [
        (400, "bad_request", "planner.strict"),
        (401, "key", "ANTHROPIC_API_KEY"),
        (402, "billing", "billing"),
        (403, "access", "planner.model"),
        (404, "access", "planner.model"),
        (413, "bad_request", ""),
    ],
)
async def test_what_a_person_must_mend_says_how(status: int, kind: str, step: str) -> None:
    caught = await failure(Reply(status=status))
    assert caught.kind == kind
    assert step in caught.next_step


async def test_schemas_that_do_not_fit_are_told_from_other_refused_requests() -> None:
    error = {"type": "invalid_request_error", "message": "The compiled grammar is too large"}
    assert (await failure(Reply(status=400, error=error))).kind == "schemas_too_large"


async def test_an_error_in_the_middle_of_a_stream_is_told_by_its_type() -> None:
    overloaded = {"type": "overloaded_error", "message": "Overloaded"}
    assert (await failure(Reply(text="half", fault="error", error=overloaded))).kind == "away"
    invalid = {"type": "invalid_request_error", "message": "no"}
    assert (await failure(Reply(text="half", fault="error", error=invalid))).kind == "bad_request"


async def test_a_stream_that_ends_early_is_no_turn() -> None:
    caught = await failure(Reply(text="half", tools=[call("count", n=1)], fault="eof"))
    assert caught.kind == "away"
    assert "broke off" in caught.what


@pytest.mark.parametrize(
    "reply",
    [
        Reply(text="hello", fault="no_event_lines"),
        Reply(body="data: [DONE]\n\n"),
        Reply(body="event: message_start\ndata: {not json\n\n"),
        Reply(body='event: content_block_delta\ndata: {"type":"content_block_delta","index":3}\n\n'),
        Reply(body="event: message_start\ndata: null\n\n"),
        Reply(body='event: message_start\ndata: {"type":"message_start"}\n\n'),
        Reply(body='{"choices":[{"message":{"content":"hello"}}]}'),
        Reply(body=""),
    ],
)
async def test_what_is_no_anthropic_stream_is_said_to_be_none(reply: Reply) -> None:
    caught = await failure(reply)
    assert caught.kind == "garbled"
    assert "planner.base_url" in caught.next_step


async def test_tool_arguments_that_are_no_json_are_told_apart() -> None:
    assert (await failure(Reply(tools=[{"name": "count", "raw": '{"n": }}'}]))).kind == "bad_tool_json"


async def test_arguments_that_were_cut_off_are_kept_as_they_were_written() -> None:
    async with AnthropicStub([Reply(tools=[{"name": "count", "raw": '{"n": 1'}], stop="max_tokens")]) as stub:
        turn = await ask(stub)
    assert turn.content[0]["input"] == {"n": 1}, "the SDK closes what was cut off"
    assert turn.tool_json == {0: '{"n": 1'}
    assert turn.stop_reason == "max_tokens"


async def test_a_refusal_is_a_turn_with_its_category() -> None:
    details = {"type": "refusal", "category": "frontier_llm", "explanation": "no"}
    async with AnthropicStub([Reply(text="I", stop="refusal", stop_details=details)]) as stub:
        turn = await ask(stub)
    assert (turn.stop_reason, turn.refusal) == ("refusal", "frontier_llm")


async def test_nobody_listening_is_away() -> None:
    async with AnthropicStub([]) as stub:
        url = stub.url
    client = AnthropicLlm(LlmProfile("m", base_url=url), SecretStr(KEY))
    with pytest.raises(LlmFailure) as caught:
        await client.stream(REQUEST, lambda _: None)
    assert caught.value.kind == "away"
    assert "no connection to the planner's model at 127.0.0.1" in caught.value.what


async def test_no_key_at_all_says_where_one_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
    async with AnthropicStub([Reply(text="a")]) as stub:
        with pytest.raises(LlmFailure) as caught:
            await AnthropicLlm(LlmProfile("m", base_url=stub.url), None).stream(REQUEST, lambda _: None)
    assert caught.value.kind == "key"


async def test_the_key_is_sent_to_the_server_and_never_quoted() -> None:
    reply = Reply(status=401, error={"type": "authentication_error", "message": f"bad key {KEY} or Bearer {KEY}"})
    async with AnthropicStub([reply]) as stub:
        with pytest.raises(LlmFailure) as caught:
            await ask(stub)
    assert stub.headers[0]["authorization"] == f"Bearer {KEY}"
    seen: BaseException | None = caught.value
    while seen is not None:
        assert "canary" not in f"{seen!r} {vars(seen)}"
        seen = seen.__cause__


async def test_cancelling_hangs_up() -> None:
    async with AnthropicStub([Reply(text="half", fault="hang")]) as stub:
        asking = asyncio.create_task(ask(stub))
        await stub.hanging.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await stub.left.wait()
