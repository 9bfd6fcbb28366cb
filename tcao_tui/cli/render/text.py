"""Runs as text for people: the list, one run, one line of progress, one event, one error. Pure functions of values.

Text from models, data and servers goes through `plain_text` here, so that it cannot steer the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tcao_tui.domain.headlines import headline_texts, told_by
from tcao_tui.domain.plain_text import one_line, plain_text
from tcao_tui.domain.wording import UNKNOWN, count_text, duration_text, money_text, number_text, share_text
from tcao_tui.errors import TcaoError

if TYPE_CHECKING:
    from pathlib import Path

    from tcao_tui.domain.events import Sample, Scored
    from tcao_tui.domain.marks import Marks
    from tcao_tui.domain.run_view import RunSummary, RunView
    from tcao_tui.domain.training_events import StageStarted

Style = Callable[..., str]

STATUS_COLOURS = {
    "starting": "cyan",
    "running": "green",
    "waiting": "yellow",
    "paused": "yellow",
    "stopping": "yellow",
    "completed": "blue",
    "failed": "red",
    "lost": "red",
    "budget": "magenta",
}


_ALERTS_SHOWN = 5


def error_text(error: TcaoError, style: Style) -> str:
    """`Title: what`, then where and the next step on lines of their own."""
    lines = [f"{style(error.title, 'red', bold=True)}: {plain_text(error.what)}"]
    lines += [f"  where: {plain_text(error.where)}"] if error.where else []
    lines += [f"  next: {plain_text(error.next_step)}"] if error.next_step else []
    return "\n".join(lines)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Columns side by side, two spaces apart; `right` names columns of numbers."""
    cells = [list(header), *[list(row) for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return [
        "  ".join(c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    ]


def runs_table(runs: Sequence[RunSummary], now: float, style: Style) -> list[str]:
    """The run list; `now` is Unix seconds."""
    header = ("RUN", "NAME", "STATUS", "METHOD", "MODEL", "STEP", "TRAINING", "HELD-OUT", "COST", "AGE")
    rows = [
        (
            one_line(r.run_id),
            one_line(r.name, 32),
            str(r.status),
            one_line(r.method, 12),
            one_line(r.base_model, 32),
            f"{r.step}/{r.total_steps}",
            *(told.text if told is not None else UNKNOWN for told in told_by(r)),
            money_text(r.cost_usd),
            duration_text(now - r.created_at),
        )
        for r in runs
    ]
    lines = table(header, rows, right=frozenset({5, 6, 7, 8, 9}))
    shown = [style(lines[0].rstrip(), dim=True)]
    for run, line in zip(runs, lines[1:], strict=True):
        before, status, after = line.partition(f"  {run.status}  ")
        coloured = style(str(run.status), STATUS_COLOURS.get(run.status))
        shown.append(f"{before}  {coloured}  {after}".rstrip() if status else line.rstrip())
    return shown


def progress_line(view: RunView) -> str:
    """One run in one line: `step 23/80  29%  loss 1.23  val 1.31  1.2k tok/s  eta 34s`."""
    parts = [step_text(view)]
    parts += [f"{view.step / view.total_steps:.0%}"] if view.total_steps else []
    parts += headline_texts(view)
    speed = view.series.get("tokens_per_second")
    parts += [f"{count_text(speed.last)} tok/s"] if speed else []
    parts += [money_text(view.cost_usd)] if view.cost_usd != 0 else []
    if view.eta_seconds is not None:
        parts.append(f"eta {duration_text(view.eta_seconds)}")
    parts += [state] if (state := state_text(view)) != "running" else []
    parts += [f"to go on: tcao resume {one_line(view.run_id)}"] if view.status == "paused" else []
    return "  ".join(parts)


def step_text(view: RunView) -> str:
    """`step 23/80`; a foreign run may not say how many there will be."""
    return f"step {view.step}/{view.total_steps}" if view.total_steps else f"step {view.step}"


def state_text(view: RunView) -> str:
    """Status with what it waits for or does."""
    if view.waiting is not None and view.status.is_live:
        return f"{view.status}: waiting for {view.waiting.reason} {one_line(view.waiting.detail, 60)}".rstrip()
    if view.status.is_live and view.phase == str(view.status) and view.phase_detail:
        return one_line(f"{view.status}: {view.phase_detail}", 120)
    if view.status.is_live and view.phase and view.phase not in {"training", str(view.status)}:
        return one_line(f"{view.status}: {view.phase} {view.phase_detail}", 70)
    return str(view.status)


def view_lines(view: RunView, run_dir: Path | None, style: Style) -> list[str]:
    """One run in full."""
    status = style(str(view.status), STATUS_COLOURS.get(view.status), bold=True)
    doing = state_text(view).removeprefix(str(view.status)).lstrip(": ")
    pairs = [
        ("run", f"{one_line(view.run_id)}  {one_line(view.name)}"),
        ("status", f"{status}  {doing}".rstrip()),
        ("model", "  ".join(filter(None, map(one_line, (view.base_model, view.method, view.backend))))),
        ("progress", f"{step_text(view)}, attempt {view.attempt}"),
        ("worker", _worker_text(view)),
        ("time", _time_text(view)),
        ("now", ", ".join(headline_texts(view)) or "-"),
        ("used", f"{count_text(view.tokens)} tokens, {money_text(view.cost_usd)}"),
    ]
    pairs += [(name, one_line(text, 240)) for name, text in _marks(view)]
    pairs += [("request", f"{view.pending_verb}, not answered yet")] if view.pending_verb else []
    pairs += [("score", score_text(s)) for s in view.scores]
    pairs += [("checkpoint", f"step {c.step}  {c.reason}  {one_line(c.state_path)}") for c in view.checkpoints]
    if view.finished is not None and view.finished.what:
        pairs.append(("ended", plain_text(view.finished.what)))
        pairs += [("where", plain_text(view.finished.where))] if view.finished.where else []
        pairs += [("next", plain_text(view.finished.next_step))] if view.finished.next_step else []
    pairs += [("note", plain_text(note)) for note in view.notes]
    pairs += [("unknown", f"{n} events of kind {one_line(kind, 40)}") for kind, n in view.unknown_kinds.items()]
    pairs += [("directory", str(run_dir))] if run_dir else []
    width = max(len(name) for name, _ in pairs)
    return [f"{style(name.ljust(width), dim=True)}  {text}" for name, text in pairs]


def sample_lines(sample: Sample, label: str, width: int = 100) -> list[str]:
    """A prompt and its answer, each cut to a line."""
    lines = [f"  prompt  {one_line(sample.prompt, width)}", f"  {label.ljust(6)}  {one_line(sample.text, width)}"]
    return [*lines, f"  wanted  {one_line(sample.reference, width)}"] if sample.reference is not None else lines


def _time_text(view: RunView) -> str:
    spent = duration_text(view.elapsed_seconds)
    return f"{spent} so far, {duration_text(view.eta_seconds)} to go" if view.status.is_live else spent


def _worker_text(view: RunView) -> str:
    if view.worker_pid is None:
        return "none"
    return f"pid {view.worker_pid}, heard {duration_text(view.heartbeat_age_seconds)} ago"


def _marks(view: RunView) -> list[tuple[str, str]]:
    """Stages, pilot, changes and the newest alerts, each in the words of the event log."""
    from tcao_tui.domain.event_words import event_text  # imports pydantic, which the list of runs does not need
    from tcao_tui.domain.pilot_range import range_lines

    marks = view.marks
    told = [("stage", _stage(marks, stage)) for stage in marks.stages]
    if marks.range_test is not None:
        told += [("range test", line) for line in range_lines(marks.range_test)]
        told += [("", event_text(marks.range_test.tested)[1])] if marks.range_test.tested is not None else []
    told += [("pilot", event_text(marks.pilot)[1])] if marks.pilot is not None else []
    told += [("changed", event_text(change)[1]) for change in marks.changes]
    return told + [("alert", event_text(alert)[1]) for alert in marks.alerts[-_ALERTS_SHOWN:]]


def _stage(marks: Marks, stage: StageStarted) -> str:
    """A stage, what it measured before its first update, and whether it ended early."""
    from tcao_tui.domain.event_words import event_text

    ended = marks.ended.get(stage.index)
    found = ", ".join(f"{key} {number_text(value)}" for key, value in marks.baselines.get(stage.index, {}).items())
    early = [f"ended early at step {ended.step}"] if ended is not None else []
    return "; ".join([event_text(stage)[1], *([f"before: {found}"] if found else []), *early])


def score_text(scored: Scored) -> str:
    """A score with the step it was taken at."""
    return f"step {scored.step}: {one_line(scored.name, 40)} {share_text(scored.value)} ({scored.counts})"
