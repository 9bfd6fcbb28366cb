"""The cell under the cursor in full, as lines. Pure."""

from __future__ import annotations

import json
import math

from tcao_tui.domain.eval_matrix import CellView, EvalMatrix
from tcao_tui.domain.evaluation import CellKey, EvalTask, Subject
from tcao_tui.domain.wording import count_text, duration_text, money_text, number_text, share_text
from tcao_tui.tui.panes.evals.cells import STATES
from tcao_tui.tui.panes.evals.heading import gain_text, seconds_left
from tcao_tui.tui.panes.evals.names import LAYERS, Scale, scale_of
from tcao_tui.tui.widgets.line_view import Line
from tcao_tui.tui.widgets.sentences import hanging_lines
from tcao_tui.tui.widgets.text_block import wrapped

_LABEL = 10


def cell_lines(matrix: EvalMatrix, key: CellKey, width: int, now: float) -> list[Line]:
    """What is asked of whom, score and gain, answers, cost, and what is wrong."""
    task = next(task for task in matrix.tasks if task.name == key.task)
    subject = next(subject for subject in matrix.subjects if subject.name == key.subject)
    cell = matrix.cells.get(key)
    entries = [("", f"{task.name} over {subject.name}", "strong"), ("task", _task(task), "text")]
    if cell is None:
        entries.append(("state", "not asked for", "muted"))
    else:
        entries += _cell_entries(cell, scale_of(task, matrix), now)
        entries += [("weights", subject.checkpoint or subject.base_model, "muted"), *_rule(matrix, subject)]
    return [line for label, text, ink in entries if text for line in _entry(label, text, ink, width)]


def _entry(label: str, text: str, ink: str, width: int) -> list[Line]:
    if not label:
        return [((f" {line}", ink),) for line in wrapped(text, width - 2, most=2)]
    return hanging_lines((f" {label.ljust(_LABEL)}", "muted"), text, ink, width - 1)


def _task(task: EvalTask) -> str:
    parts = [f"layer {task.layer}, {LAYERS[task.layer]}", "higher is better" if task.higher_is_better else ""]
    parts += ["lower is better"] if not task.higher_is_better else []
    parts += ["must not get worse"] if task.is_guardrail else []
    parts += [f"{task.limit} samples drawn with seed {task.seed}"] if task.limit else []
    parts += [f"{task.epochs} answers each"] if task.epochs > 1 else []
    parts += [f"graded by {task.judge}"] if task.judge else []
    settings = {**task.arguments, **task.generate}
    parts += [" ".join(f"{key}={json.dumps(value)}" for key, value in settings.items())] if settings else []
    return " · ".join(part for part in parts if part)


def _cell_entries(cell: CellView, scale: Scale, now: float) -> list[tuple[str, str, str]]:
    symbol, ink = STATES[cell.record.state]
    left = seconds_left(cell.record, now)
    state = f"{symbol} {cell.record.state}" + ("" if left is None else f", about {duration_text(left)} more")
    return [
        ("caution", cell.caution, "warn"),
        ("problem", cell.record.problem, "bad"),
        ("next", cell.record.next_step, "accent"),
        ("state", f"{state} · {_answers(cell)}", ink if cell.record.state.is_live or cell.record.problem else "text"),
        ("score", _score(cell, scale), "text"),
        ("gain", _gain(cell, scale), {"better": "ok", "worse": "bad"}.get(cell.outcome or "", "text")),
        ("numbers", " · ".join(f"{k} {number_text(v)}" for k, v in cell.record.numbers.items()), "text"),
        ("took", _took(cell, now), "muted"),
    ]


def _answers(cell: CellView) -> str:
    counts = cell.record.counts
    more = (
        (counts.in_flight, "under way"),
        (counts.errored, "errored"),
        (counts.unscored, "unscored"),
        (counts.truncated, "cut off at the limit of tokens"),
    )
    told = [f"{counts.completed:,} of {counts.planned:,} answers", *(f"{n:,} {word}" for n, word in more if n)]
    told += [f"{share_text(cell.unusable)} unusable"] if cell.unusable else []
    return ", ".join(told)


def _score(cell: CellView, scale: Scale) -> str:
    if (level := cell.level) is None:
        return ""
    interim = "" if cell.record.state.is_over else "so far "
    interval = ""
    if math.isfinite(level.low):
        interval = f", 95 % {scale.text(level.low)} to {scale.text(level.high)} ({level.how})"
    return f"{interim}{scale.text(level.mean)} over {level.items:,} items{interval}"


def _gain(cell: CellView, scale: Scale) -> str:
    if (gain := cell.gain) is None or not math.isfinite(gain.mean):
        return ""
    told = gain_text(gain.mean, gain.low, gain.high, scale) if math.isfinite(gain.low) else scale.change(gain.mean)
    said = f"{cell.outcome}: " if cell.outcome else ""
    sure = f"p {cell.p_value:.2g} corrected, {gain.method}"
    return f"{said}{told} over the base on {gain.items:,} shared items; won {gain.wins}, lost {gain.losses}; {sure}"


def _took(cell: CellView, now: float) -> str:
    record, usage = cell.record, cell.record.usage
    cached = f" ({count_text(usage.cached_tokens)} cached)" if usage.cached_tokens else ""
    parts = [f"{count_text(usage.input_tokens)} tokens in{cached}, {count_text(usage.output_tokens)} out"]
    parts.append(money_text(usage.usd))
    if usage.judge_tokens:
        parts.append(f"judge {count_text(usage.judge_tokens)} tokens, {money_text(usage.judge_usd)}")
    if record.started_at is not None:
        parts.append(duration_text((record.ended_at or now) - record.started_at))
    parts += [f"try {record.tried}"] if record.tried > 1 else []
    return " · ".join(parts)


def _rule(matrix: EvalMatrix, subject: Subject) -> list[tuple[str, str, str]]:
    if matrix.selection is None:
        return []
    ruling = next((one for one in matrix.selection.rulings if one.subject == subject.name), None)
    told = [("ruling", f"{ruling.outcome}: {ruling.why}", "text")] if ruling is not None else []
    rule = [("rule" if not index else " ", line, "muted") for index, line in enumerate(matrix.selection.rule)]
    return [*told, *rule]
