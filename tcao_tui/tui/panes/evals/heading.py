"""The top of the evaluations: how far they are, and which checkpoint is to be used and how sure that is. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from tcao_tui.domain.eval_matrix import EvalMatrix, Selection
from tcao_tui.domain.evaluation import CellRecord, CellState
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import duration_text, money_text
from tcao_tui.tui.panes.evals.names import Scale, scale_of, subject_names, task_names
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.sentences import hanging_lines
from tcao_tui.tui.widgets.text_block import fit

FIRST_USE: tuple[Line, ...] = (
    (("  Nothing is evaluated yet.", "strong"),),
    (),
    (("  n ", "info"), ("evaluates the checkpoints of this run beside its base model", "text")),
    (("  o ", "info"), ("opens Inspect logs that were made elsewhere", "text")),
    (),
    (("  or in a shell:  tcao eval RUN", "muted"),),
    (("                  tcao eval open BASE.eval OTHER.eval ...", "muted"),),
)

_COUNTED = (CellState.FAILED, CellState.LOST, CellState.PARTIAL, CellState.CANCELLED)
_MOST_LINES = 4


def seconds_left(record: CellRecord, now: float) -> float | None:
    """Until a cell is done, at the pace so far; None where that cannot be told."""
    counts = record.counts
    if not record.state.is_live or not counts.completed or record.started_at is None or record.tried > 1:
        return None
    return (now - record.started_at) / counts.completed * max(counts.planned - counts.completed, 0)


def title_line(matrix: EvalMatrix, doing: str, width: int, now: float) -> Line:
    """`demo  4 subjects × 5 tasks · 12 of 20 cells done · 2 running · about 3m05s more · $0.12`."""
    records = [cell.record for cell in matrix.cells.values()]
    states = Counter(record.state for record in records)
    live = [record for record in records if record.state.is_live]
    left = [seconds for record in live if (seconds := seconds_left(record, now)) is not None]
    costs = [usd for record in records for usd in (record.usage.usd, record.usage.judge_usd)]
    parts = [
        f"{len(matrix.subjects)} subjects × {len(matrix.tasks)} tasks",
        f"{states[CellState.DONE]} of {len(records)} cells done",
        f"{len(live)} running" if live else "",
        *(f"{states[state]} {state}" for state in _COUNTED if states[state]),
        f"running cells take about {duration_text(max(left))} more" if left else "",
        money_text(None if None in costs else sum(usd for usd in costs if usd is not None)),
    ]
    waits = sum(not record.state.is_over for record in records)
    told: Span = ("", "text")
    if doing:
        told = (f" · {doing}", "accent")
    elif waits and not matrix.is_driven:
        told = (" · nobody goes on: r resumes", "warn")
    name = fit(matrix.title, min(len(matrix.title), width // 3)).rstrip()
    room = max(width - len(name) - len(told[0]) - 3, 8)
    return ((f" {name}  ", "strong"), (fit(" · ".join(p for p in parts if p), room).rstrip(), "muted"), told)


def selection_lines(matrix: EvalMatrix, width: int) -> list[Line]:
    """Which subject is to be used, a person's word first; then why the others are not, and what to know."""
    lines: list[Line] = []
    if (selection := matrix.selection) is not None:
        names = subject_names(matrix.subjects)
        if selection.choice is not None:
            lines += _said("✎", _chosen(selection, names), "accent", width, most=2)
        ink = "ok" if selection.sure == "better" and selection.recommended != matrix.base else "text"
        lines += _said("★", _recommended(matrix, selection, names), ink, width, most=3)
        if others := _others(selection, names):
            lines += _said(" ", f"Not {others}", "muted", width, most=2)
    for note in matrix.notes:
        lines += _said("▲", note, "warn", width, most=2)
    return lines[: _MOST_LINES + 2]


def _said(sign: str, text: str, ink: str, width: int, *, most: int) -> list[Line]:
    return hanging_lines((f" {sign} ", "accent"), text, ink, width - 1, most=most)


def _chosen(selection: Selection, names: dict[str, str]) -> str:
    choice = selection.choice
    assert choice is not None
    when = datetime.fromtimestamp(choice.at, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    who = names.get(choice.subject, choice.subject)
    return f"{who} was chosen by {choice.by} on {when}: {choice.reason}"


def _recommended(matrix: EvalMatrix, selection: Selection, names: dict[str, str]) -> str:
    goal = task_names(matrix.tasks).get(selection.goal, "")
    if not goal:
        return "No verdict: nothing that decides has been measured."
    rule = "The rule would take" if selection.choice is not None else "Use"
    name = names.get(selection.recommended, selection.recommended)
    if selection.recommended == matrix.base:
        if selection.sure == "cannot tell":
            more = f" {selection.more_items:,} items in all would tell." if selection.more_items else ""
            return f"Cannot tell: no checkpoint is better than the base on {goal}, as far as can be told.{more}"
        return f"{rule} the base: no checkpoint is better on {goal}."
    text = f"{rule} {name}: better than the base on {goal}"
    scale = next((scale_of(task, matrix) for task in matrix.tasks if task.name == selection.goal), None)
    if scale is not None and (quoted := selection.quoted) is not None:
        text += f", {gain_text(quoted.mean, quoted.low, quoted.high, scale)} on items that choosing did not see"
    if selection.alike:
        text += f"; {_listed(selection.alike, names)} cannot be told from it"
    return f"{text}."


def gain_text(mean: float, low: float, high: float, scale: Scale) -> str:
    """`+12.0 points (95 % +4.1 to +19.9)`."""
    first, last = (scale.change(bound).removesuffix(" points") for bound in (low, high))
    return f"{scale.change(mean)} (95 % {first} to {last})"


def rule_text(subject: str, matrix: EvalMatrix) -> str:
    """What the rule says of a subject, in a sentence."""
    selection = matrix.selection
    if selection is None:
        return "The rule has no word on it: nothing that decides has been measured."
    if subject == selection.recommended:
        return "The rule recommends it too."
    ruling = next((one for one in selection.rulings if one.subject == subject), None)
    said = (
        f"{ruling.outcome}. {one_line(ruling.why)}" if ruling is not None else "the base, which the others are held to"
    )
    return f"The rule recommends {one_line(selection.recommended)}; of this one it says: {said}"


def _others(selection: Selection, names: dict[str, str]) -> str:
    """`step 20: 12 % unusable; step 40: cannot be told from the base`."""
    told = [
        f"{names.get(ruling.subject, ruling.subject)}: {ruling.why or ruling.outcome}"
        for ruling in selection.rulings
        if ruling.subject != selection.recommended
    ]
    return "; ".join(told)


def _listed(names_of: Sequence[str], names: dict[str, str]) -> str:
    return ", ".join(names.get(name, name) for name in names_of)
