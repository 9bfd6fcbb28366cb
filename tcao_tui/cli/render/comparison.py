"""A comparison of runs as text and as JSON. Pure functions of values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tcao_tui.cli.render.chart import COLOURS, LETTERS, chart_lines
from tcao_tui.cli.render.text import Style, table
from tcao_tui.domain.comparison import ABSENT, AXIS_WORDS, Comparison, Standing, headline_of
from tcao_tui.domain.headlines import Headline
from tcao_tui.domain.plain_text import one_line, plain_text
from tcao_tui.domain.sweep import value_text
from tcao_tui.domain.wording import UNKNOWN, count_text, duration_text, money_text

_VALUE_WIDTH = 28


def comparison_lines(found: Comparison, style: Style, *, width: int, height: int, colours: bool) -> list[str]:
    """Chart, legend, where each run ended and was best, and what differs in the plans."""
    drawn = [list(zip(track.x, track.y, strict=True)) for track in found.tracks]
    chart = chart_lines(drawn, width=width, height=height, style=style if colours else None)
    lines = [f"{style(found.metric.key, bold=True)} by {AXIS_WORDS[found.axis]}", *chart]
    lines += ["" if chart else "no curve can be drawn", *_legend(found, style, colours=colours), ""]
    lines += _standing_lines(found, style)
    lines += ["", *_difference_lines(found, style)]
    return lines + [f"note: {plain_text(note)}" for note in found.notes]


def comparison_dict(found: Comparison) -> dict[str, Any]:
    """A comparison for scripts."""
    return {
        "axis": found.axis,
        "metric": found.metric.key,
        "better": found.metric.better,
        "runs": [
            {
                "label": run.label,
                "run_id": run.view.run_id,
                "status": str(run.view.status),
                "step": run.view.step,
                "tokens": run.view.tokens,
                "cost_usd": run.view.cost_usd,
                "elapsed_seconds": run.view.elapsed_seconds,
                "points": list(zip(track.x, track.y, strict=True)),
                "why_empty": track.why_empty or None,
            }
            for run, track in zip(found.runs, found.tracks, strict=True)
        ],
        "standings": {key: [asdict(standing) for standing in own] for key, own in found.standings.items()},
        "differences": [{"path": d.path, "values": list(d.values)} for d in found.differences],
        "notes": list(found.notes),
    }


def _sign(number: int, style: Style, *, colours: bool) -> str:
    return style("━", COLOURS[number % len(COLOURS)]) if colours else LETTERS[number]


def _legend(found: Comparison, style: Style, *, colours: bool) -> list[str]:
    rows = [
        (
            one_line(run.label, 48),
            str(run.view.status),
            f"step {run.view.step}/{run.view.total_steps}",
            f"{count_text(run.view.tokens)} tokens",
            duration_text(run.view.elapsed_seconds),
            money_text(run.view.cost_usd),
            track.why_empty,
        )
        for run, track in zip(found.runs, found.tracks, strict=True)
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    told = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [f"{_sign(number, style, colours=colours)} {text}" for number, text in enumerate(told)]


def _standing_lines(found: Comparison, style: Style) -> list[str]:
    header = ("METRIC", *(f"{one_line(run.label, _VALUE_WIDTH)}" for run in found.runs))
    rows: list[tuple[str, ...]] = []
    for key, standings in found.standings.items():
        metric = headline_of(key)
        rows.append((one_line(key, 32), *(metric.text(standing.last) for standing in standings)))
        if metric.better is not None:
            rows.append((f"  best ({metric.better} is better)", *_bests(standings, metric)))
    lines = table(header, rows, right=frozenset(range(1, len(header))))
    return [style(lines[0].rstrip(), dim=True), *(line.rstrip() for line in lines[1:])]


def _bests(standings: tuple[Standing, ...], metric: Headline) -> list[str]:
    """Each run's best with its step; the best of all is starred, unless all are alike."""
    known = {s.best for s in standings if s.best is not None}
    top = (max if metric.better == "higher" else min)(known) if len(known) > 1 else None
    return [
        UNKNOWN if s.best is None else f"{'*' if s.best == top else ''}{metric.text(s.best)} @{s.best_step}"
        for s in standings
    ]


def _difference_lines(found: Comparison, style: Style) -> list[str]:
    if not any(run.settings for run in found.runs):
        return ["no plans to compare"]
    if not found.differences:
        return ["the plans are the same but for their names"]
    header = ("WHAT DIFFERS", *(one_line(run.label, _VALUE_WIDTH) for run in found.runs))
    rows = [(one_line(d.path, 48), *(_value(value) for value in d.values)) for d in found.differences]
    lines = table(header, rows)
    return [style(lines[0].rstrip(), dim=True), *(line.rstrip() for line in lines[1:])]


def _value(value: object) -> str:
    return UNKNOWN if value == ABSENT else one_line(value_text(value), _VALUE_WIDTH)
