"""The head of a run: who it is, how it does, how far it is, and what to do when it is in trouble. Pure."""

from __future__ import annotations

from rich.cells import cell_len

from tcao_tui.domain.headlines import Headline, baseline, headlines
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.run_view import RunStatus, RunView
from tcao_tui.domain.wording import count_text, duration_text, money_text, share_text
from tcao_tui.tui.panes.training.marks import alert_text, alerts_span, newest_critical, pilot_words, range_words
from tcao_tui.tui.status import status_span
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import wrapped

QUIET_SECONDS = 5.0
"""A younger heartbeat is simply alive."""

_COARSE_FROM_SECONDS = 600.0
_WAITS = {"capacity": "in the server's queue", "rate_limit": "rate limit", "billing": "no credit", "outage": "outage"}


def head_line(view: RunView, width: int) -> Line:
    """Name and kind on the left; state, heartbeat and attempt on the right."""
    right: list[Span] = [status_span(view.status)]
    if view.status.is_live and view.phase and view.phase != view.status:
        right.append((f" · {view.phase}", "text"))
    if text := heartbeat_text(view):
        right.append((f" · {text}", "muted" if text == "alive" else "warn"))
    if view.attempt > 1:
        right.append((f" · attempt {view.attempt}", "muted"))
    if (alerts := alerts_span(view.marks)) is not None:
        right += [(" · ", "muted"), alerts]
    if view.is_sampled:
        right.append((" · sampled", "accent"))
    right.append((" ", "text"))
    room = width - sum(cell_len(t) for t, _ in right)
    name = one_line(view.name, max(room - 2, 4))
    kind = " · ".join(one_line(part) for part in (view.method, view.base_model, view.backend) if part)
    left: list[Span] = [(f" {name}", "strong")]
    if (spare := room - cell_len(name) - 4) > 12:
        left.append((f"  {one_line(kind, spare)}", "muted"))
    gap = room - sum(cell_len(t) for t, _ in left)
    return (*left, (" " * max(gap, 0), "text"), *right)


def heartbeat_text(view: RunView) -> str:
    """`alive`, or for how long the worker has been silent, in steps of three seconds; empty for a run that is over."""
    age = view.heartbeat_age_seconds
    if age is None or not (view.status.is_live or view.status is RunStatus.LOST):
        return ""
    if age < QUIET_SECONDS:
        return "" if view.status is RunStatus.LOST else "alive"
    return f"silent {duration_text(age // 3 * 3)}"


def progress_line(view: RunView, width: int) -> Line:
    """A bar, step of steps, time left and gone, tokens and cost."""
    facts: list[str] = []
    if view.status is RunStatus.RUNNING:
        facts.append(f"left {duration_text(_coarse(view.eta_seconds))}")
    facts.append(f"elapsed {duration_text(_coarse(view.elapsed_seconds))}")
    if view.tokens:
        facts.append(f"{count_text(view.tokens)} tokens")
    facts.append(cost_text(view.cost_usd))
    total = view.total_steps
    steps = f"{view.step}/{total}" if total else f"step {view.step}"
    share = f" {100 * view.step // total:3d}%" if total else ""
    tail = "   ".join(facts)
    bar_width = width - len(steps) - len(share) - len(tail) - 7
    while bar_width < 8 and facts:
        facts.pop(0)
        tail = "   ".join(facts)
        bar_width = width - len(steps) - len(share) - len(tail) - 7
    bar = bar_spans(view.step / total if total else 0.0, max(bar_width, 0), _bar_ink(view.status))
    return ((" ", "text"), *bar, (f"  {steps}", "strong"), (share, "text"), (f"   {tail}", "muted"))


def bar_spans(share: float, width: int, ink: str) -> list[Span]:
    """A progress bar of `width` cells that moves by half cells."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    full, half = divmod(halves, 2)
    return [("━" * full + "╸" * half, ink), ("─" * (width - full - half), "rule")]


def cost_text(usd: float | None) -> str:
    """Money so far; an unknown price is said."""
    return "cost unknown" if usd is None else "$0.00" if usd == 0 else money_text(usd)


def facts_line(view: RunView, width: int) -> Line:
    """Data, scores and loss ends: what one wants to know when nothing is wrong."""
    parts: list[str] = [view.phase_detail] if view.phase_detail and view.status.is_live else []
    for name in dict.fromkeys(s.name for s in view.scores):
        marks = [s for s in view.scores if s.name == name]
        first, last = marks[0], marks[-1]
        parts.append(
            f"{one_line(name)} {share_text(first.value)}"
            + (f" → {share_text(last.value)}" if last is not first else f" at step {first.step}")
        )
    parts += [_moved(view, told) for told in headlines(view) if told.key != "train_mean_nll"]
    if (tested := range_words(view.marks, passed=True)) and view.step == 0:
        parts.append(tested)
    if view.marks.pilot is not None and view.marks.pilot.passed:
        parts.append(pilot_words(view.marks))
    if view.data is not None:
        rows = f"{view.data.train_rows:,} training rows"
        cut = f" ({view.data.truncated_rows:,} cut)" if view.data.truncated_rows else ""
        parts.append(rows + cut + (f", {view.data.val_rows:,} validation" if view.data.val_rows else ""))
    parts.append(view.run_id)
    return ((f" {one_line(' · '.join(parts), width - 1)}", "muted"),)


def _moved(view: RunView, told: Headline) -> str:
    series, first = view.series[told.key], baseline(view, told.key)
    word = "validation loss" if told.key == "val_mean_nll" else told.word
    if first is None and len(series) < 2:
        return f"{word} {told.text(series.last)}"
    return f"{word} {told.text(series.values[0] if first is None else first)} → {told.text(series.last)}"


def notice_lines(view: RunView, width: int) -> list[Line]:
    """What went wrong or is waited for, and the next command; empty when all is well."""
    ink, text = _notice(view)
    lines: list[Line] = []
    if text:
        first, *rest = wrapped(text, width - 4, most=4)
        lines.append((("▌ ", ink), (first, "text")))
        lines += [(("▌ ", ink), (line, "text")) for line in rest]
    lines += _marked(view, width)
    lines += [(("· ", "accent"), (one_line(note, width - 4), "muted")) for note in view.notes[:2]]
    if view.unknown_kinds:
        kinds = ", ".join(f"{count}x {one_line(kind, 30)}" for kind, count in view.unknown_kinds.items())
        lines.append((("· ", "accent"), (f"events of another version: {one_line(kinds, width - 32)}", "muted")))
    return lines


def _marked(view: RunView, width: int) -> list[Line]:
    """The newest critical alert, and a range test and a pilot that did not pass."""
    told: list[tuple[str, str]] = []
    if (alert := newest_critical(view.marks)) is not None:
        change = f" → {alert.suggestion}" if alert.suggestion else ""
        told.append(("▲ ", f"{alert_text(alert)}{change}"))
    if tested := range_words(view.marks, passed=False):
        told.append(("◈ ", tested))
    if view.marks.pilot is not None and not view.marks.pilot.passed:
        told.append(("◈ ", pilot_words(view.marks)))
    return [
        ((symbol if index == 0 else "  ", "bad"), (line, "text"))
        for symbol, text in told
        for index, line in enumerate(wrapped(text, width - 4, most=2))
    ]


def _notice(view: RunView) -> tuple[str, str]:
    go_on = f"press r, or tcao resume {view.run_id}"
    match view.status:
        case RunStatus.LOST:
            last = view.checkpoints[-1].step if view.checkpoints else None
            safe = f"the checkpoint of step {last} is safe" if last is not None else "there is no checkpoint yet"
            age = view.heartbeat_age_seconds
            silent = age is not None and age > QUIET_SECONDS
            since = f"has been silent for {duration_text(age // 3 * 3)}" if silent and age is not None else "is gone"
            return "bad", f"The worker {since}; {safe}.\nNext: {go_on}"
        case RunStatus.FAILED | RunStatus.INTERRUPTED | RunStatus.BUDGET | RunStatus.STOPPED:
            return _ended(view, go_on)
        case RunStatus.WAITING if view.waiting is not None:
            why = _WAITS.get(view.waiting.reason, view.waiting.reason)
            waited = duration_text(_coarse(max(view.updated_at, view.waiting.since) - view.waiting.since))
            more = f": {view.waiting.detail}" if view.waiting.detail else ""
            return "warn", f"Waiting, {why}{more}. It goes on by itself (waited {waited} at the last word)."
        case RunStatus.PAUSED:
            return "warn", "Paused; its state is saved. Press r to go on, s to stop."
        case RunStatus.CREATED:
            return "info", f"Not started yet. Next: {go_on}"
        case _ if view.pending_verb:
            return "info", f"Asked to {view.pending_verb}; the worker answers after the step it is in."
        case _:
            return "", ""


def _ended(view: RunView, go_on: str) -> tuple[str, str]:
    done = view.finished
    ink = "muted" if view.status is RunStatus.STOPPED else "bad"
    if done is None:
        return ink, f"Ended ({view.status}).\nNext: {go_on}"
    what = done.what or f"{view.status} at step {view.step}".capitalize()
    where = f" ({done.where})" if done.where else ""
    return ink, f"{what}{where}\nNext: {done.next_step or go_on}"


def _bar_ink(status: RunStatus) -> str:
    if status is RunStatus.COMPLETED:
        return "ok"
    return "info" if status.is_live else "muted"


def _coarse(seconds: float | None) -> float | None:
    """Past ten minutes only whole minutes, so that a calm screen sends nothing."""
    if seconds is None or seconds < _COARSE_FROM_SECONDS:
        return seconds
    return seconds // 60 * 60
