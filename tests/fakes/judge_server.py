"""A judge on loopback: Anthropic's Messages API without streams, as Inspect's own provider asks it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Said:
    """What the judge says; `raw` is sent in place of a message, `hangs` sends nothing at all."""

    text: str = ""
    status: int = 200
    raw: str = ""
    hangs: bool = False


def asked_of(body: dict[str, Any]) -> str:
    """The prompt of a request."""
    content = body["messages"][0]["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


class JudgeServer:
    """The server, within the running loop: `async with JudgeServer(say) as server`."""

    def __init__(self, say: Callable[[str], Said]) -> None:
        self._say = say
        self._server: asyncio.Server | None = None
        self.requests: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.partition(": ")[::2] for line in head[1:] if line)
        body = json.loads(await reader.readexactly(int(headers.get("content-length", "0"))) or b"{}")
        if "/messages" not in head[0] or "count_tokens" in head[0]:
            said, message = Said(status=404), {}
        else:
            self.requests.append(body)
            said, message = self._say(asked_of(body)), _message(body)
        if said.hangs:
            await reader.read()
        else:
            writer.write(_http(said, message))
            await writer.drain()
        writer.close()


def _message(body: dict[str, Any]) -> dict[str, Any]:
    usage = {"input_tokens": 100, "output_tokens": 20}
    ending = {"stop_reason": "end_turn", "stop_sequence": None}
    return {"id": "m", "type": "message", "role": "assistant", "model": body.get("model"), "usage": usage, **ending}


def _http(said: Said, message: dict[str, Any]) -> bytes:
    if said.status != 200:
        content = json.dumps({"type": "error", "error": {"type": "api_error", "message": "the judge is away"}})
    else:
        content = said.raw or json.dumps({**message, "content": [{"type": "text", "text": said.text}]})
    kind = "content-type: application/json\r\nconnection: close\r\n"
    return f"HTTP/1.1 {said.status} x\r\n{kind}content-length: {len(content.encode())}\r\n\r\n{content}".encode()
