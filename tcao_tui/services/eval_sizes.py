"""How much tasks ask a subject to read and write, for what they may cost; what cannot be known is left out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tcao_tui.domain.benchmarks.table import benchmark_named
from tcao_tui.domain.eval_cost import TaskSize
from tcao_tui.domain.evaluation import EvalTask

_BYTES_PER_TOKEN = 4
"""Of English text; other languages and code have more tokens to a byte."""

TOKENS_BY_DEFAULT = 2_048
"""Inspect's own limit for an answer, where neither task nor person sets one."""

_SAMPLED_BYTES = 1 << 20

_LONGEST_TIMES = 4
"""How much longer than expected answers may be where nothing limits them."""


def task_sizes(tasks: Iterable[EvalTask]) -> dict[str, TaskSize]:
    """Sizes by task name. Reads files of rows; one that cannot be read is left out."""
    return {task.name: size for task in tasks if (size := _size(task)) is not None}


def _size(task: EvalTask) -> TaskSize | None:
    judge = 0.0 if not task.judge else None
    benchmark = benchmark_named(task.target)
    if benchmark is not None:
        answers = benchmark.answers(task.limit)
        expected = answers * benchmark.answer_tokens
        written = expected // 2, expected, max(expected, answers * _limit(task) or expected * _LONGEST_TIMES)
        return TaskSize(answers, answers * benchmark.prompt_tokens, written, judge)
    rows = _rows(task)
    if rows is None:
        return None
    count, tokens_each = rows
    answers = min(count, task.limit or count) * task.epochs
    if task.harness == "held_out":
        return TaskSize(answers, answers * tokens_each, (0, 0, 0))
    most = answers * (_limit(task) or TOKENS_BY_DEFAULT)
    return TaskSize(answers, answers * tokens_each, (most // 8, most // 2, most), judge)


def _rows(task: EvalTask) -> tuple[int, int] | None:
    """Rows of the task's file, and tokens of one of them; None when it has none that can be read."""
    path = Path(task.target if task.harness == "held_out" else task.files.get("file", ""))
    if path.suffix != ".jsonl":
        return None
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_SAMPLED_BYTES)
    except OSError:
        return None
    bytes_each = max(1, len(head) // max(1, head.count(b"\n")))
    rows = max(1, size // bytes_each)
    most = task.arguments.get("max_rows")
    return min(rows, most) if isinstance(most, int) else rows, bytes_each // _BYTES_PER_TOKEN + 1


def _limit(task: EvalTask) -> int:
    limit = task.generate.get("max_tokens")
    return limit if isinstance(limit, int) else 0
