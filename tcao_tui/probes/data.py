"""`python -m tcao_tui.probes.data`: data files read, measured, compared and split in a process of their own.

It reads one job (`data.jobs`) as JSON from stdin and answers in JSON lines on stdout. A process and not a thread,
because reading holds the interpreter lock, tokenizers are heavy, and memory should be given back.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

from pydantic import BaseModel, TypeAdapter

from tcao_tui import paths
from tcao_tui.data.jobs import (
    Answer,
    Crashed,
    Done,
    Failed,
    InspectJob,
    Job,
    OverlapJob,
    PreviewJob,
    Progress,
    SplitJob,
)
from tcao_tui.data.sensitive import SensitiveScan
from tcao_tui.domain.capabilities import ModelInfo
from tcao_tui.domain.data_profile import DataProfile
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.row_preview import RowPreview
from tcao_tui.errors import PlanInvalid, TcaoError
from tcao_tui.probes import tokenizers

if TYPE_CHECKING:
    from tcao_tui.probes.rendered import RowRenderer

_SAY_EVERY_SECONDS = 0.1
_REFUSAL_CHARACTERS = 300

type Say = Callable[[Answer], None]


def answer(job: Job, say: Say) -> BaseModel:
    """Carry a job out. Raises `TcaoError`."""
    match job:
        case InspectJob():
            return _inspect(job, say)
        case PreviewJob():
            return _preview(job)
        case OverlapJob():
            from tcao_tui.data.overlap import compare_files

            return compare_files(
                job.left,
                job.right,
                left_fields=job.left_fields,
                right_fields=job.right_fields,
                on_bytes=_teller(job.left, say),
            )
        case SplitJob():
            from tcao_tui.data.split import split_file

            return split_file(
                job.source,
                job.into,
                validation=job.validation,
                test=job.test,
                seed=job.seed,
                fields=job.fields,
                on_bytes=_teller(job.source, say),
            )


def _inspect(job: InspectJob, say: Say) -> DataProfile:
    from tcao_tui.data.inspect import inspect_file

    tell = _teller(job.path, say)
    renderer, why_not = _renderer_or_reason(job)
    if renderer is None:
        profile = inspect_file(job.path, fields=job.fields, on_bytes=tell)
        return profile.model_copy(update={"tokens_why_not": why_not})
    from tcao_tui.methods.rendering import quiet_renderers
    from tcao_tui.probes.token_meter import SampledMeter

    with quiet_renderers():
        meter = SampledMeter(renderer, job.max_seq_len)
        profile = inspect_file(job.path, fields=job.fields, meter=meter, on_bytes=tell)
    return _without_secrets(profile)


def _renderer_or_reason(job: InspectJob) -> tuple[RowRenderer | None, str]:
    if job.model is None:
        return None, "no model was named, and models count tokens differently"
    try:
        return _renderer(job.model, job.renderer), ""
    except tokenizers.TokenizerMissing as error:
        return None, str(error)
    except PlanInvalid as error:
        if job.renderer is not None:
            raise
        return None, f"{error.what}: {error.next_step}"


def _without_secrets(profile: DataProfile) -> DataProfile:
    """The profile, with what a renderer says of a row free of the row's secrets."""
    if profile.tokens is None or not profile.tokens.refusal:
        return profile
    refusal = SensitiveScan().redacted(one_line(profile.tokens.refusal, _REFUSAL_CHARACTERS))
    return profile.model_copy(update={"tokens": profile.tokens.model_copy(update={"refusal": refusal})})


def _preview(job: PreviewJob) -> RowPreview:
    try:
        renderer = _renderer(job.model, job.renderer)
    except tokenizers.TokenizerMissing as error:
        raise PlanInvalid(str(error), where=job.model.name, next_step="tcao doctor") from error
    from tcao_tui.methods.rendering import quiet_renderers
    from tcao_tui.probes.preview import preview_row

    with quiet_renderers():
        return preview_row(job.path, job.row, renderer, fields=job.fields, max_seq_len=job.max_seq_len, side=job.side)


def _renderer(model: ModelInfo, renderer: str | None) -> RowRenderer:
    """Raises `TokenizerMissing`, or `PlanInvalid` for a renderer that does not exist or fit."""
    place = tokenizers.place_of(model.name, model.tokenizer)
    tokenizers.go_offline_if_needed(place)
    from tcao_tui.probes.rendered import RowRenderer

    chosen = renderer or (model.renderers[0] if model.renderers else None)
    return RowRenderer(model.name, chosen, tokenizers.load_tokenizer(place))


def _teller(path: Path, say: Say) -> Callable[[int], None]:
    """Tells progress in bytes, a few times a second."""
    total = path.stat().st_size if path.is_file() else 0
    said_at = time.monotonic()

    def tell(done: int) -> None:
        nonlocal said_at
        if (now := time.monotonic()) - said_at >= _SAY_EVERY_SECONDS:
            said_at = now
            say(Progress(done=done, total=total))

    return tell


def main(request: BinaryIO, reply: BinaryIO) -> int:
    """Answer one request. Returns the exit code."""

    def say(answered: Answer) -> None:
        reply.write(answered.model_dump_json().encode() + b"\n")
        reply.flush()

    job: Job = TypeAdapter[Job](Job).validate_json(request.read())
    try:
        say(Done(result=answer(job, say).model_dump(mode="json")))
    except TcaoError as error:
        say(Failed(exit_code=error.exit_code, what=error.what, where=error.where, next_step=error.next_step))
        return error.exit_code
    except OSError as error:
        place = str(error.filename or "")
        say(Failed(exit_code=1, what=f"cannot be read or written: {error.strerror}", where=place))
        return 1
    except MemoryError:
        say(Failed(exit_code=1, what="not enough memory", next_step="give this process more memory"))
        return 1
    return 0


def serve() -> int:
    """Run as a process of its own. Returns the exit code."""
    gc.disable()  # millions of short-lived values, none of them in a cycle
    os.nice(5)  # a console draws meanwhile
    reply = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries that print must not speak between the answers

    def report_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        # The message of an exception may quote the data, so only its kind and place are told.
        places = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(trace)]
        path, line = next((p for p in reversed(places) if p[0].is_relative_to(paths.PACKAGE)), places[-1])
        told = Crashed(what=f"{kind.__name__} in {path.name}, line {line}")
        with contextlib.suppress(OSError):
            reply.write(told.model_dump_json().encode() + b"\n")
            reply.flush()

    sys.excepthook = report_crash
    return main(sys.stdin.buffer, reply)


if __name__ == "__main__":
    sys.exit(serve())
