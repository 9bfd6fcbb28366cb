"""Lines of the panels below the charts: samples, events, checkpoints, log. Pure; all foreign text is made safe here."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tcao_tui.domain.event_words import event_text
from tcao_tui.domain.events import Sample, SamplesTaken, StoredEvent
from tcao_tui.domain.plain_text import plain_text
from tcao_tui.domain.run_view import RunView
from tcao_tui.domain.wording import duration_text
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import fit, wrapped

_LABEL_WIDTH = 10
_TEXT_LINES = 6
_LOG_LINES = 400


def sample_lines(view: RunView, width: int, chosen: int | None) -> list[Line]:
    """Generations on the fixed prompts, those of the chosen step beside those before training.

    Args:
        view: The run.
        width: Cells across.
        chosen: Index into `view.samples`; None is the newest.
    """
    if not view.samples:
        return [((" No samples yet: they are taken at each evaluation.", "muted"),)]
    index = len(view.samples) - 1 if chosen is None else min(chosen, len(view.samples) - 1)
    now, before = view.samples[index], view.samples[0]
    lines: list[Line] = [_step_strip(view.samples, index, width)]
    for number, sample in enumerate(now.samples):
        lines.append(())
        lines += _labelled("prompt", sample.prompt, "muted", "strong", width, most=3)
        if before is not now and number < len(before.samples):
            lines += _labelled(f"step {before.step}", before.samples[number].text, "muted", "muted", width)
        lines += _labelled(f"step {now.step}", sample.text, "info", "text", width)
        lines += _wanted(sample, width)
    return lines


def event_lines(view: RunView, width: int) -> list[Line]:
    """Events, oldest first, with local time and attempt."""
    if not view.events:
        return [((" Nothing happened yet.", "muted"),)]
    return [_event_line(stored, width) for stored in view.events]


def checkpoint_lines(view: RunView, width: int) -> list[Line]:
    """Saved checkpoints, newest first."""
    if not view.checkpoints:
        return [((" No checkpoint yet. Press c to save one now.", "muted"),)]
    lines: list[Line] = [((f" {'step':>8}  {'name':<12} {'why':<10} {'kept':<9} where", "title"),)]
    for saved in reversed(view.checkpoints):
        kept = "always" if saved.expires_at is None else duration_text(max(saved.expires_at - view.updated_at, 0.0))
        adopted = " (found again after a crash)" if saved.adopted else ""
        lines.append(
            (
                (f" {saved.step:>8}  ", "strong"),
                (f"{fit(saved.name, 12)} ", "text"),
                (f"{saved.reason:<10} {kept:<9} ", "muted"),
                (fit(saved.state_path + adopted, max(width - 45, 8)).rstrip(), "muted"),
            )
        )
    return lines


def log_lines(text: str, width: int) -> list[Line]:
    """The end of the worker's log."""
    safe = plain_text(text).rstrip()
    if not safe:
        return [((" The worker has written nothing.", "muted"),)]
    return [((f" {fit(line, width - 2).rstrip()}", _log_ink(line)),) for line in safe.split("\n")[-_LOG_LINES:]]


def _step_strip(taken: Sequence[SamplesTaken], index: int, width: int) -> Line:
    spans: list[Span] = [(" samples at step ", "muted")]
    room = width - 40
    first = max(0, index - max(room // 7, 1) + 1)
    if first:
        spans.append(("… ", "muted"))
    for i, at in enumerate(taken[first:], first):
        text = f"{at.step}"
        room -= len(text) + 1
        if room < 0:
            spans.append(("…", "muted"))
            break
        spans += [(text, "pick" if i == index else "muted"), (" ", "text")]
    spans.append((" , and . step through", "muted"))
    return tuple(spans)


def _labelled(label: str, text: str, label_ink: str, ink: str, width: int, *, most: int = _TEXT_LINES) -> list[Line]:
    lines = wrapped(text.strip() or "(nothing)", width - _LABEL_WIDTH - 3, most=most)
    heads = [f" {label:>{_LABEL_WIDTH}} ", *[" " * (_LABEL_WIDTH + 2)] * (len(lines) - 1)]
    return [((head, label_ink), (line, ink)) for head, line in zip(heads, lines, strict=True)]


def _wanted(sample: Sample, width: int) -> list[Line]:
    if sample.reference is None:
        return []
    if sample.text.strip() == sample.reference.strip():
        return [((" " * (_LABEL_WIDTH + 2), "text"), ("✓ as wanted", "ok"))]
    return _labelled("wanted", sample.reference, "warn", "muted", width)


def _event_line(stored: StoredEvent, width: int) -> Line:
    clock = time.strftime("%H:%M:%S", time.localtime(stored.at))
    symbol, text, ink = event_text(stored.event)
    return (
        (f" {clock} ", "muted"),
        (f"{stored.attempt:>2} ", "rule"),
        (f"{symbol} ", ink),
        (fit(text, max(width - 16, 8)).rstrip(), "text" if ink == "muted" else ink),
    )


def _log_ink(line: str) -> str:
    low = line.lower()
    if "error" in low or "traceback" in low:
        return "bad"
    return "warn" if "warning" in low else "muted"
