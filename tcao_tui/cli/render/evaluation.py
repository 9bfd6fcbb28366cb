"""An evaluation as text and as JSON: what is proposed, single cells, and the matrix. Pure functions of values."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tcao_tui.cli.render.text import Style, table
from tcao_tui.domain.checks.cost import range_text
from tcao_tui.domain.evaluation import CellKey, CellRecord, CellState
from tcao_tui.domain.plain_text import one_line, plain_text
from tcao_tui.domain.wording import money_text

if TYPE_CHECKING:
    from tcao_tui.domain.eval_matrix import CellView, EvalMatrix, Selection
    from tcao_tui.services.evaluations import EvaluationProposal
    from tcao_tui.store.evaluations import EvaluationSummary

_NAME_WIDTH = 40
_TIME = "%Y-%m-%d %H:%M"


def proposal_lines(proposal: EvaluationProposal) -> list[str]:
    """What is evaluated on what, what it may cost and the hash, before consent."""
    spec = proposal.spec
    rows = [
        (
            str(task.layer),
            one_line(task.name, _NAME_WIDTH),
            "all" if task.limit is None else str(task.limit),
            str(task.epochs),
            one_line(task.judge, _NAME_WIDTH) or "-",
        )
        for task in spec.tasks
    ]
    cap = spec.max_cost_usd
    facts = [
        f"subjects {', '.join(one_line(subject.name, _NAME_WIDTH) for subject in spec.subjects)}",
        f"backend  {proposal.profile.name} ({plain_text(proposal.profile.why)})",
        f"cost     {range_text(proposal.cost)}" + (f", stopped at {money_text(cap)}" if cap is not None else ""),
        f"hash     {proposal.hash}",
    ]
    header = ("LAYER", "TASK", "SAMPLES", "EPOCHS", "JUDGE")
    lines = [line.rstrip() for line in table(header, rows, right=frozenset({2, 3}))]
    return ["", *(f"  {line}".rstrip() for line in (*lines, "", *facts)), ""]


def cell_line(cell: CellRecord) -> str:
    """One line on how far a cell is."""
    problem = f"  {one_line(cell.problem, 200)}" if cell.problem else ""
    return f"{one_line(cell.task, _NAME_WIDTH)} over {one_line(cell.subject, _NAME_WIDTH)}: {progress(cell)}{problem}"


def progress(cell: CellRecord) -> str:
    """`running 12/40, 1 errored, 3 cut off`; what is zero is left out."""
    counts = cell.counts
    done = f" {counts.completed}/{counts.planned}" if counts.planned else ""
    more = ((counts.errored, "errored"), (counts.unscored, "unscored"), (counts.truncated, "cut off"))
    return ", ".join([f"{cell.state}{done}", *(f"{count} {word}" for count, word in more if count)])


def evaluations_lines(found: Sequence[EvaluationSummary], driven: Collection[str]) -> list[str]:
    """The list."""
    rows = [
        (
            one.evaluation_id,
            one_line(one.title, _NAME_WIDTH),
            f"{one.done}/{one.cells}",
            "running" if one.evaluation_id in driven else "done" if one.done == one.cells else "unfinished",
            time.strftime(_TIME, time.localtime(one.created_at)),
        )
        for one in found
    ]
    return [line.rstrip() for line in table(("EVALUATION", "TITLE", "CELLS", "STATE", "CREATED"), rows)]


def matrix_lines(matrix: EvalMatrix, style: Style) -> list[str]:
    """Tasks times subjects, and below what keeps cells from counting and which weights are to be used."""
    header = ["TASK", *(one_line(subject.name, _NAME_WIDTH) for subject in matrix.subjects)]
    rows = [
        [one_line(task.name, _NAME_WIDTH)]
        + [_cell_text(matrix.cells.get(CellKey(task.name, subject.name))) for subject in matrix.subjects]
        for task in matrix.tasks
    ]
    state = "running" if matrix.is_driven else ""
    lines = table(header, rows)
    shown = [f"{style(one_line(matrix.title), bold=True)}  {state}".rstrip(), "", style(lines[0].rstrip(), dim=True)]
    shown += [line.rstrip() for line in lines[1:]]
    problems = [line for view in matrix.cells.values() if (line := _problem(view))]
    shown += ["", *problems] if problems else []
    shown += ["", *(plain_text(note) for note in matrix.notes)] if matrix.notes else []
    return shown + (["", *_selection_lines(matrix.selection)] if matrix.selection else [])


def _selection_lines(selection: Selection) -> list[str]:
    if selection.choice is not None:
        choice = selection.choice
        return [f"chosen: {one_line(choice.subject)} by {one_line(choice.by)}: {one_line(choice.reason, 200)}"]
    alike = f"; cannot be told from {', '.join(map(one_line, selection.alike))}" if selection.alike else ""
    more = f"; about {selection.more_items:,} items would tell" if selection.more_items else ""
    return [f"recommended: {one_line(selection.recommended)} ({selection.sure}{alike}{more})"]


def _cell_text(view: CellView | None) -> str:
    """`0.75 [0.61, 0.86] +0.20 better`, or how far it is."""
    if view is None:
        return "-"
    if view.level is None or not math.isfinite(view.level.mean):
        return progress(view.record)
    level = view.level
    parts = [f"{level.mean:.3f}"]
    if math.isfinite(level.low):
        parts.append(f"[{level.low:.3f}, {level.high:.3f}]")
    if view.gain is not None and math.isfinite(view.gain.mean):
        parts.append(f"{view.gain.mean:+.3f}")
    if view.outcome:
        parts.append(view.outcome)
    if view.record.state is not CellState.DONE:
        parts.append(f"({progress(view.record)})")
    return " ".join(parts)


def _problem(view: CellView) -> str:
    record = view.record
    told = "; ".join(filter(None, (one_line(record.problem, 200), one_line(view.caution, 200))))
    if not told:
        return ""
    step = f"; next: {one_line(record.next_step, 120)}" if record.next_step else ""
    return f"{one_line(record.task, _NAME_WIDTH)} over {one_line(record.subject, _NAME_WIDTH)}: {told}{step}"


def matrix_dict(matrix: EvalMatrix) -> dict[str, Any]:
    """The matrix for scripts."""
    return {
        "title": matrix.title,
        "base": matrix.base,
        "driven": matrix.is_driven,
        "subjects": [subject.model_dump(mode="json") for subject in matrix.subjects],
        "tasks": [task.model_dump(mode="json") | {"identity": task.identity} for task in matrix.tasks],
        "cells": [_view_dict(view) for view in matrix.cells.values()],
        "selection": _selection_dict(matrix.selection) if matrix.selection else None,
        "notes": list(matrix.notes),
    }


def _view_dict(view: CellView) -> dict[str, Any]:
    return {
        **view.record.model_dump(mode="json"),
        "evaluation_id": view.evaluation_id,
        "level": asdict(view.level) if view.level else None,
        "gain": asdict(view.gain) if view.gain else None,
        "p_value": view.p_value,
        "outcome": view.outcome,
        "unusable": view.unusable,
        "caution": view.caution,
    }


def _selection_dict(selection: Selection) -> dict[str, Any]:
    choice = selection.choice.model_dump(mode="json") if selection.choice else None
    return {
        "goal": selection.goal,
        "recommended": selection.recommended,
        "sure": selection.sure,
        "quoted": asdict(selection.quoted) if selection.quoted else None,
        "alike": list(selection.alike),
        "more_items": selection.more_items,
        "rulings": [asdict(ruling) for ruling in selection.rulings],
        "rule": list(selection.rule),
        "trade_offs": list(selection.trade_offs),
        "choice": choice,
    }
