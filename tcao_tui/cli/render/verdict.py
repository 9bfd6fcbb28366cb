"""Which checkpoint is best, as text and as JSON. Pure functions of values."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tcao_tui.cli.render.text import Style, table
from tcao_tui.domain.plain_text import one_line

if TYPE_CHECKING:
    from tcao_tui.domain.statistics.paired import Difference
    from tcao_tui.domain.statistics.verdict import Judged
    from tcao_tui.services.eval_logs import Compared

_HEADER = ("", "MODEL", "SCORE", "AGAINST BASE", "95 % INTERVAL", "P", "BETTER", "WORSE", "", "ITEMS")
_RIGHT = frozenset({2, 3, 5, 6, 7})
_COLOURS = {"better": "green", "worse": "red", "cannot tell": "yellow", "left out": "yellow"}


def verdict_lines(found: Compared, style: Style) -> list[str]:
    """The table, what is best and how sure that is, and what was left out and why."""
    verdict, base = found.verdict, found.names[0]
    judged = {one.checkpoint: one for one in verdict.judged}
    rows = [
        (
            "*" if name == verdict.recommended else "",
            one_line(name, 48),
            _score(found, name),
            *(_against(judged[name]) if name in judged else ("-", "-", "-", "-", "-", "base")),
            log.counts,
        )
        for name, log in zip(found.names, found.logs, strict=True)
    ]
    lines = [one_line(f"{found.task.name}, scored by {found.logs[0].scorer}"), *table(_HEADER, rows, right=_RIGHT), ""]
    lines += [_answer(found, base, style)]
    lines += [
        style(one_line(f"left out: {one.checkpoint}: {one.why}", 200), _COLOURS["left out"])
        for one in verdict.judged
        if one.why
    ]
    shortest = min(len(log.items) for log in found.logs)
    detectable = [one.gain.detectable() for one in verdict.judged if one.gain.is_known]
    if known := [value for value in detectable if math.isfinite(value)]:
        lines.append(
            f"a difference of {_points(max(known)).lstrip('+')} would be found on {shortest:,} items in 4 of 5 cases"
        )
    return lines


def verdict_dict(found: Compared) -> dict[str, Any]:
    """A verdict for scripts; what is not known is null."""
    verdict = found.verdict
    return {
        "task": found.task.name,
        "scorer": found.logs[0].scorer,
        "base": found.names[0],
        "recommended": verdict.recommended,
        "outcome": verdict.outcome,
        "alike": verdict.alike,
        "quoted": None if verdict.quoted is None else _plain(verdict.quoted),
        "items_to_tell": verdict.more_items,
        "logs": [
            {
                "name": name,
                "path": log.path,
                "checkpoint": log.checkpoint or None,
                "items": len(log.items),
                "planned": log.planned,
                "unusable": log.unusable,
            }
            for name, log in zip(found.names, found.logs, strict=True)
        ],
        "judged": [
            {"name": one.checkpoint, "outcome": one.outcome, "p_value": one.p_value, "why": one.why or None}
            | _plain(one.gain)
            for one in verdict.judged
        ],
    }


def _answer(found: Compared, base: str, style: Style) -> str:
    verdict = found.verdict
    if verdict.alike and verdict.recommended == base:
        more = f"; {verdict.more_items:,} items would, were it what it seems" if verdict.more_items else ""
        return style(f"cannot tell {', '.join(map(one_line, verdict.alike))} from {one_line(base)}{more}", "yellow")
    if verdict.recommended == base:
        return style(f"nothing is better than {one_line(base)}", "yellow", bold=True)
    assert verdict.quoted is not None
    quoted = verdict.quoted
    alike = f"; not told from it: {', '.join(map(one_line, verdict.alike))}" if verdict.alike else ""
    sure = f", {_points(quoted.low)} to {_points(quoted.high)}" if quoted.is_known else ""
    best = style(f"best: {one_line(verdict.recommended)}", "green", bold=True)
    return f"{best}, {_points(quoted.mean)}{sure} on {quoted.items:,} items that choosing did not see{alike}"


def _score(found: Compared, name: str) -> str:
    scores = found.task.scores[name]
    level = found.task.level(name, list(scores))
    return f"{abs(level):.3g}" if math.isfinite(level) else "-"


def _against(one: Judged) -> tuple[str, str, str, str, str, str]:
    gain = one.gain
    interval = f"{_points(gain.low)} to {_points(gain.high)}" if gain.is_known else "unknown"
    mean = _points(gain.mean) if math.isfinite(gain.mean) else "unknown"
    return mean, interval, f"{one.p_value:.2g}", str(gain.wins), str(gain.losses), one.outcome


def _points(value: float) -> str:
    """A difference of scores from 0 to 1 in points."""
    return f"{100 * value:+.1f}"


def _plain(gain: Difference) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value for key, value in asdict(gain).items()
    }
