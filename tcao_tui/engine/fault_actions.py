"""Carrying out scripted faults on real requests and connections.

Out of scope: the script and its counting (`faults.py`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from tcao_tui.engine.faults import Faults, Rule
from tcao_tui.engine.replies import PromiseReply, read_body, read_json
from tcao_tui.errors import UsageError

logger = logging.getLogger(__name__)

DRIPS = 10
"""Pieces of a slow answer."""


class Connections:
    """The open client connections by peer address, so that one can be cut."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """A uvicorn protocol class that keeps this register."""
        register = self._open

        class RegisteredProtocol(H11Protocol):
            """uvicorn's HTTP protocol, findable by its peer."""

            def connection_made(self, transport: asyncio.Transport) -> None:
                """Enter the connection."""
                self.peer = transport.get_extra_info("peername")[:2]
                register[self.peer] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                """Remove the connection."""
                register.pop(self.peer, None)
                super().connection_lost(exc)

        return RegisteredProtocol

    def cut(self, request: Request) -> None:
        """Close a request's connection at once, without an answer."""
        client = request.client
        transport = self._open.get((client.host, client.port)) if client is not None else None
        if transport is not None:
            transport.abort()


class TruncatedResponse(Response):
    """An answer that breaks off half-way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Announce the whole body, send half of it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})


class DrippingResponse(Response):
    """An answer that comes a few bytes at a time.

    Args:
        whole: The answer.
        seconds: How long it takes.
    """

    def __init__(self, whole: Response, seconds: float) -> None:
        super().__init__(bytes(whole.body), whole.status_code, media_type=whole.media_type)
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a tenth of the body, wait a tenth of the time, and so on."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        size = len(body) // DRIPS + 1
        for at in range(0, len(body), size):
            await asyncio.sleep(self._seconds / DRIPS)
            await send({"type": "http.response.body", "body": body[at : at + size], "more_body": True})
        await send({"type": "http.response.body", "body": b""})


class FaultActions:
    """What a running engine does about its fault script.

    Args:
        faults: The script.
        connections: To cut one.
    """

    def __init__(self, faults: Faults, connections: Connections) -> None:
        self._faults = faults
        self._connections = connections

    async def around(self, verb: str, request: Request, answer: Callable[[], Awaitable[Response]]) -> Response:
        """Answer a request, or let it go wrong as scripted."""
        rule = self._rule(await exact_verb(verb, request)) if self._faults.scripted else None
        if rule is None:
            return await answer()
        logger.info("fault script: %s", rule)
        await asyncio.sleep(rule.delay_seconds)
        if rule.kill == "before":
            _die()
        if rule.drop == "before":
            self._connections.cut(request)
            return Response()
        if (refusal := await _refusal(rule, request)) is not None:
            return refusal
        return await self._after(rule, request, await answer())

    async def _after(self, rule: Rule, request: Request, response: Response) -> Response:
        if rule.slow_seconds is not None:
            return DrippingResponse(response, rule.slow_seconds)
        if rule.drop is None and rule.kill is None and not rule.truncate_body:
            return response
        if isinstance(response, PromiseReply):
            await response.promise.done.wait()
        if rule.kill == "after":
            _die()
        if rule.truncate_body:
            return TruncatedResponse(bytes(response.body), response.status_code, media_type=response.media_type)
        self._connections.cut(request)
        return Response()

    def _rule(self, verb: str) -> Rule | None:
        try:
            return self._faults.rule_for(verb)
        except UsageError as error:
            logger.error("the changed fault script is ignored: %s", error)
            return None


async def exact_verb(verb: str, request: Request) -> str:
    """The verb of a request as scripts name it: two verbs share their address with another one."""
    if verb == "forward_backward" and "protobuf" in request.headers.get("content-type", ""):
        from tinker.proto import tinker_public_pb2

        body = tinker_public_pb2.ForwardBackwardRequest.FromString(await _kept_body(request))
        return "forward" if body.forward_only else verb
    if verb == "asample":
        asked = json.loads(await _kept_body(request))
        return "compute_logprobs" if asked.get("prompt_logprobs") else verb
    return verb


async def _kept_body(request: Request) -> bytes:
    await request.body()
    return await read_body(request)


async def _refusal(rule: Rule, request: Request) -> Response | None:
    if rule.paused is not None:
        asked = await read_json(request)
        state = {"queue_state": f"paused_{rule.paused}", "queue_state_reason": "scripted pause"}
        return JSONResponse({"type": "try_again", "request_id": asked.get("request_id"), **state}, status_code=408)
    if rule.status is None:
        return None
    retry_after = rule.retry_after_seconds
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return JSONResponse({"detail": f"scripted fault: {rule.status}"}, status_code=rule.status, headers=headers)


def _die() -> None:
    """End this process the hard way, as a power cut or the kernel's memory killer would."""
    os.kill(os.getpid(), signal.SIGKILL)
