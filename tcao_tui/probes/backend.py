"""`python -m tcao_tui.probes.backend --profile NAME`: carries out `clients.backend_calls` until its stdin is closed.

A process and not a thread of the console, because the SDK costs seconds and hundreds of megabytes. It dies with whoever
asked: its stdin is closed then, and the session on the server is ended.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

import httpx
import tinker
from pydantic import JsonValue, TypeAdapter

from tcao_tui import paths
from tcao_tui.clients.backend_calls import Answer, Asked, Cancel, Crashed, Done, Failed, Part, Request, Shape
from tcao_tui.clients.tinker_errors import translate
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.errors import ExitCode, TcaoError
from tcao_tui.probes.server import Server
from tcao_tui.registry import Registry

type Tell = Callable[[Shape], None]
"""Says a part of the answer."""


class Handler(Protocol):
    """Carries out one kind of call: reads the arguments, tells parts, answers; raises `TcaoError`."""

    async def __call__(self, server: Server, arguments: JsonValue, tell: Tell) -> Shape:
        """See `Call`."""
        ...


CALLS: Registry[Handler] = Registry(
    "tcao_tui.backend_calls",
    {
        "chat.reply": "tcao_tui.probes.chat:reply",
        "checkpoints.list": "tcao_tui.probes.checkpoints:list_checkpoints",
        "checkpoints.describe": "tcao_tui.probes.checkpoints:describe",
        "checkpoints.ttl": "tcao_tui.probes.checkpoints:set_ttl",
        "checkpoints.publish": "tcao_tui.probes.checkpoints:set_public",
        "checkpoints.delete": "tcao_tui.probes.checkpoints:delete",
        "checkpoints.offers": "tcao_tui.probes.checkpoints:offers",
        "weights.download": "tcao_tui.probes.weights:download",
        "weights.build": "tcao_tui.probes.exporting:build",
        "parity.backend": "tcao_tui.probes.parity:ask_backend",
        "parity.export": "tcao_tui.probes.parity:measure_export",
        "hub.push": "tcao_tui.probes.hub:push",
    },
)
"""Handlers by `Call.name`."""


class Desk:
    """Carries out what is asked, several things at once.

    Args:
        server: The server.
        say: Takes each answer; called from the event loop only.
        calls: Handlers by name.
    """

    def __init__(self, server: Server, say: Callable[[Answer], None], calls: Registry[Handler]) -> None:
        self._server, self._say, self._calls = server, say, calls
        self._at_work: dict[int, asyncio.Task[None]] = {}

    def take(self, asked: Request | Cancel) -> None:
        """Begin what is asked, or give it up."""
        match asked:
            case Cancel(id=number):
                if (task := self._at_work.get(number)) is not None:
                    task.cancel()
            case Request(id=number):
                task = asyncio.create_task(self._carry_out(asked))
                self._at_work[number] = task
                task.add_done_callback(partial(self._ended, number))

    def _ended(self, number: int, task: asyncio.Task[None]) -> None:
        # Here and not in the task: one that is cancelled before its first step never runs.
        self._at_work.pop(number, None)
        if task.cancelled():
            self._say(Failed(id=number, exit_code=ExitCode.INTERRUPTED, what="it was given up"))

    async def close(self) -> None:
        """Give everything up and end the session."""
        for task in [*self._at_work.values()]:
            task.cancel()
        await asyncio.gather(*self._at_work.values(), return_exceptions=True)
        await self._server.close()

    async def _carry_out(self, asked: Request) -> None:
        number = asked.id

        def tell(part: Shape) -> None:
            self._say(Part(id=number, value=part.model_dump(mode="json")))

        try:
            result = await _answered(self._calls.load(asked.name)(self._server, asked.arguments, tell))
            self._say(Done(id=number, value=result.model_dump(mode="json")))
        except TcaoError as error:
            self._say(_failed(number, error))
        except OSError as error:
            what = f"cannot be read or written: {error.strerror or type(error).__name__}"
            self._say(Failed(id=number, exit_code=ExitCode.FAILED, what=what, where=str(error.filename or "")))
        except Exception as error:
            self._say(Crashed(id=number, what=_place_of(error)))


async def _answered(answering: Awaitable[Shape]) -> Shape:
    try:
        return await answering
    except (tinker.TinkerError, httpx.HTTPError) as error:
        raise translate(error, "asking the server") from error


def _failed(number: int, error: TcaoError) -> Failed:
    return Failed(
        id=number,
        exit_code=error.exit_code,
        what=error.what,
        where=error.where,
        next_step=error.next_step,
        unsupported=isinstance(error, Unsupported),
    )


def _place_of(error: Exception) -> str:
    """Kind and place of an exception; its message may quote a conversation, so it is not told."""
    places = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    path, line = next((p for p in reversed(places) if p[0].is_relative_to(paths.PACKAGE)), places[-1])
    return f"{type(error).__name__} in {path.name}, line {line}"


async def serve(server: Server, asked: BinaryIO, answers: BinaryIO, calls: Registry[Handler] = CALLS) -> None:
    """Carry out the lines of `asked` until it ends, which gives up what is still under way."""
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def say(answer: Answer) -> None:
        answers.write(answer.model_dump_json().encode() + b"\n")
        answers.flush()

    def read() -> None:
        for line in asked:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, b"")

    # A daemon, since a read of a pipe that nobody closes would keep the process alive.
    threading.Thread(target=read, name="asked", daemon=True).start()
    desk = Desk(server, say, calls)
    known = TypeAdapter[Request | Cancel](Asked)
    try:
        while line := await lines.get():
            desk.take(known.validate_json(line))
    finally:
        await desk.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a process of its own. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tcao_tui.probes.backend", description="Calls of a server.")
    parser.add_argument("--profile", required=True)
    parser.add_argument("--purpose", default="console")
    given = parser.parse_args(arguments)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries that print must not speak between the answers
    # A reader that is gone has no use for the rest.
    with contextlib.suppress(BrokenPipeError):
        asyncio.run(serve(Server(given.profile, given.purpose), sys.stdin.buffer, answers))
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
