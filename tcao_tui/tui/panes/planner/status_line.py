"""The line above the composer: what happens now, or what one can do. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.wording import duration_text
from tcao_tui.tui.panes.planner.card_form import CardForm
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import fit

_CARD_KEYS = {
    "one": "↑↓ or a digit chooses, ⏎ takes it",
    "many": "space ticks, ⏎ takes what is ticked",
    "text": "write your answer, ⏎ sends it",
    "file": "write a path, Tab completes, ⏎ sends it",
    "number": "write a number, ⏎ sends it",
}


@dataclass(frozen=True, slots=True)
class Status:
    """What the line is made of.

    Attributes:
        busy_seconds: How long the planner has been working; None when it is the person's turn.
        doing: What it is doing, such as its thinking or a tool's progress.
        wait_seconds: Left of a wait before the planner tries again; None when it does not wait.
        queued: Messages written meanwhile.
        standing: What the plan waits for, when it is finished.
        problem: What is wrong with what was just written; a hint on what is not said otherwise.
    """

    form: CardForm | None = None
    busy_seconds: float | None = None
    doing: str = ""
    wait_seconds: float | None = None
    queued: int = 0
    standing: str = ""
    problem: str = ""


def standing_of(state: InterviewState, sheet: PlanSheet) -> str:
    """What a finished plan waits for; empty while it is not finished."""
    if state.run_id:
        return f"Run {state.run_id} has the plan: ⏎ opens it."
    if state.approved is not None and state.written is not None:
        return f"Approved and written to {state.written.directory}."
    if state.approved is not None:
        return "The plan is approved but not carried out: ⏎ tries again."
    return "The plan is ready: ⏎ on an empty line looks at it and approves." if sheet.is_ready else ""


def status_line(status: Status, width: int) -> Line:
    """The line; empty when there is nothing to say."""
    if status.problem:
        return ((" ! ", "warn"), (fit(status.problem, width - 4).rstrip(), "warn"))
    if status.busy_seconds is not None:
        return _busy(status, width)
    if status.form is not None:
        return ((f" {_card_hint(status.form)}", "muted"),)
    if status.standing:
        return ((f" {fit(status.standing, width - 2).rstrip()}", "ok"),)
    return ((" ⏎ sends, / lists commands, @ names a file", "muted"),)


def _card_hint(form: CardForm) -> str:
    kind = "one" if form.row.option is not None and form.question.kind != "many" else form.question.kind
    turn = "; Tab: next question" if len(form.card.questions) > 1 else ""
    return f"{_CARD_KEYS[kind]}{turn}"


def _busy(status: Status, width: int) -> Line:
    seconds = duration_text(status.busy_seconds)
    end: list[Span] = [(f" {seconds}  esc stops", "muted")]
    if status.queued:
        end.append((f"  {status.queued} waiting", "accent"))
    room = max(width - sum(len(text) for text, _ink in end) - 4, 8)
    if status.wait_seconds is not None:
        what, ink = f"tries again in {duration_text(status.wait_seconds)}: {status.doing}", "warn"
    else:
        what, ink = status.doing, "info"
    return ((" ◌ ", "info"), (fit(one_line(what), room).rstrip(), ink), *end)
