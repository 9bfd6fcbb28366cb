"""A transcript as lines, and two of one sample side by side: what differs has a bar in front. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tcao_tui.domain.plain_text import one_line, plain_text
from tcao_tui.domain.transcript import GivenScore, Transcript, Turn
from tcao_tui.domain.wording import count_text, duration_text
from tcao_tui.tui.widgets.line_view import Line
from tcao_tui.tui.widgets.sentences import hanging_lines
from tcao_tui.tui.widgets.text_block import fit, wrapped

_ROLES = {
    "system": ("⚙ system", "muted"),
    "user": ("❯ user", "info"),
    "assistant": ("◆ assistant", "accent"),
    "tool": ("⚒ tool", "second"),
}
_CUT_OFF = ("max_tokens", "model_length")

_DIFFERS = "▌"


@dataclass(frozen=True, slots=True)
class Reading:
    """One column: a sample of a subject.

    Attributes:
        subject: What people call it.
        read: The transcript; None while it is being read or when there is none.
        problem: Why there is none.
        value: What the cell got for the item, for people.
    """

    subject: str
    read: Transcript | None = None
    problem: str = ""
    value: str = ""


def head_line(reading: Reading, width: int) -> Line:
    """Whose answer it is, and its score."""
    signs = {"C": ("✓ ", "ok"), "I": ("✗ ", "bad")}
    scores = reading.read.scores if reading.read is not None else ()
    sign = signs.get(scores[0].value, ("", "text")) if scores else ("", "text")
    told = reading.value or (one_line(scores[0].value, 12) if scores else "")
    room = max(width - len(told) - len(sign[0]) - 4, 8)
    return ((f" {fit(reading.subject, room).rstrip()}  ", "strong"), sign, (told, "title"))


def facts_lines(reading: Reading, width: int) -> list[Line]:
    """Wanted answer, how it ended, tokens and seconds."""
    read = reading.read
    if read is None:
        told = reading.problem or "reading ..."
        ink = "warn" if reading.problem else "muted"
        return [((f" {line}", ink),) for line in wrapped(told, width - 2)]
    parts = [f"{count_text(read.input_tokens)} tokens in, {count_text(read.output_tokens)} out"]
    parts += [duration_text(read.seconds)] if read.seconds is not None else []
    parts += [f"ended: {one_line(read.stop_reason, 30)}"] if read.stop_reason else []
    lines: list[Line] = [((f" {fit(' · '.join(parts), width - 2).rstrip()}", "muted"),)]
    if read.stop_reason in _CUT_OFF:
        lines.append(((" ▲ cut off at the limit of tokens", "warn"),))
    lines += _labelled("▲ limit", read.limit, "warn", width) + _labelled("✗ error", read.error, "bad", width)
    return lines


def _labelled(label: str, text: str, ink: str, width: int) -> list[Line]:
    if not text.strip():
        return []
    return hanging_lines((f" {label} ", "muted"), text.strip(), ink, width - 1)


def transcript_lines(
    reading: Reading, width: int, *, unfolded: bool, alike: int = 0, other: Transcript | None = None
) -> list[Line]:
    """Everything of one column.

    Args:
        reading: What is read.
        width: Cells.
        unfolded: Whether reasoning and turns that are alike are shown.
        alike: Turns at the beginning that the other column has too.
        other: The other column; what it does not say has a bar in front.
    """
    lines = facts_lines(reading, width)
    if (read := reading.read) is None:
        return lines
    lines += [(), *_labelled("wanted", read.target, "ok", width)] if read.target else []
    shown = read.turns
    if alike and not unfolded:
        lines += [(), ((f" ▸ {alike} messages that both begin with; z unfolds", "muted"),)]
        shown = read.turns[alike:]
    theirs = _lines_of(other.turns) if other is not None else None
    for turn in shown:
        lines += [(), *_turn_lines(turn, width, unfolded=unfolded, theirs=theirs)]
    for score in read.scores:
        lines += [(), *_score_lines(score, width)]
    return lines


def _turn_lines(turn: Turn, width: int, *, unfolded: bool, theirs: Collection[str] | None) -> list[Line]:
    name, ink = _ROLES[turn.role]
    lines: list[Line] = [((f" {name}", ink),)]
    if turn.reasoning.strip():
        if unfolded:
            lines += [((" ▾ reasoning", "muted"),), *_body(turn.reasoning, width, "muted", theirs, indent=3)]
        else:
            lines.append(((f" ▸ reasoning, {len(turn.reasoning.split()):,} words; z unfolds", "muted"),))
    if turn.text.strip():
        lines += _body(turn.text, width, "text", theirs)
    for call in turn.calls:
        lines.append(((f"   → {one_line(call.name, 60)}", "second"),))
        lines += _body(_pretty(call.arguments), width, "muted", theirs, indent=5)
    if not (turn.text.strip() or turn.calls or turn.reasoning.strip()):
        lines.append((("   (nothing)", "muted"),))
    return lines


def _pretty(arguments: str) -> str:
    """JSON that is easy to read; other text as it is."""
    try:
        return json.dumps(json.loads(arguments), indent=1, ensure_ascii=False)
    except ValueError:
        return arguments


def _body(text: str, width: int, ink: str, theirs: Collection[str] | None, indent: int = 3) -> list[Line]:
    lines: list[Line] = []
    for line in plain_text(text.strip()).split("\n"):
        differs = theirs is not None and bool(line.strip()) and line.strip() not in theirs
        bar = (_DIFFERS.rjust(2).ljust(indent), "accent") if differs else (" " * indent, "text")
        lines += [
            (bar, (piece, "strong" if differs and ink == "text" else ink))
            for piece in wrapped(line, width - indent - 1)
        ]
    return lines


def _lines_of(turns: Sequence[Turn]) -> Collection[str]:
    return {
        line.strip()
        for turn in turns
        for text in (turn.text, turn.reasoning, *(_pretty(call.arguments) for call in turn.calls))
        for line in plain_text(text).split("\n")
    }


def _score_lines(score: GivenScore, width: int) -> list[Line]:
    ink = {"C": "ok", "I": "bad"}.get(score.value, "text")
    word = {"C": " (right)", "I": " (wrong)", "P": " (in part)", "N": " (no answer)"}.get(score.value, "")
    head: Line = (
        (" § ", "title"),
        (f"{one_line(score.scorer, 40)}: ", "title"),
        (f"{one_line(score.value, max(width - 50, 20))}{word}", ink),
    )
    lines = [head, *_labelled("  answer", score.answer, "text", width)]
    return [*lines, *_labelled("  because", score.explanation, "text", width)]


def alike_turns(first: Transcript, second: Transcript) -> int:
    """How many turns at the beginning are the same."""
    count = 0
    for ours, theirs in zip(first.turns, second.turns, strict=False):
        if ours != theirs:
            break
        count += 1
    return count
