"""A sweep as text and as JSON: what is proposed, and the table of its cells. Pure functions of values."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tcao_tui.cli.render.text import STATUS_COLOURS, Style, table
from tcao_tui.domain.checks.cost import range_text
from tcao_tui.domain.plain_text import one_line, plain_text
from tcao_tui.domain.sweep import short_key, value_text, varied
from tcao_tui.domain.sweep_table import PROBLEM, CellRow, SweepTable
from tcao_tui.domain.wording import count_text, money_text, number_text, share_text

if TYPE_CHECKING:
    from tcao_tui.services.sweep import SweepProposal

_LOSSES = {"train_mean_nll", "val_mean_nll", "score"}


def sweep_proposal_lines(proposal: SweepProposal) -> list[str]:
    """The cells with what each may cost, what is odd, the total and the hash, before consent."""
    keys = varied([cell.overrides for cell, _ in proposal.cells])
    rows = [
        (
            str(cell.index),
            *_values(dict(cell.overrides), keys),
            str(judged.plan.training.num_steps),
            range_text(judged.cost.total),
        )
        for cell, judged in proposal.cells
    ]
    header = ("CELL", *(one_line(short_key(key), 24).upper() for key in keys), "STEPS", "COST")
    lines = [line.rstrip() for line in table(header, rows)]
    warnings = [f"warning: {one_line(f'{w.path}: {w.got}; expected {w.expected}', 160)}" for w in proposal.warnings]
    facts = [
        f"sweep    {proposal.name}: {len(proposal.cells)} runs",
        f"backend  {proposal.profile.name} ({plain_text(proposal.profile.why)})",
        f"total    {range_text(proposal.cost)}",
        f"hash     {proposal.hash}",
    ]
    return ["", *(f"  {line}".rstrip() for line in (*lines, "", *warnings, *facts)), ""]


def sweep_lines(found: SweepTable, style: Style) -> list[str]:
    """The table of a sweep, and what it says."""
    own = found.measure.key not in _LOSSES
    header = ["", "CELL", *(one_line(short_key(key), 24).upper() for key in found.keys), "STATUS", "STEP"]
    header += ["LOSS", "VAL", "SCORE", *([found.measure.word.upper()] if own else []), "COST", "RUN"]
    first = 2 + len(found.keys)
    numbers = frozenset(range(first + 1, len(header) - 1))
    lines = table(header, [_cells(row, found, own) for row in found.rows], right=numbers)
    shown = [f"{style(one_line(found.name), bold=True)}  {_state(found)}", "", style(lines[0].rstrip(), dim=True)]
    for row, line in zip(found.rows, lines[1:], strict=True):
        before, status, after = line.partition(f"  {row.status}  ")
        coloured = style(row.status, STATUS_COLOURS.get(row.status, "red" if row.status == PROBLEM else None))
        text = f"{before}  {coloured}  {after}" if status else line
        shown.append(style(text.rstrip(), bold=True) if row.is_best else text.rstrip())
    shown += ["", plain_text(found.verdict)]
    return shown + [f"cell {row.index}: {one_line(row.problem, 300)}" for row in found.rows if row.problem]


def sweep_dict(found: SweepTable) -> dict[str, Any]:
    """A sweep for scripts."""
    cells = [{**asdict(row), "overrides": dict(row.overrides)} for row in found.rows]
    return {
        "name": found.name,
        "keys": list(found.keys),
        "by": found.measure.key,
        "better": found.measure.better,
        "best": [row.index for row in found.best],
        "verdict": found.verdict,
        "is_over": found.is_over,
        "is_driven": found.is_driven,
        "cost_usd": found.cost_usd,
        "cells": cells,
    }


def _state(found: SweepTable) -> str:
    over = sum(row.is_over for row in found.rows)
    at_work = "a sweeper is at work" if found.is_driven else "no sweeper is at work" if not found.is_over else ""
    tokens = count_text(sum(row.tokens for row in found.rows))
    parts = [f"{over} of {len(found.rows)} cells over", f"{tokens} tokens", money_text(found.cost_usd), at_work]
    return ", ".join(part for part in parts if part)


def _cells(row: CellRow, found: SweepTable, own: bool) -> list[str]:
    return [
        "*" if row.is_best else "",
        str(row.index),
        *_values(dict(row.overrides), found.keys),
        row.status,
        f"{row.step}/{row.total_steps}",
        number_text(row.train_loss),
        number_text(row.val_loss),
        share_text(row.score),
        *([found.measure.text(row.value)] if own else []),
        money_text(row.cost_usd) if row.run_id else "-",
        one_line(row.run_id) or "-",
    ]


def _values(overrides: dict[str, Any], keys: list[str] | tuple[str, ...]) -> list[str]:
    return [one_line(value_text(overrides[key]), 32) if key in overrides else "-" for key in keys]
