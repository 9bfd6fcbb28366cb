"""Runs the data helper process (`probes.data`) for one job: progress while it works, then its result or its error."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import IO

from pydantic import JsonValue, TypeAdapter, ValidationError

from tcao_tui.data.jobs import Answer, Crashed, Done, Failed, InspectJob, OverlapJob, PreviewJob, Progress, SplitJob
from tcao_tui.errors import BackendError, error_of

SILENCE_SECONDS = 180.0
"""A helper that says nothing for so long is taken for stuck; it speaks several times a second while it reads."""

_KEYS = ("TINKER_API_KEY", "TINKER_CREDENTIAL_CMD", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
"""What the helper has no use for."""

_READ_BYTES = 2**20

type OnProgress = Callable[[int, int], None]
"""Told bytes done and bytes in all, at most a few times a second."""

type AnyJob = InspectJob | PreviewJob | OverlapJob | SplitJob


def run_job(
    job: AnyJob,
    on_progress: OnProgress | None = None,
    *,
    command: tuple[str, ...] = (sys.executable, "-m", "tcao_tui.probes.data"),
    silence_seconds: float = SILENCE_SECONDS,
) -> JsonValue:
    """Carry out a job in a process of its own.

    Args:
        job: What to do.
        on_progress: Told how far it is; what it raises ends the helper and comes out here.
        command: The helper; tests give another.
        silence_seconds: When to give up on it.

    Returns:
        The result as JSON values.

    Raises:
        TcaoError: What the helper found wrong.
        BackendError: It broke, was killed, or is stuck.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment(os.environ)
    )
    try:
        return _result(process, job, on_progress, silence_seconds)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name not in _KEYS}
    # One thread is all that numpy needs here, and tokenizers that fork their own pool warn and gain nothing.
    return {**kept, "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


def _result(
    process: subprocess.Popen[bytes], job: AnyJob, on_progress: OnProgress | None, silence_seconds: float
) -> JsonValue:
    if process.stdin is None or process.stdout is None:
        raise BackendError("the data helper has no pipes")
    try:
        process.stdin.write(job.model_dump_json().encode())
        process.stdin.close()
    except BrokenPipeError:
        raise _ended(process) from None
    answers = TypeAdapter[Answer](Answer)
    for line in _lines(process.stdout, silence_seconds):
        try:
            answer = answers.validate_json(line)
        except ValidationError:
            raise BackendError("the data helper does not speak our language", next_step="install tcao anew") from None
        match answer:
            case Progress(done=done, total=total):
                if on_progress is not None:
                    on_progress(done, total)
            case Done(result=result):
                return result
            case Failed():
                raise error_of(answer.exit_code, answer.what, where=answer.where, next_step=answer.next_step)
            case Crashed(what=what):
                raise BackendError(f"the data helper broke: {what}", next_step="report it: this is a fault of tcao")
    raise _ended(process)


def _lines(stream: IO[bytes], silence_seconds: float) -> Iterator[bytes]:
    """Lines as they come. Raises `BackendError` when none does for too long."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        rest = b""
        while selector.select(silence_seconds):
            data = os.read(stream.fileno(), _READ_BYTES)
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            yield from lines
    raise BackendError(f"the data helper said nothing for {silence_seconds:.0f} s", next_step="try again")


def _ended(process: subprocess.Popen[bytes]) -> BackendError:
    code = process.wait()
    if code < 0:
        return BackendError(f"the data helper was killed by signal {-code}", next_step="is there enough memory?")
    return BackendError(f"the data helper ended with exit code {code}", next_step="try again")
