"""Questions that come back to the person: what they said in two ways, what does not fit, what must not be. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tcao_tui.domain.data_profile import DataProfile
from tcao_tui.domain.draft import KeyPath
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.questions import Option, Question
from tcao_tui.domain.slots import slot_named
from tcao_tui.domain.wording import money_text
from tcao_tui.planner.contradictions import MAY_LEAVE, PRIVACY, STAYS, Contradiction
from tcao_tui.planner.rules.cards import METHOD_TITLES, file_text, hold_out_option, question_of, quoting
from tcao_tui.planner.rules.case import Case
from tcao_tui.planner.rules.nearby import EVAL_NAME

LEAVE_OUT, CORRECT = "leave out", "correct"
"""Answers about rows that cannot be used."""
FEW_BAD_ROWS = 0.05
"""Share of bad rows up to which they are taken for accidents."""


def bad_rows_question(profile: DataProfile) -> Question:
    """Whether to leave them out; only a few of them are left out by default."""
    share = profile.bad_rows / (profile.rows + profile.bad_rows)
    options = (
        Option(
            value=LEAVE_OUT,
            label="leave them out",
            why=f"{profile.rows:,} rows remain, in a copy; the file stays as it is",
        ),
        Option(value=CORRECT, label="I correct the file"),
    )
    first = profile.problems[0] if profile.problems else None
    return Question(
        id="bad_rows",
        text=f"{profile.bad_rows:,} of {profile.rows + profile.bad_rows:,} rows cannot be used. Leave them out?",
        kind="one",
        options=options if share <= FEW_BAD_ROWS else options[::-1],
        free_text=False,
        default=LEAVE_OUT if share <= FEW_BAD_ROWS else None,
        why="" if first is None else one_line(f"The first is line {first.line}: {first.what}; {first.fix}", 200),
    )


def other_evals_question(case: Case, *, quotes: Sequence[str]) -> Question:
    """Which rows measure instead of some that cannot."""
    files = [file for file in case.files if str(file.resolve()) not in case.used]
    ranked = sorted(files, key=lambda file: not EVAL_NAME.search(file.stem))[:3]
    options = [Option(value=str(file.resolve()), label=file_text(file, case)) for file in ranked]
    if case.train is not None and case.train.kind != "prompt":
        options.insert(0, hold_out_option())
    return quoting(question_of("evals", "file", options=tuple(options)), quotes)


def contradiction_question(found: Contradiction, question_id: str) -> Question:
    """Which of the things that the person said holds."""
    options = tuple(
        Option(value=one.value, label=f"{_value_text(found.path, one.value)}, as you said: “{one.quote}”")
        for one in found.said
    )
    slot = slot_named(question_id)
    return Question(
        id=question_id,
        text=f"You said two things about {slot.title.lower() if slot else found.path}. Which one holds?",
        kind="one",
        options=options[::-1],
        why="The plan can follow only one of them, and choosing is yours.",
        quotes=tuple(one.quote for one in found.said),
    )


def privacy_question(case: Case, quote: str) -> Question:
    """Whether rows may leave the machine after all."""
    where = case.state.facts.capabilities.backend if case.state.facts.capabilities else case.state.profile
    return Question(
        id=PRIVACY,
        text=f"This plan would send the rows to {where}. May they leave this machine?",
        kind="one",
        options=(
            Option(value=STAYS, label="no, they stay here", why="plan for the local engine instead"),
            Option(value=MAY_LEAVE, label="yes, they may go there"),
        ),
        free_text=False,
        why="You said that they must not, and this backend is not on this machine.",
        quotes=(quote,),
    )


def _value_text(path: KeyPath, value: object) -> str:
    if path == "budget.max_cost_usd" and isinstance(value, int | float):
        return money_text(value)
    if path == "success.threshold" and isinstance(value, int | float):
        return f"{value:.0%}"
    return METHOD_TITLES.get(str(value), str(value)) if path == "method" else one_line(str(value))
