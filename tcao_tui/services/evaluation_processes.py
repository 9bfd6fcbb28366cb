"""Processes that carry out single cells: started in sessions of their own, known for good, and what they told."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tcao_tui import paths
from tcao_tui.domain.eval_cost import priced, total
from tcao_tui.domain.eval_job import RESULTS, Ended, Found, GaveUp, Job, parse_line
from tcao_tui.domain.evaluation import Counts, EvalProcess, Harness, ItemResult, Usage
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.services import detached
from tcao_tui.services.detached import ProcessIdentity, start_ticks
from tcao_tui.store.atomic_file import write_text
from tcao_tui.store.evaluation_dir import CELL_LOG_NAME, JOB_NAME, LOGS
from tcao_tui.store.jsonl_tail import LineTail
from tcao_tui.store.lease import boot_id

PROBES: Mapping[Harness, str] = {
    "inspect": "tcao_tui.probes.inspect_cell",
    "held_out": "tcao_tui.probes.held_out",
    "python": "tcao_tui.probes.python_evaluator",
}
"""Module that carries out a cell, by harness."""

_SOCKET_NAME_BYTES = 40
_LONGEST_SOCKET_BYTES = 100
"""An address of a Unix socket has at most 108 bytes on Linux, 104 on macOS."""

_LOG_TAIL_BYTES = 4_000


def spawn_cell(job: Job, *, python: str, environ: Mapping[str, str]) -> EvalProcess:
    """Start the process of a cell; it outlives us.

    Args:
        job: What it is to do; its directory is made.
        python: The interpreter.
        environ: Its environment, to which places of our own for Inspect's files are added.
    """
    job.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    job_file = job.directory / JOB_NAME
    write_text(job_file, job.model_dump_json(indent=1) + "\n")
    own = inspect_environment()
    pid = detached.spawn(
        [python, "-m", PROBES[job.task.harness], str(job_file)],
        log_file=job.directory / CELL_LOG_NAME,
        environ={**environ, **own},
    )
    is_inspect = job.task.harness == "inspect"
    control = Path(own["XDG_DATA_HOME"], "inspect_ai", "control", f"{pid}.sock")
    return EvalProcess(
        pid=pid,
        ticks=start_ticks(pid),
        boot_id=boot_id(),
        socket=str(control) if is_inspect else "",
    )


def inspect_environment() -> dict[str, str]:
    """What a process that loads Inspect is given: silence, and places of our own for its files, which are made."""
    data = inspect_data_dir()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {"XDG_DATA_HOME": str(data), "INSPECT_DISPLAY": "none", "TOKENIZERS_PARALLELISM": "false"}


def inspect_data_dir() -> Path:
    """Where Inspect's own files of our evaluations lie, its control sockets among them; short enough for a socket."""
    chosen = paths.state_dir() / "inspect"
    if len(os.fsencode(chosen)) <= _LONGEST_SOCKET_BYTES - _SOCKET_NAME_BYTES:
        return chosen
    mark = hashlib.sha256(os.fsencode(chosen)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tcao-{os.getuid()}-{mark}"


def identity(process: EvalProcess) -> ProcessIdentity | None:
    """The process, if it was started in this boot."""
    return ProcessIdentity(process.pid, process.ticks) if process.boot_id == boot_id() else None


def is_alive(process: EvalProcess | None) -> bool:
    """Whether exactly this process runs."""
    who = identity(process) if process is not None else None
    return who is not None and who.is_alive


@dataclass(frozen=True, slots=True)
class Told:
    """All that the processes of a cell told so far, the newest word of each.

    Attributes:
        ended: The last line, when it says that all is done or that it cannot go on.
    """

    counts: Counts
    usage: Usage
    ended: Ended | GaveUp | None = None


class CellReader:
    """Reads what the processes of a cell tell, from the first line on.

    Args:
        directory: Of the cell.
        quote: Prices, for what a process does not price itself.
    """

    def __init__(self, directory: Path, quote: PriceQuote) -> None:
        self._tail, self._quote = LineTail(directory / RESULTS), quote
        self.told = Told(Counts(), Usage())

    def read(self) -> list[ItemResult]:
        """New and corrected results since the last time; `told` is up to date afterwards."""
        found: dict[str, ItemResult] = {}
        while lines := self._tail.read():
            for line in lines.splitlines():
                found |= self._take(parse_line(line))
        return list(found.values())

    def close(self) -> None:
        """Let go of the file."""
        self._tail.close()

    def _take(self, line: Found | Ended | GaveUp | None) -> dict[str, ItemResult]:
        match line:
            case Found():
                usage = total([self.told.usage, priced(line.usage, self._quote)])
                self.told = Told(line.counts, usage)
                return {item.item: item for item in line.items}
            case Ended() | GaveUp():
                self.told = Told(self.told.counts, self.told.usage, line)
            case None:
                pass
        return {}


def last_words(directory: Path) -> str:
    """The last line that a cell's process printed; empty when it said nothing."""
    try:
        with (directory / CELL_LOG_NAME).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    return lines[-1].strip() if lines else ""


def newest_log(directory: Path) -> str:
    """Name of the newest Inspect log of a cell, relative to its directory; empty before there is one."""
    found = sorted((directory / LOGS).glob("*.eval"))
    return f"{LOGS}/{found[-1].name}" if found else ""
