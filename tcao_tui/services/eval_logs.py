"""Compares Inspect logs, ours and those of others: which checkpoint is best, and how sure that is.

The logs are read by a short-lived helper process, `probes.eval_logs`, since Inspect takes seconds to import.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tcao_tui.domain.eval_logs import EvalLogSummary, as_task, disagreements
from tcao_tui.domain.statistics.verdict import Task, Verdict, decide
from tcao_tui.errors import TcaoError, UsageError

HELPER_SECONDS = 300.0
"""Longest wait for the helper; a log of 5,000 samples takes about a second on top of the imports."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Logs of one task, the base first; `names` are what people call them."""

    logs: tuple[EvalLogSummary, ...]
    names: tuple[str, ...]
    task: Task
    verdict: Verdict


def read_logs(paths: Sequence[Path]) -> tuple[EvalLogSummary, ...]:
    """Read Inspect logs.

    Raises:
        UsageError: A file is none, or holds no scored sample.
        TcaoError: The helper failed.
    """
    for path in paths:
        if not path.is_file():
            raise UsageError("there is no such log", where=str(path), next_step="name a file that ends in .eval")
    argv = [sys.executable, "-m", "tcao_tui.probes.eval_logs", *(str(path.resolve()) for path in paths)]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HELPER_SECONDS, check=False
        )
        told: list[dict[str, object]] = [json.loads(line) for line in done.stdout.splitlines()]
        if len(told) != len(paths):
            raise TcaoError(f"the helper that reads logs ended with exit code {done.returncode}", next_step="try again")
        return tuple(_read(answer, path) for answer, path in zip(told, paths, strict=True))
    except subprocess.TimeoutExpired as error:
        raise TcaoError(f"reading took longer than {HELPER_SECONDS:.0f} s", next_step="name fewer logs") from error
    except (ValueError, ValidationError) as error:
        raise TcaoError("the helper does not speak our language", next_step="install tcao anew") from error


def _read(answer: Mapping[str, object], path: Path) -> EvalLogSummary:
    if "error" in answer:
        raise UsageError(f"not a log that can be read: {answer['error']}", where=str(path))
    return EvalLogSummary.model_validate(answer).model_copy(update={"path": str(path)})


def compare_logs(paths: Sequence[Path], *, lower_is_better: bool = False, seed: int = 0) -> Compared:
    """Hold the logs after the first one against it.

    Args:
        paths: The base, then candidates, earlier and cheaper ones first.
        lower_is_better: Direction of the score.
        seed: Of the split into items to choose by and items to quote.

    Raises:
        UsageError: Fewer than two logs, or logs whose scores do not mean the same.
        TcaoError: They cannot be read.
    """
    if len(paths) < 2:
        raise UsageError(
            "one log is compared with nothing", next_step="name the base's log, then those to hold against it"
        )
    logs = read_logs(paths)
    if found := list(disagreements(logs)):
        raise UsageError("; ".join(found), next_step="run the same task with the same settings for each")
    names = _names(logs)
    task = as_task(logs, names, higher_is_better=not lower_is_better)
    return Compared(logs, names, task, decide(task, names[1:], names[0], seed=seed))


def _names(logs: Sequence[EvalLogSummary]) -> tuple[str, ...]:
    """The models' names, shortened; those that stand twice are told apart by their files."""
    short = [log.model.removeprefix("tcao/") for log in logs]
    return tuple(
        name if short.count(name) == 1 else f"{name} ({Path(log.path).name})"
        for name, log in zip(short, logs, strict=True)
    )
