"""Inspect logs that were made elsewhere as a matrix of tasks times subjects, like the evaluations of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.eval_logs import EvalLogSummary
from tcao_tui.domain.eval_matrix import CellView, EvalMatrix
from tcao_tui.domain.eval_merge import Found
from tcao_tui.domain.evaluation import CellKey, CellRecord, CellState, Counts, EvalTask, ItemResult, Subject
from tcao_tui.errors import UsageError
from tcao_tui.services.eval_logs import read_logs


@dataclass(frozen=True, slots=True)
class LogMatrix:
    """The matrix, and by cell the log and its items."""

    matrix: EvalMatrix
    logs: Mapping[CellKey, Path]
    items: Mapping[CellKey, tuple[ItemResult, ...]]


def log_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The logs themselves, and those in directories, by name. Raises `UsageError` where there is none."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.glob("*.eval")) if path.is_dir() else [path]
    if not found:
        raise UsageError("there is no log here", where=str(paths[0]) if paths else "", next_step="name .eval files")
    return tuple(dict.fromkeys(path.resolve() for path in found))


def log_matrix(paths: Sequence[Path]) -> LogMatrix:
    """Read logs; the first one's model is what the others are held against. Blocks for seconds.

    Raises:
        UsageError: A file is no log, or holds no scored sample.
        TcaoError: The helper that reads them failed.
    """
    from tcao_tui.domain.eval_cells import Gains, cell_views, measure

    files = log_files(paths)
    tasks: dict[tuple[str, ...], EvalTask] = {}
    subjects: dict[str, Subject] = {}
    logs: dict[CellKey, Path] = {}
    items: dict[CellKey, tuple[ItemResult, ...]] = {}
    records: dict[CellKey, CellRecord] = {}
    for log, path in zip(read_logs(files), files, strict=True):
        task = tasks.setdefault(_meaning(log), _task(log, [task.name for task in tasks.values()]))
        name = log.model.removeprefix("tcao/")
        name = f"{name} ({path.name})" if CellKey(task.name, name) in logs else name
        subjects.setdefault(name, Subject(name=name, base_model=log.model.partition("@")[0], checkpoint=log.checkpoint))
        key = CellKey(task.name, name)
        logs[key], items[key] = path, log.items
        records[key] = _record(key, log, path)
    base, gains = next(iter(subjects)), Gains()
    cells: dict[CellKey, CellView] = {}
    for task in tasks.values():
        row = {
            key.subject: (Found("", records[key], 0.0), measure(items[key])) for key in logs if key.task == task.name
        }
        cells |= cell_views(task, base, row, gains)
    matrix = EvalMatrix("logs", tuple(subjects.values()), tuple(tasks.values()), base, cells, None)
    return LogMatrix(matrix, logs, items)


def _meaning(log: EvalLogSummary) -> tuple[str, ...]:
    """What must be the same for two scores to mean the same."""
    return log.task, log.version, log.scorer, log.settings


def _task(log: EvalLogSummary, taken: Sequence[str]) -> EvalTask:
    name = log.task if log.task not in taken else f"{log.task} ({len(taken) + 1})"
    return EvalTask(name=name, layer=2, target=log.task, scorer=log.scorer, version=log.version)


def _record(key: CellKey, log: EvalLogSummary, path: Path) -> CellRecord:
    counts = Counts(
        planned=log.planned,
        completed=len(log.items),
        unscored=sum(item.value is None for item in log.items),
        truncated=sum(item.truncated for item in log.items),
    )
    state = CellState.DONE if len(log.items) >= log.planned else CellState.PARTIAL
    return CellRecord(task=key.task, subject=key.subject, state=state, counts=counts, log=str(path), tried=1)
