"""A helper process's side of `clients.backend_calls`: carries out lines of its stdin, several at once, until it ends.

What its handlers work with is its place: a server, or logs that are open. A process and not a thread of the console,
because what it loads costs seconds and hundreds of megabytes. It dies with whoever asked: its stdin is closed then.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from pydantic import JsonValue, TypeAdapter

from tcao_tui import paths
from tcao_tui.clients.backend_calls import Answer, Asked, Cancel, Crashed, Done, Failed, Part, Request, Shape
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.errors import ExitCode, TcaoError
from tcao_tui.registry import Registry

type Tell = Callable[[Shape], None]
"""Says a part of the answer."""

type Answered = Callable[[Awaitable[Shape]], Awaitable[Shape]]
"""Waits for an answer; errors of libraries come out as `TcaoError`s."""


class Place(Protocol):
    """What handlers work with."""

    async def close(self) -> None:
        """Let it go."""
        ...


class Handler[PlaceT: Place](Protocol):
    """Carries out one kind of call: reads the arguments, tells parts, answers; raises `TcaoError`."""

    async def __call__(self, place: PlaceT, arguments: JsonValue, tell: Tell, /) -> Shape:
        """See `Call`."""
        ...


class Desk[PlaceT: Place]:
    """Carries out what is asked, several things at once.

    Args:
        place: What handlers work with.
        say: Takes each answer; called from the event loop only.
        calls: Handlers by name.
        answered: Translates errors.
    """

    def __init__(
        self, place: PlaceT, say: Callable[[Answer], None], calls: Registry[Handler[PlaceT]], answered: Answered
    ) -> None:
        self._place, self._say, self._calls, self._answered = place, say, calls, answered
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
        """Give everything up and let the place go."""
        for task in [*self._at_work.values()]:
            task.cancel()
        await asyncio.gather(*self._at_work.values(), return_exceptions=True)
        await self._place.close()

    async def _carry_out(self, asked: Request) -> None:
        number = asked.id

        def tell(part: Shape) -> None:
            self._say(Part(id=number, value=part.model_dump(mode="json")))

        try:
            result = await self._answered(self._calls.load(asked.name)(self._place, asked.arguments, tell))
            self._say(Done(id=number, value=result.model_dump(mode="json")))
        except TcaoError as error:
            self._say(_failed(number, error))
        except OSError as error:
            what = f"cannot be read or written: {error.strerror or type(error).__name__}"
            self._say(Failed(id=number, exit_code=ExitCode.FAILED, what=what, where=str(error.filename or "")))
        except Exception as error:
            self._say(Crashed(id=number, what=_place_of(error)))


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


async def serve[PlaceT: Place](
    place: PlaceT, asked: BinaryIO, answers: BinaryIO, calls: Registry[Handler[PlaceT]], answered: Answered
) -> None:
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
    desk = Desk(place, say, calls, answered)
    known = TypeAdapter[Request | Cancel](Asked)
    try:
        while line := await lines.get():
            desk.take(known.validate_json(line))
    finally:
        await desk.close()


def serve_stdin[PlaceT: Place](place: PlaceT, calls: Registry[Handler[PlaceT]], answered: Answered) -> None:
    """Carry out the lines of this process's stdin; answers go to its stdout."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries that print must not speak between the answers
    # A reader that is gone has no use for the rest.
    with contextlib.suppress(BrokenPipeError):
        asyncio.run(serve(place, sys.stdin.buffer, answers, calls, answered))
