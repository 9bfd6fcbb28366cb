"""Lines of transcript blocks for a width. Pure; all foreign text is made safe here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.questions import Answer, Question
from tcao_tui.tui.panes.planner.blocks import AskedCard, Note, ToolCall, Words
from tcao_tui.tui.panes.planner.values import json_lines, value_key, value_text
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import fit, wrapped

_TOOL_SIGNS: dict[str, tuple[str, str]] = {
    "running": ("◌", "info"),
    "done": ("✓", "ok"),
    "failed": ("✗", "bad"),
    "interrupted": ("‖", "warn"),
}
_DETAIL_LINES = 60


def words_lines(words: Words, width: int) -> list[Line]:
    """Words of the person behind a prompt sign, of the console behind a dot."""
    sign, sign_ink, ink = ("❯", "info", "strong") if words.who == "you" else ("·", "muted", "muted")
    lines = wrapped(words.text.strip(), width - 4)
    return [((f" {sign} " if i == 0 else "   ", sign_ink), (line, ink)) for i, line in enumerate(lines)]


def note_lines(note: Note, width: int) -> list[Line]:
    """Symbol and sentence."""
    lines = wrapped(note.text, width - 4, most=4)
    return [((f" {note.sign} " if i == 0 else "   ", note.ink), (line, note.ink)) for i, line in enumerate(lines)]


def tool_lines(call: ToolCall, width: int, *, progress: str = "", is_open: bool = False) -> list[Line]:
    """One line: how it ended, the tool, what it worked on, what came of it, seconds; open also arguments and result.

    Args:
        call: The tool.
        width: Cells across.
        progress: How far a running one is.
        is_open: Whether to show everything.
    """
    sign, ink = _TOOL_SIGNS[call.status]
    took = f"{call.seconds:.1f}s" if call.status in ("done", "failed") else call.status
    name = one_line(call.tool, 28)
    room = max(width - len(name) - len(took) - 7, 8)
    outcome = progress or _outcome(call)
    what = fit(" ".join(part for part in (_subject(call.arguments), outcome and f"→ {outcome}") if part), room)
    head: list[Span] = [(f" {sign} ", ink), (name, "text"), (f"  {what} ", "muted"), (took, "muted")]
    return [tuple(head), *(_details(call, width) if is_open else ())]


def _subject(arguments: Mapping[str, Any]) -> str:
    values = [value for value in arguments.values() if isinstance(value, str | int | float) and value != ""]
    return ", ".join(_short(value) for value in values[:3])


def _short(value: object) -> str:
    """A path by its last part, since the end of a path tells more than its beginning."""
    text = value_text(value)
    is_path = text.startswith(("/", "./", "~/", "../")) and " " not in text
    return one_line(text.rstrip("/").rpartition("/")[2] if is_path else text, 60)


def _outcome(call: ToolCall) -> str:
    if call.result is None:
        return ""
    if call.status == "failed":
        return _first_error(call.result)
    facts = (_fact(key, value) for key, value in call.result.items() if key != "ok")
    return ", ".join(fact for fact in facts if fact)


def _fact(key: str, value: object) -> str:
    """One field of a result in words: `1,500 rows`, `chat`, `is ready`; empty where that would tell little."""
    words = one_line(key.replace("_", " "))
    match value:
        case bool():
            return words if value else ""
        case int():
            return f"{value:,} {words}"
        case str():
            return "" if "://" in value else one_line(value, 40)
        case [int(), *_]:
            return f"{value_text(value)} {words}"
        case _:
            return ""


def _first_error(result: Mapping[str, Any]) -> str:
    errors = result.get("errors")
    if not isinstance(errors, list) or not errors:
        return "failed"
    first = cast("list[Any]", errors)[0]
    if not isinstance(first, Mapping):
        return value_text(first, 120)
    parts = cast("Mapping[str, Any]", first)
    path, got, fix = (value_text(parts.get(key) or "") for key in ("path", "got", "fix"))
    return f"{path}: {got}; {fix}"


def _details(call: ToolCall, width: int) -> list[Line]:
    lines: list[Line] = []
    for title, value in (("arguments", call.arguments), ("result", call.result)):
        if value is None:
            continue
        lines.append(((f"   {title}", "title"),))
        text = [part for line in json_lines(value) for part in wrapped(line, width - 8)]
        lines += [(("   │ ", "rule"), (line, "muted")) for line in text[:_DETAIL_LINES]]
        if len(text) > _DETAIL_LINES:
            lines.append(((f"   │ and {len(text) - _DETAIL_LINES} lines more; /copy tool takes all", "rule"),))
    return lines


def asked_lines(asked: AskedCard, width: int) -> list[Line]:
    """A card that was asked: question by question, with what was answered."""
    given = {answer.question: answer for answer in asked.answers or ()}
    lines: list[Line] = []
    for question in asked.card.questions:
        first, *more = wrapped(question.text, width - 4, most=3)
        lines.append(((" ? ", "accent"), (first, "text")))
        lines += [(("   ", "text"), (line, "text")) for line in more]
        text, ink = _answer_text(question, given.get(question.id), asked)
        lines += [
            (("   ❯ " if i == 0 else "     ", "info"), (line, ink))
            for i, line in enumerate(wrapped(text, width - 6, most=4))
        ]
    return lines


def _answer_text(question: Question, answer: Answer | None, asked: AskedCard) -> tuple[str, str]:
    if answer is None or answer.defaulted:
        if not asked.defaults_for_rest and answer is None:
            return "not answered", "muted"
        return f"default: {answer_label(question, question.default)}", "muted"
    return answer_label(question, answer.value), "strong"


def answer_label(question: Question, value: object) -> str:
    """A value as the options call it, with the unit of the question."""
    labels = {value_key(option.value): option.label for option in question.options}
    if isinstance(value, list | tuple) and question.kind == "many":
        return ", ".join(labels.get(value_key(each), value_text(each)) for each in cast("list[Any]", value)) or "none"
    text = labels.get(value_key(value), value_text(value))
    return f"{text} {question.unit}" if question.unit and isinstance(value, int | float) else text
