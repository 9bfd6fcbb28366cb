"""Lines of the open card for a width. Pure; text of planners and data is made safe here."""

from __future__ import annotations

from rich.cells import cell_len

from tcao_tui.domain.questions import Question
from tcao_tui.tui.panes.planner.block_lines import answer_label
from tcao_tui.tui.panes.planner.card_form import CardForm, Row
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import fit, wrapped

_INDENT = 5
_WHY_LINES = 3
_RECOMMENDED = "  recommended"


def card_lines(form: CardForm, width: int) -> tuple[list[Line], int]:
    """All questions, the active one with its rows.

    Returns:
        The lines, and the place of the line with the cursor.
    """
    lines: list[Line] = []
    at = 0
    for place, question in enumerate(form.card.questions):
        if place != form.active:
            lines.append(_folded(form, question, width))
            continue
        lines += _asked(question, width)
        rows, cursor = _rows(form, width)
        at = len(lines) + cursor
        lines += rows
    return lines, at


def _folded(form: CardForm, question: Question, width: int) -> Line:
    answer = form.given.get(question.id)
    if answer is None:
        return ((" ○ ", "muted"), (fit(question.text, width - 4).rstrip(), "muted"))
    text = fit(answer_label(question, answer.value), max(width // 3, 8)).rstrip()
    return (
        (" ✓ ", "ok"),
        (fit(question.text, width - len(text) - 6).rstrip(), "muted"),
        ("  ", "text"),
        (text, "text"),
    )


def _asked(question: Question, width: int) -> list[Line]:
    text = wrapped(question.text, width - 4, most=3)
    lines: list[Line] = [((" ● " if i == 0 else "   ", "info"), (line, "strong")) for i, line in enumerate(text)]
    for quote in question.quotes:
        said = wrapped(f"you said or saw: “{quote}”", width - _INDENT, most=2)
        lines += [(("   ", "text"), (line, "warn")) for line in said]
    if question.why:
        lines += [(("   ", "text"), (line, "muted")) for line in wrapped(question.why, width - _INDENT, most=2)]
    return lines


def _rows(form: CardForm, width: int) -> tuple[list[Line], int]:
    """The rows; the height stays the same wherever the cursor is, so that nothing jumps."""
    lines: list[Line] = []
    at, extra = 0, 0
    for number, row in enumerate(form.rows):
        here = number == form.cursor
        why = wrapped(row.option.why, width - 9, most=_WHY_LINES) if row.option and row.option.why else []
        extra = max(extra, len(why))
        if here:
            at = len(lines)
        lines.append(_row(form, number, row, width, why_inline="" if here else " ".join(why)))
        if here:
            lines += [((" " * 8, "text"), (line, "muted")) for line in why]
    shown = sum(1 for _ in lines) - len(form.rows)
    return [*lines, *[()] * (extra - shown)], at


def _row(form: CardForm, number: int, row: Row, width: int, *, why_inline: str) -> Line:
    here = number == form.cursor
    mark = " ❯ " if here else "   "
    digit = f"{number + 1} " if number < 9 and form.question.kind in ("one", "many", "file") else ""
    label, ink = _label(form, number, row)
    praise = _RECOMMENDED if row.option is not None and number == 0 and len(form.question.options) > 1 else ""
    label = fit(label, width - 7 - len(digit) - len(praise)).rstrip()
    spans: list[Span] = [
        (mark, "info"),
        ("  ", "text"),
        (digit, "info" if here else "muted"),
        (label, "strong" if here and ink == "text" else ink),
        (praise, "ok"),
    ]
    used = sum(cell_len(text) for text, _ink in spans)
    if why_inline and width - used > 24:
        spans.append((f"  {fit(why_inline, width - used - 3).rstrip()}", "muted"))
    return tuple(spans)


def _label(form: CardForm, number: int, row: Row) -> tuple[str, str]:
    match row.kind:
        case "option" if row.option is not None:
            tick = ("[x] " if number in form.picked else "[ ] ") if form.question.kind == "many" else ""
            return f"{tick}{row.option.label}", "text"
        case "rest":
            return "use defaults for the rest", "muted"
        case _:
            return _OTHER[form.question.kind], "muted"


_OTHER = {
    "text": "type your answer below",
    "one": "another answer: type it below",
    "many": "another answer: type it below",
    "file": "another file: type its path below, Tab completes",
    "number": "another number: type it below",
}
