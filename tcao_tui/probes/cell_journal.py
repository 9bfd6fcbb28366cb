"""What processes of cells share: the job that they are given, the lines that they tell, the weights that they ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import tinker

from tcao_tui.domain.eval_job import RESULTS, GaveUp, Job, Line, parse_line
from tcao_tui.domain.evaluation import Subject
from tcao_tui.errors import ExitCode, TcaoError
from tcao_tui.probes.server import Server


class Journal:
    """Lines of a cell, one after the other, each written whole.

    Args:
        directory: Of the job.

    Attributes:
        before: What earlier processes told; a line that death cut off is dropped.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / RESULTS
        known = path.read_bytes() if path.exists() else b""
        whole = known[: known.rfind(b"\n") + 1]
        self.before = [line for text in whole.splitlines() if (line := parse_line(text)) is not None]
        self._file = path.open("r+b" if path.exists() else "wb")
        self._file.truncate(len(whole))
        self._file.seek(len(whole))

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, line: Line) -> None:
        """Append a line, which a reader sees whole or not at all."""
        self._file.write(line.model_dump_json().encode() + b"\n")
        self._file.flush()


def read_job(job_file: str) -> Job:
    """The job that a process was started with."""
    return Job.model_validate_json(Path(job_file).read_bytes())


def carry_out(job_file: str, work: Callable[[Job, Journal, Server], Awaitable[None]]) -> int:
    """Do a job on its server, which is let go in the end; what stops it is told. Returns the exit code."""
    job = read_job(job_file)
    with Journal(job.directory) as journal:
        try:
            asyncio.run(_with_server(job, journal, work))
        except TcaoError as error:
            journal.write(GaveUp(problem=error.what, next_step=error.next_step))
            return int(error.exit_code)
    return int(ExitCode.OK)


async def _with_server(job: Job, journal: Journal, work: Callable[[Job, Journal, Server], Awaitable[None]]) -> None:
    server = Server(job.profile, "evals")
    try:
        await work(job, journal, server)
    finally:
        await server.close()


async def sampling_client(server: Server, subject: Subject) -> tinker.SamplingClient:
    """The SDK's client of a subject's weights. Raises `tinker.TinkerError`."""
    service = await server.service()
    base_model = subject.base_model if subject.is_base else None
    return await service.create_sampling_client(base_model=base_model, model_path=subject.checkpoint or None)
