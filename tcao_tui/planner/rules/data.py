"""Rules about rows and models: what to look at, what to hold out, what to compare. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tcao_tui.domain.checks.code import unread_code
from tcao_tui.domain.checks.subject import Inspection, missing_comparisons, missing_inspections
from tcao_tui.domain.data_profile import DataProfile, FieldMap
from tcao_tui.domain.draft import Filled
from tcao_tui.domain.interview import Learned, Said, SlotFilled
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.row_tokens import profile_of
from tcao_tui.planner.rules import cards, cards_back
from tcao_tui.planner.rules.case import Case, Tried
from tcao_tui.planner.rules.moves import Ask, Assume, Move, Say, UseTool
from tcao_tui.planner.words import AGAIN

MOST_ROWS_HELD_OUT = 200
FEWEST_ROWS_HELD_OUT = 30
"""With fewer eval rows even a large change may be chance."""
WORTH_A_VALIDATION_SPLIT = 200
"""Rows from which taking some away for the validation loss costs training little."""

_TIMES_ASKED = 3
_ERROR_CHARACTERS = 300


def look_at_training_rows(case: Case) -> Move | None:
    """Inspect the training file; when it cannot be learned from, say why and ask for another."""
    path, profile = case.text("training.train_file"), case.train
    arguments = {"path": path}
    if profile is None or _was_named_since(case, path):
        tried = case.tried("inspect_data", arguments)
        if tried is None or (tried.outcome == "ok" and profile is not None):
            return UseTool("inspect_data", arguments)
        return _ask_for_another_file(case, error_text(tried))
    if not profile.rows or profile.kind is None:
        return _ask_for_another_file(case, _why_unusable(profile))
    return None


def leave_bad_rows_out(case: Case) -> Move | None:
    """Rows that cannot be used: a copy without them, once the person wants it, or the person corrects them."""
    profile = case.state.facts.profile(case.text("training.train_file") or None)
    if profile is None or not profile.bad_rows:
        return None
    question = cards_back.bad_rows_question(profile)
    chosen = case.answered(question.id)
    is_left_open = chosen is None and (question.id in case.state.asked or case.state.use_defaults)
    if chosen == cards_back.LEAVE_OUT or (is_left_open and question.default is not None):
        return _once(case, "clean_data", {"path": str(profile.path)})
    if question.id not in case.state.asked:
        return Ask((question,), "Rows that cannot be used")
    return Say(f"{one_line(profile.path.name)}: {_why_unusable(profile)}\nCorrect the file, then say “again”.")


def ask_the_server(case: Case) -> Move | None:
    """Which models there are."""
    if case.state.facts.capabilities is not None:
        return None
    tried = case.tried("list_models", {})
    if tried is None:
        return UseTool("list_models", {})
    return Say(f"The server's models cannot be listed: {error_text(tried)}\nMend that, then say “go on”.")


def read_pairs_as_answers(case: Case) -> Move | None:
    """SFT on preference pairs imitates the better answers."""
    is_meant = case.text("method") == "sft" and "method" in case.state.asked
    if not is_meant or case.train is None or case.train.kind != "preference":
        return None
    saying = "I read the better answer of each pair as the one to imitate; the worse ones are not used."
    return _once(case, "inspect_data", _as_answers(case.train), saying)


def choose_eval_rows(case: Case) -> Move | None:
    """The file in the project that is called an eval, when the person left the choice open."""
    question = cards.evals_question(case)
    if case.was_taken_back("evals.score.file"):
        return None
    is_left_open = case.state.use_defaults or ("evals" in case.state.asked and case.answered("evals") is None)
    if question is None or not is_left_open:
        return None
    reason = "its name says that it measures, and you left the choice open"
    return Assume("evals.score.file", Filled(value=question.default, by="policy", reason=reason))


def hold_out_rows(case: Case) -> Move | None:
    """Split rows off for what has none yet, after saying so: one split for both, of the file as it was given."""
    split = next((s for s in case.state.facts.splits if str(s.train) == case.text("training.train_file")), None)
    profile = case.train if split is None else case.state.facts.profile(split.source)
    if profile is None:
        return None
    needs_test = case.filled("evals.score.file") is None and profile.kind != "prompt"
    test = _part(profile.rows, FEWEST_ROWS_HELD_OUT) if needs_test else 0
    validation = _part(profile.rows, 1) if case.filled("training.val_file") is None else 0
    if not test and (not validation or profile.rows < WORTH_A_VALIDATION_SPLIT):
        return None
    if split is not None and (split.test or not test) and (split.validation or not validation):
        return None
    parts = [f"{count:,} for {use}" for count, use in ((test, "the eval"), (validation, "validation")) if count]
    saying = (
        f"I set rows of {one_line(profile.path.name)} aside first: {' and '.join(parts)} of {profile.rows:,}. "
        "The draw is seeded and the file itself stays as it is."
    )
    return _once(case, "split_data", {"path": str(profile.path), "validation": validation, "test": test}, saying)


def look_at_other_files(case: Case) -> Move | None:
    """Inspect what the plan reads and nobody looked at; training rows are counted in tokens of the chosen model."""
    score_file = case.text("evals.score.file")
    score = profile_of(case.state.facts, score_file or None)
    if score_file and score is None:
        # By itself first: its columns may be called otherwise than those of the training rows.
        return _once(case, "inspect_data", {"path": score_file})
    if score is not None and score.kind == "preference":
        return _once(case, "inspect_data", _as_answers(score))
    if case.subject is None:
        return None
    moves = (_once(case, "inspect_data", _arguments(case, wanted)) for wanted in missing_inspections(case.subject))
    return next((move for move in moves if move is not None), None)


def look_for_leaks(case: Case) -> Move | None:
    """Compare what measures with what is trained on."""
    if case.subject is None:
        return None
    pairs = missing_comparisons(case.subject)
    moves = (
        _once(case, "compare_files", {"trained": str(pair.left.path), "measured": str(pair.right.path)})
        for pair in pairs
    )
    return next((move for move in moves if move is not None), None)


def look_for_code(case: Case) -> Move | None:
    """Find the modules of graders and environments."""
    unread = () if case.subject is None else unread_code(case.subject)
    moves = (_once(case, "inspect_code", {"module": code.module}) for code in unread)
    return next((move for move in moves if move is not None), None)


def error_text(tried: Tried | None) -> str:
    """Why a call failed, with what to do."""
    errors = () if tried is None else tried.errors
    told = [f"{error.get('got', '')}; {error.get('fix', '')}".rstrip("; ") for error in errors]
    return one_line("; ".join(told), _ERROR_CHARACTERS) or "it said nothing"


def _once(case: Case, tool: str, arguments: dict[str, Any], saying: str = "") -> UseTool | None:
    """A call that was not made yet; what it could not settle, the gates name."""
    return UseTool(tool, arguments, saying) if case.tried(tool, arguments) is None else None


def _ask_for_another_file(case: Case, why: str) -> Move:
    path = Path(case.text("training.train_file"))
    quote = f"{one_line(path.name)} cannot be learned from: {why}"
    if case.times_asked("data") >= _TIMES_ASKED or not case.room:
        return Say(f"{quote}\nCorrect the file, or name another one.")
    return Ask((cards.data_question(case, quotes=(quote,)),), "The training file")


def _why_unusable(profile: DataProfile) -> str:
    if not profile.problems:
        return one_line("; ".join(profile.notes), _ERROR_CHARACTERS) or "it holds no rows"
    first = profile.problems[0]
    more = f" (and {profile.bad_rows - 1:,} more)" if profile.bad_rows > 1 else ""
    return one_line(f"line {first.line}: {first.what}{more}; {first.fix}", _ERROR_CHARACTERS)


def _was_named_since(case: Case, path: str) -> bool:
    """Whether the person named the file, or said "again", after it was inspected: it may have changed."""
    named = learned = 0
    for stored in case.state.transcript:
        match stored.entry:
            case SlotFilled(path="training.train_file", filled=filled) if filled.value == path and filled.by == "you":
                named = stored.seq
            case Said(who="you", text=text) if AGAIN.search(text):
                named = stored.seq
            case Learned(profile=DataProfile() as profile) if str(profile.path) == path:
                learned = stored.seq
            case _:
                pass
    return 0 < learned < named


def _part(rows: int, least: int) -> int:
    """Rows to hold out: one in ten, more of a small file, at most a fifth."""
    return min(MOST_ROWS_HELD_OUT, max(rows // 10, min(least, rows // 5)))


def _as_answers(profile: DataProfile) -> dict[str, Any]:
    """How to read the better side of pairs as answers."""
    fields = FieldMap(
        data_format="input_output", input_field=profile.fields.input_field, output_field=profile.fields.chosen_field
    )
    return {"path": str(profile.path), "fields": fields.model_dump()}


def _arguments(case: Case, wanted: Inspection) -> dict[str, Any]:
    arguments: dict[str, Any] = {"path": str(wanted.file.path)}
    if wanted.file.field_map is not None:
        arguments["fields"] = wanted.file.field_map.model_dump()
    if wanted.with_tokens and case.subject is not None and case.subject.model is not None:
        config = case.subject.config
        tokens: Mapping[str, Any] = {"model": config.base_model, "max_seq_len": config.max_seq_len}
        arguments |= {**tokens, "renderer": case.subject.renderer}
    return arguments
