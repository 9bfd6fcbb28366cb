"""Stages, alerts, the pilot and changed settings of a run as marks on a chart and as lines beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tcao_tui.domain.marks import Marks
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.run_view import RunStatus, RunView
from tcao_tui.domain.wording import number_text
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.plot import Ink, Mark
from tcao_tui.tui.widgets.text_block import wrapped

if TYPE_CHECKING:  # the console paints before pydantic has been imported
    from tcao_tui.domain.training_events import Alert, StageStarted

_SIGNS = {"critical": ("▲", "bad", Ink.ALERT), "warning": ("△", "warn", Ink.CURSOR), "note": ("▵", "info", Ink.TEXT)}
_STAGE, _CHANGE, _PILOT = "▷", "±", "◈"
_NAME_WIDTH = 24


def chart_marks(marks: Marks) -> tuple[Mark, ...]:
    """Borders of stages and of the pilot, changed settings and, on top, alerts."""
    found = [Mark(stage.first_step, _STAGE, is_border=True) for stage in marks.stages if stage.index]
    if marks.pilot is not None:
        found.append(Mark(marks.pilot.step, _PILOT, is_border=True))
    found += [Mark(change.step, _CHANGE, is_border=True) for change in marks.changes]
    return (*found, *(Mark(alert.step, _SIGNS[alert.severity][0], _SIGNS[alert.severity][2]) for alert in marks.alerts))


def legend_row(marks: Marks, width: int) -> Line:
    """What the marks mean that are on the chart; empty without any, and what does not fit is left out."""
    entries = [
        (symbol, ink, f"{len(found)} {severity}")
        for severity, (symbol, ink, _) in _SIGNS.items()
        if (found := [alert for alert in marks.alerts if alert.severity == severity])
    ]
    entries += [(_STAGE, "accent", "next stage")] if len(marks.stages) > 1 else []
    if marks.pilot is not None:
        entries.append((_PILOT, "accent", f"pilot {'passed' if marks.pilot.passed else 'did not pass'}"))
    entries += [(_CHANGE, "accent", f"{c.key} {number_text(c.value)} from {c.step}") for c in marks.changes[:-4:-1]]
    spans: list[Span] = [("  marks ", "muted")]
    room = width - cell_len(spans[0][0])
    for symbol, ink, text in entries:
        room -= len(text) + 4
        if room >= 0:
            spans += [(f"{symbol} ", ink), (f"{text}  ", "muted")]
    return tuple(spans) if len(spans) > 1 else ()


def alerts_span(marks: Marks) -> Span | None:
    """`▲ 3 alerts`, marked by the gravest; None without any."""
    if not marks.alerts:
        return None
    gravest = next(s for s in _SIGNS if any(alert.severity == s for alert in marks.alerts))
    symbol, ink, _ = _SIGNS[gravest]
    count = len(marks.alerts)
    return f"{symbol} {count} alert{'s' if count > 1 else ''}", ink


def newest_critical(marks: Marks) -> Alert | None:
    """The critical alert that came last."""
    return next((alert for alert in reversed(marks.alerts) if alert.severity == "critical"), None)


def alert_text(alert: Alert) -> str:
    """`loss explosion at step 31: evidence`."""
    return f"{alert.rule.replace('_', ' ')} at step {alert.step}: {alert.evidence}"


def alert_lines(marks: Marks, width: int) -> list[Line]:
    """All alerts, newest first, each with its evidence, what the worker did and what to change."""
    if not marks.alerts:
        return [((" No alerts: no watch rule has found anything.", "muted"),)]
    return [line for alert in reversed(marks.alerts) for line in _alert_lines(alert, width)]


def _alert_lines(alert: Alert, width: int) -> list[Line]:
    symbol, ink, _ = _SIGNS[alert.severity]
    done = "" if alert.action == "note" else f"  ({one_line(alert.action, 40)})"
    head: Line = (
        (f" {symbol} {alert.severity:<8} ", ink),
        (f"step {alert.step:<6} ", "strong"),
        (one_line(alert.rule.replace("_", " "), 40), "strong"),
        (done, "muted"),
    )
    lines: list[Line] = [head, *((("   ", "text"), (text, "text")) for text in wrapped(alert.evidence, width - 5))]
    if alert.suggestion:
        first, *rest = wrapped(alert.suggestion, width - 8)
        lines.append((("   → ", "accent"), (first, "muted")))
        lines += [(("     ", "text"), (text, "muted")) for text in rest]
    return lines


def pilot_words(marks: Marks) -> str:
    """What came of the pilot; empty when there was none."""
    if marks.pilot is None:
        return ""
    from tcao_tui.domain.pilot import pilot_text  # imports pydantic, as whoever folded the pilot's event has

    if marks.pilot.passed:
        return f"pilot passed: {pilot_text(marks.pilot)}"
    return f"The pilot of {marks.pilot.step} steps did not pass: {'; '.join(marks.pilot.findings)}"


def range_words(marks: Marks, *, passed: bool) -> str:
    """What came of the range test, where it passed, or did not, as asked; else empty."""
    test = marks.range_test
    if test is None or test.tested is None or test.tested.passed is not passed:
        return ""
    return f"range test: {test.tested.sentence if passed else test.tested.finding}"


def range_test_lines(marks: Marks, width: int) -> list[Line]:
    """The cells of the pilot's range test, and what they say."""
    if marks.range_test is None:
        return [((" No range test: the plan's pilot asks for none.", "muted"),)]
    from tcao_tui.domain.pilot_range import range_lines  # imports pydantic, as whoever folded its events has

    lines: list[Line] = [((f" {one_line(line, width - 2)}", "text"),) for line in range_lines(marks.range_test)]
    if (tested := marks.range_test.tested) is not None:
        told = [("ok", tested.sentence)] + ([("warn", tested.finding)] if tested.finding else [])
        lines += [((f" {text}", ink),) for ink, said in told for text in wrapped(said, width - 2)]
    return lines


def rail_line(view: RunView, width: int, names: Sequence[str] = ()) -> Line:
    """`✓ sft › ▶ preference 12/40 › ○ rl`; empty for a run of one training.

    Args:
        view: The run.
        width: Cells across.
        names: Of all stages; without them those to come are counted.
    """
    stages = view.marks.stages
    if not stages or stages[-1].stages < 2:
        return ()
    for detail in (2, 1, 0):
        spans = _rail(view, stages, names if detail else (), detail)
        if sum(cell_len(text) for text, _ in spans) <= width:
            return tuple(spans)
    return tuple(_rail(view, stages[-1:], (), 0))


def _rail(view: RunView, stages: Sequence[StageStarted], names: Sequence[str], detail: int) -> list[Span]:
    spans: list[Span] = [(" ", "text")]
    for stage in stages:
        is_over = stage is not stages[-1] or view.status is RunStatus.COMPLETED
        ended = view.marks.ended.get(stage.index)
        left_out = 0 if ended is None else ended.last_step - ended.step
        done = stage.num_steps - left_out if is_over else max(view.step - stage.first_step, 0)
        method = f" ({stage.method})" if detail == 2 and stage.method != stage.name else ""
        count = f" {done}/{stage.num_steps}" if detail or not is_over else ""
        spans.append((f"{'✓' if is_over else '▶'} {one_line(stage.name, _NAME_WIDTH)}", "ok" if is_over else "strong"))
        spans += [(f"{method}{count}", "muted"), (" › ", "rule")]
    if left := stages[-1].stages - stages[-1].index - 1:
        ahead = " › ".join(f"○ {one_line(name, _NAME_WIDTH)}" for name in names[-left:]) or f"○ {left} to come"
        return [*spans, (ahead, "muted")]
    return spans[:-1]
