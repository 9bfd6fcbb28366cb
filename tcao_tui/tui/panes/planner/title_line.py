"""The pane's first line: what is planned, who asks, what it cost so far. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tcao_tui.domain.interview import ModelTurn, StoredEntry
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.wording import count_text, money_text
from tcao_tui.tui.panes.planner.blocks import planner_title
from tcao_tui.tui.panes.planner.values import value_text
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import fit


def title_line(state: InterviewState | None, width: int) -> Line:
    """Goal on the left, planner and backend on the right."""
    if state is None:
        return ((" tcao", "info"), ("  opening the interview ...", "muted"))
    capabilities = state.facts.capabilities
    free = ", free" if capabilities is not None and capabilities.is_free else ""
    aside = [
        planner_title(state.planner),
        f"{state.profile}{free}" if state.profile else "",
        usage_text(state.transcript),
    ]
    right = " · ".join(part for part in aside if part)
    goal = state.draft.get("goal")
    text = value_text(goal.value) if goal is not None else "plan a run"
    room = max(width - len(right) - 9, 8)
    spans: list[Span] = [(" tcao  ", "info"), (fit(text, room), "strong"), (f" {right} ", "muted")]
    return tuple(spans)


def usage_text(transcript: Sequence[StoredEntry]) -> str:
    """Tokens and dollars of the LLM so far; empty when none was asked, an unknown price says so."""
    turns = [stored.entry for stored in transcript if isinstance(stored.entry, ModelTurn) and stored.entry.usage]
    if not turns:
        return ""
    tokens = sum(sum(turn.usage.values()) for turn in turns)
    usd = None if any(turn.usd is None for turn in turns) else sum(turn.usd or 0.0 for turn in turns)
    return f"{count_text(tokens)} tokens {money_text(usd)}"
