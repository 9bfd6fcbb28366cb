"""Asks helper processes, which may load what this one must not; threads of a screen share one.

The process is started by the first call and ended by `close`, or with this one when it dies.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import IO, Self, cast

from pydantic import TypeAdapter, ValidationError

from tcao_tui.clients.backend_calls import Answer, Call, Cancel, Crashed, Done, Failed, Part, Request, Shape
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.errors import BackendError, ExitCode, TcaoError, error_of

END_SECONDS = 20.0
"""How long the helper may take to end its session after its stdin was closed."""

type Waiting = dict[int, queue.SimpleQueue[Answer | None]]
"""Calls under way by number; None tells them that the helper ended."""

_NEEDLESS_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


class GivenUp(TcaoError):
    """The call was given up before its end."""

    title = "Given up"
    exit_code = ExitCode.INTERRUPTED


class Ticket:
    """One call under way, for giving it up from another thread."""

    def __init__(self) -> None:
        self._give_up: Callable[[], None] | None = None
        self._given_up = False
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """Give the call up, also one that has not begun; one that is over stays as it is."""
        with self._lock:
            self._given_up = True
            give_up = self._give_up
        if give_up is not None:
            give_up()

    def begun(self, give_up: Callable[[], None]) -> None:
        """The call is under way; `give_up` ends it."""
        with self._lock:
            self._give_up = give_up
            given_up = self._given_up
        if given_up:
            give_up()


class HelperProcess:
    """A process that carries out calls; every method may be called from any thread.

    Args:
        command: The helper.
        doing: What it is for, in its errors.
    """

    def __init__(self, command: Sequence[str], doing: str) -> None:
        self._command, self._doing = command, doing
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: Waiting = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call[PartT: Shape, ResultT: Shape](
        self, call: Call[PartT, ResultT], on_part: Callable[[PartT], None] | None = None, ticket: Ticket | None = None
    ) -> ResultT:
        """Ask, and wait for the answer.

        Args:
            call: What is asked.
            on_part: Takes what is told meanwhile, in this thread; what it raises gives the call up.
            ticket: For giving the call up from elsewhere.

        Raises:
            Unsupported: The server offers no such thing.
            GivenUp: It was given up by `on_part` or the ticket.
            TcaoError: What went wrong on the way.
            BackendError: The helper broke or was killed.
        """
        number = next(self._numbers)
        answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._send(Request(id=number, name=call.name, arguments=call.model_dump(mode="json")), answers)
        if ticket is not None:
            ticket.begun(lambda: self._send(Cancel(id=number)))
        try:
            while True:
                match answers.get():
                    case Part(value=value):
                        if on_part is not None:
                            on_part(cast("PartT", call.part.model_validate(value)))
                    case Done(value=value):
                        return cast("ResultT", call.result.model_validate(value))
                    case Failed() as failed:
                        raise _error(failed)
                    case Crashed(what=what):
                        raise BackendError(f"the helper broke: {what}", next_step="report it: this is a fault of tcao")
                    case None:
                        raise BackendError(f"the helper that {self._doing} ended", next_step="try again")
        finally:
            self._send(Cancel(id=number))
            self._waiting.pop(number, None)

    def close(self) -> None:
        """End the helper; calls under way fail. Waits for the end of its session, at most `END_SECONDS`."""
        with self._lock:
            process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        try:
            process.stdin.close()
            process.wait(END_SECONDS)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()

    def _send(self, asked: Request | Cancel, answers: queue.SimpleQueue[Answer | None] | None = None) -> None:
        """Write a line; a cancel of what a dead helper did is needless, and starts none."""
        with self._lock:
            if answers is not None:
                process = self._running()
                self._waiting[asked.id] = answers
            elif self._process is None or asked.id not in self._waiting:
                return
            else:
                process = self._process
            assert process.stdin is not None
            try:
                process.stdin.write(asked.model_dump_json().encode() + b"\n")
                process.stdin.flush()
            except (BrokenPipeError, ValueError):
                if answers is not None:
                    answers.put(None)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            if self._process is not None and self._process.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    self._process.stdin.close()
            environ = {name: value for name, value in os.environ.items() if name not in _NEEDLESS_KEYS}
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**environ, "TOKENIZERS_PARALLELISM": "false"},
            )
            # The calls of a helper that died end with it, not with the next one.
            self._waiting = {}
            assert self._process.stdout is not None
            reading = (self._process, self._process.stdout, self._waiting)
            threading.Thread(target=self._read, args=reading, name="answers", daemon=True).start()
        return self._process

    def _read(self, process: subprocess.Popen[bytes], answers: IO[bytes], waiting: Waiting) -> None:
        """Give each answer to its call; at the end of the helper, an end to all."""
        known = TypeAdapter[Answer](Answer)
        with answers:
            for line in answers:
                try:
                    answer = known.validate_json(line)
                except ValidationError:
                    process.kill()
                    break
                if (call := waiting.get(answer.id)) is not None:
                    call.put(answer)
        # Known to be dead before the lock is taken, so that no later call is given to it.
        process.wait()
        with self._lock:
            for call in [*waiting.values()]:
                call.put(None)


class BackendHelper(HelperProcess):
    """The helper process of one profile, which may load the SDK.

    Args:
        profile: Name of the profile, as the settings know it.
        purpose: Kept by the server with the helper's session.
        command: The helper; tests give another.
    """

    def __init__(self, profile: str, *, purpose: str = "console", command: Sequence[str] | None = None) -> None:
        backend = (sys.executable, "-m", "tcao_tui.probes.backend", "--profile", profile, "--purpose", purpose)
        super().__init__(command or backend, "asks the server")


def _error(failed: Failed) -> TcaoError:
    if failed.unsupported:
        return Unsupported(failed.what, where=failed.where, next_step=failed.next_step)
    if failed.exit_code == ExitCode.INTERRUPTED:
        return GivenUp(failed.what, where=failed.where, next_step=failed.next_step)
    return error_of(failed.exit_code, failed.what, where=failed.where, next_step=failed.next_step)
