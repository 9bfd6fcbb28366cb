"""The Anthropic SDK behind `llm_port`: one request, streamed, without its retries, tool runner and telemetry.

Importing this costs 1.6 seconds: only a planner that is about to ask does it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anthropic import AsyncAnthropic, transform_schema
from anthropic.lib.streaming import AsyncMessageStream
from anthropic.types import Message, ThinkingConfigAdaptiveParam, ToolParam
from pydantic import SecretStr

from tcao_tui.clients.llm_errors import SDK_ERRORS, failure_of
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

LOGGERS = ("anthropic", "httpx2")

_CACHED = {"type": "ephemeral"}


def log_to(path: Path) -> None:
    """Send what the SDK logs to a file: on stderr it would draw over the console."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(handler, logging.FileHandler) for handler in logger.handlers):
            path.parent.mkdir(parents=True, exist_ok=True)
            handler = logging.FileHandler(path, encoding="utf-8", delay=True)
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
            logger.addHandler(handler)
        logger.setLevel(logging.WARNING)
        logger.propagate = False


class AnthropicLlm:
    """A model at Anthropic or at a server that speaks its Messages API.

    Args:
        profile: Model, server and what the server understands.
        api_key: None leaves the choice to the SDK: environment, then a profile on disk.

    Raises:
        LlmFailure: The SDK found credentials that it cannot use.
    """

    def __init__(self, profile: LlmProfile, api_key: SecretStr | None) -> None:
        self._profile = profile
        self._key = None if api_key is None else api_key.get_secret_value()
        version = profile.api_version
        try:
            self._client = AsyncAnthropic(
                api_key=self._key,
                base_url=profile.base_url,
                max_retries=0,
                open_telemetry=False,
                default_headers={"anthropic-version": version} if version else None,
            )
        except SDK_ERRORS as error:
            raise failure_of(error, key=self._key) from None

    async def stream(self, request: LlmRequest, on_part: Callable[[LlmPart], None]) -> LlmTurn:
        """Ask once; see `llm_port.LlmClient.stream`."""
        try:
            async with self._client.messages.stream(**_arguments(self._profile, request)) as stream:
                return await _read(stream, on_part)
        except SDK_ERRORS as error:
            # The SDK's own error may quote headers and the model's words: it is translated, not chained.
            raise failure_of(error, key=self._key) from None

    async def close(self) -> None:
        """Let the connection go."""
        await self._client.close()


def _arguments(profile: LlmProfile, request: LlmRequest) -> dict[str, Any]:
    system: dict[str, Any] = {"type": "text", "text": request.system}
    messages = list(request.messages)
    if profile.cache:
        system["cache_control"] = _CACHED
        messages[-1] = _with_cache_mark(messages[-1])
    arguments: dict[str, Any] = {
        "model": profile.model,
        "max_tokens": profile.max_output_tokens,
        "system": [system],
        "messages": messages,
        "tools": [_tool(tool, strict=profile.strict) for tool in request.tools],
    }
    if profile.thinking != "none":
        arguments["thinking"] = ThinkingConfigAdaptiveParam(type="adaptive", display=profile.thinking)
    if profile.effort is not None:
        arguments["output_config"] = {"effort": profile.effort}
    return arguments


def _with_cache_mark(message: dict[str, Any]) -> dict[str, Any]:
    """The message with its last block marked, so that the next request finds everything up to here in the cache."""
    *others, last = message["content"]
    return {**message, "content": [*others, {**last, "cache_control": _CACHED}]}


def _tool(tool: ToolSpec, *, strict: bool) -> ToolParam:
    param = ToolParam(name=tool.name, description=tool.description, input_schema=tool.schema)
    if tool.strict and strict:
        param["input_schema"] = transform_schema(tool.schema)
        param["strict"] = True
    return param


async def _read(stream: AsyncMessageStream[None], on_part: Callable[[LlmPart], None]) -> LlmTurn:
    written: dict[int, str] = {}
    closed: set[int] = set()
    has_started = False
    async for event in stream:
        match event.type:
            case "message_start":
                has_started = True
            case "content_block_start" if event.content_block.type == "tool_use":
                written[event.index] = ""
            case "content_block_delta" if event.delta.type == "input_json_delta":
                written[event.index] = written.get(event.index, "") + event.delta.partial_json
            case "content_block_stop":
                closed.add(event.index)
            case "text":
                on_part(TextPart(event.text))
            case "thinking":
                on_part(ThinkingPart(event.thinking))
            case _:
                pass
    if not has_started:
        raise ValueError("no message_start")
    message = await stream.get_final_message()
    if message.stop_reason is None:
        raise LlmFailure("away", "the planner's model broke off in the middle of its answer")
    return _turn(message, {index: text for index, text in written.items() if index in closed})


def _turn(message: Message, tool_json: dict[int, str]) -> LlmTurn:
    usage, details = message.usage, message.stop_details
    content = [block.to_dict(mode="json", exclude_none=True, warnings=False) for block in message.content]
    return LlmTurn(
        tuple(content),
        tool_json,
        str(message.stop_reason),
        LlmUsage(
            usage.input_tokens,
            usage.cache_creation_input_tokens or 0,
            usage.cache_read_input_tokens or 0,
            usage.output_tokens,
        ),
        message.model,
        (details.category or "") if details is not None else "",
    )
