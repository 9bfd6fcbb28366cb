"""A scripted server that speaks Anthropic's Messages API over real sockets on loopback, with streams and without.

Each request takes the next reply of the script, unless the API would refuse it; what was asked is kept in `requests`,
and why it was refused in `refused`. To try the console by hand:

    python -m tests.fakes.anthropic_stub --script talk.yaml --port 8123
    ANTHROPIC_BASE_URL=http://127.0.0.1:8123 ANTHROPIC_API_KEY=stub tcao

The script is a list of mappings with the fields of `Reply`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import yaml

from tests.fakes.anthropic_rules import ApiRules

Fault = Literal["", "eof", "hang", "no_event_lines", "error"]


@dataclass
class Reply:
    """One answer of the server.

    Attributes:
        tools: Calls: `{"name", "input"}`, or `{"name", "raw"}` for arguments that are sent as they are; `id` optional.
        stop: Empty: "tool_use" when there are tools, else "end_turn".
        status: Another one than 200 answers `error` as JSON.
        fault: "eof" ends before `message_delta`, "hang" waits there for the client to leave, or without a stream before
            anything is sent; "error" sends one there; "no_event_lines" sends data lines only.
        body: Sent instead of everything else.
    """

    text: str = ""
    thinking: str = ""
    tools: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    stop: str = ""
    stop_details: dict[str, Any] | None = None
    usage: dict[str, int] = field(default_factory=dict[str, int])
    model: str = "stub"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    error: dict[str, Any] = field(default_factory=lambda: {"type": "api_error", "message": "stub"})
    fault: Fault = ""
    body: str | None = None


def call(name: str, /, **arguments: Any) -> dict[str, Any]:
    """A tool call for `Reply.tools`."""
    return {"name": name, "input": arguments}


def prompt_of(body: dict[str, Any]) -> str:
    """The text of the first message of a request."""
    content = body["messages"][0]["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


Script = Iterable[Reply] | Callable[[dict[str, Any]], Reply]


class AnthropicStub:
    """The server, within the running loop: `async with AnthropicStub([...]) as stub`."""

    def __init__(self, script: Script, *, port: int = 0) -> None:
        self._next: Callable[[dict[str, Any]], Reply] = script if callable(script) else _in_order(script)
        self._port = port
        self._server: asyncio.Server | None = None
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.refused: list[str] = []
        self._rules = ApiRules()
        self.hanging = asyncio.Event()
        self.left = asyncio.Event()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body: dict[str, Any] = json.loads(await reader.readexactly(int(headers["content-length"])))
        if "count_tokens" in head[0]:
            reply = Reply(status=404)
        else:
            self.headers.append(headers)
            self.requests.append(body)
            reply = self._answer(body)
        writer.write(_http(reply, len(self.requests), is_stream=body.get("stream", False)))
        await writer.drain()
        if reply.fault == "hang":
            self.hanging.set()
            await reader.read()
            self.left.set()
        writer.close()

    def _answer(self, body: dict[str, Any]) -> Reply:
        problems = self._rules.problems(body)
        if problems:
            self.refused += problems
            return Reply(status=400, error={"type": "invalid_request_error", "message": "; ".join(problems)})
        reply = self._next(body)
        if reply.thinking:
            self._rules.made(signature(len(self.requests)), body)
        return reply


def signature(number: int) -> str:
    """Signature of the thinking in the answer to a request, counted from 1."""
    return f"signature-{number}"


def _in_order(script: Iterable[Reply]) -> Callable[[dict[str, Any]], Reply]:
    replies = iter(script)
    spent = Reply(status=400, error={"type": "invalid_request_error", "message": "the script of the stub is spent"})
    return lambda _: next(replies, spent)


def _http(reply: Reply, number: int, *, is_stream: bool) -> bytes:
    if reply.status == 200 and is_stream:
        content = reply.body if reply.body is not None else _sse(reply, number)
        kind, length = "text/event-stream", ""
    elif reply.fault == "hang":
        return b""
    else:
        said = {"type": "error", "error": reply.error} if reply.status != 200 else _message(reply, number)
        content = reply.body if reply.body is not None else json.dumps(said)
        kind, length = "application/json", f"content-length: {len(content.encode())}\r\n"
    extra = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
    head = f"HTTP/1.1 {reply.status} Stub\r\ncontent-type: {kind}\r\nconnection: close\r\n{length}{extra}\r\n"
    return head.encode() + content.encode()


def _message(reply: Reply, number: int) -> dict[str, Any]:
    """A whole answer, of text only."""
    start = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": reply.model}
    usage = {"input_tokens": 100, "output_tokens": 20, **reply.usage}
    content = [{"type": "text", "text": reply.text}]
    return {**start, "content": content, "stop_reason": reply.stop or "end_turn", "stop_sequence": None, "usage": usage}


def _sse(reply: Reply, number: int) -> str:
    events = list(_events(reply, number))
    match reply.fault:
        case "eof" | "hang":
            events = events[:-2]
        case "error":
            events = [*events[:-2], {"type": "error", "error": reply.error}]
        case _:
            pass
    names = "" if reply.fault == "no_event_lines" else "event: {type}\n"
    return "".join(f"{names.format(type=event['type'])}data: {json.dumps(event)}\n\n" for event in events)


def _events(reply: Reply, number: int) -> Iterable[dict[str, Any]]:
    counts = {"input_tokens": 100, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, **reply.usage}
    output_tokens = counts.pop("output_tokens", 20)
    start = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": reply.model, "content": []}
    usage = {**counts, "output_tokens": 1}
    yield {"type": "message_start", "message": {**start, "stop_reason": None, "stop_sequence": None, "usage": usage}}
    for index, (block, deltas) in enumerate(_blocks(reply, number)):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    stop = reply.stop or ("tool_use" if reply.tools else "end_turn")
    delta = {"stop_reason": stop, "stop_sequence": None, "stop_details": reply.stop_details}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": output_tokens}}
    yield {"type": "message_stop"}


def _blocks(reply: Reply, number: int) -> Iterable[tuple[dict[str, Any], list[dict[str, Any]]]]:
    if reply.thinking:
        deltas = [
            {"type": "thinking_delta", "thinking": reply.thinking},
            {"type": "signature_delta", "signature": signature(number)},
        ]
        yield {"type": "thinking", "thinking": "", "signature": ""}, deltas
    if reply.text:
        half = len(reply.text) // 2
        pieces = [piece for piece in (reply.text[:half], reply.text[half:]) if piece]
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces]
    for position, tool in enumerate(reply.tools):
        written: str = tool.get("raw") if "raw" in tool else json.dumps(tool.get("input", {}))
        half = len(written) // 2
        pieces = [piece for piece in (written[:half], written[half:]) if piece]
        block_id = tool.get("id", f"toolu_{number}_{position}")
        block = {"type": "tool_use", "id": block_id, "name": tool["name"], "input": {}}
        yield block, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


async def serve_forever(script: Iterable[Reply], port: int) -> None:
    """Serve until it is interrupted."""
    async with AnthropicStub(script, port=port) as stub:
        print(f"listening on {stub.url}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Read a script and serve it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.anthropic_stub", description=__doc__)
    parser.add_argument("--script", type=Path, required=True, help="YAML or JSON list of replies")
    parser.add_argument("--port", type=int, default=8123)
    given = parser.parse_args()
    replies = [Reply(**reply) for reply in yaml.safe_load(given.script.read_text())]
    asyncio.run(serve_forever(replies, given.port))


if __name__ == "__main__":
    main()
