"""What becomes of a person's words: files that are there, values that nothing contradicts, the goal, and "just do it".

A value that differs from what the person said before is filled only when they take the earlier one back; otherwise it
stays open, and `contradictions` finds it, so that it can be quoted back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tcao_tui.domain.capabilities import ModelInfo
from tcao_tui.domain.draft import Draft, Filled, KeyPath
from tcao_tui.domain.interview import Answered, Entry, Said, SlotFilled
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import UsageError
from tcao_tui.planner import plan_keys, reach
from tcao_tui.planner.words import (
    CORRECTING,
    DEFAULTS_FOR_REST,
    STAYS_HERE,
    WANTING,
    Heard,
    heard_in,
    is_negated,
    quote_of,
    sentences,
)

_GOAL_CHARACTERS = 300
_GOAL_WORDS = 4
_MODEL_LIKE = re.compile(r"(?<![\w./~-])[A-Za-z][\w-]*/[A-Za-z][\w.-]*\d[\w.-]*\w")
_OF_EVALS = re.compile(r"\b(eval\w*|test\w*|held.?out|score|benchmark\w*|measure\w*|check)\b", re.IGNORECASE)
_OF_VALIDATION = re.compile(r"\b(valid\w*|dev)\b", re.IGNORECASE)
_EVAL_NAME = re.compile(r"(^|[_.-])(test|eval|holdout|held_?out|benchmark)", re.IGNORECASE)
_OF_TEACHER = re.compile(r"\b(teacher|from|like)\W+(?:\w+\W+){0,3}$", re.IGNORECASE)


def heard_entries(text: str, state: InterviewState) -> list[Entry]:
    """Entries for what the person's newest words settle."""
    heard = [*_files(text, state), *_agreeing(heard_in(text), text, state), *_models(text, state)]
    entries: list[Entry] = [entry for one in heard if (entry := _filled(one)) is not None]
    if (goal := _goal(text, state)) is not None:
        entries.append(goal)
    if DEFAULTS_FOR_REST.search(text):
        card_id = state.open_card.id if state.open_card is not None else ""
        entries.append(Answered(card_id=card_id, answers=(), defaults_for_rest=True))
    return entries


def draft_after(draft: Draft, entries: Sequence[Entry]) -> Draft:
    """The draft once these entries are on record."""
    return {**draft, **{entry.path: entry.filled for entry in entries if isinstance(entry, SlotFilled)}}


def heard_models(state: InterviewState) -> list[Entry]:
    """Entries for models that the person named before the server's list was known."""
    heard = [one for text in said(state) for one in _models(text, state)]
    newest = {one.path: one for one in heard if one.path not in state.draft}
    return [entry for one in newest.values() if (entry := _filled(one)) is not None]


def said(state: InterviewState) -> Iterator[str]:
    """Everything that the person said, in order."""
    for stored in state.transcript:
        if isinstance(stored.entry, Said) and stored.entry.who == "you":
            yield stored.entry.text


def is_taken_back(text: str) -> bool:
    """Whether the person corrects what they said before."""
    return bool(CORRECTING.search(text))


def _agreeing(heard: list[Heard], text: str, state: InterviewState) -> Iterator[Heard]:
    """What neither the same text nor an earlier one contradicts; the last of several where the person corrects."""
    by_path: dict[KeyPath, list[Heard]] = {}
    for one in heard:
        by_path.setdefault(one.path, []).append(one)
    for path, said_here in by_path.items():
        before = state.draft.get(path)
        is_new = before is None or before.by != "you" or before.value == said_here[-1].value
        is_one = len({one.value for one in said_here}) == 1
        if is_taken_back(text) or (is_one and is_new):
            yield said_here[-1]


def _files(text: str, state: InterviewState) -> Iterator[Heard]:
    """Files that are there, by what the words before each say that it is for."""
    named = [(path, reach.resolved(path, state.directory)) for path in reach.paths_in(text)]
    found = [(path, target) for path, target in named if target.is_file()]
    places = sorted((text.find(path), path, target) for path, target in found)
    start, several = 0, len(places) > 1
    for place, path, target in places:
        before, start = text[start:place].rpartition("\n")[2], place + len(path)
        purpose = _purpose(before, target, several, state)
        if purpose is not None:
            sentence = next((one for one in sentences(text) if path in one), text)
            yield Heard(purpose, str(target), quote_of(sentence))


def _purpose(before: str, target: Path, several: bool, state: InterviewState) -> KeyPath | None:
    if any(target == split.source.resolve() and _trains_on(split.train, state) for split in state.facts.splits):
        return None  # the file again, whose train part is trained on already
    if _OF_VALIDATION.search(before):
        return "training.val_file"
    is_named_so = _EVAL_NAME.search(target.name) and (several or "training.train_file" in state.draft)
    if _OF_EVALS.search(before) or is_named_so:
        return "evals.score.file"
    return "training.train_file"


def _trains_on(file: Path, state: InterviewState) -> bool:
    filled = state.draft.get("training.train_file")
    return filled is not None and filled.value == str(file)


def _models(text: str, state: InterviewState) -> Iterator[Heard]:
    for sentence in sentences(text):
        offered = state.facts.capabilities
        named = _model_like(sentence, state) if offered is None else _offered(sentence, offered.models)
        for name, start in named:
            if not is_negated(sentence, start):
                is_teacher = "distil" in text.lower() or "teacher" in text.lower()
                as_teacher = is_teacher and _OF_TEACHER.search(sentence[:start])
                yield Heard("distill.teacher_model" if as_teacher else "training.base_model", name, quote_of(sentence))


def _model_like(sentence: str, state: InterviewState) -> Iterator[tuple[str, int]]:
    for match in _MODEL_LIKE.finditer(sentence):
        if not reach.resolved(match[0], state.directory).exists():
            yield match[0], match.start()


def _offered(sentence: str, models: tuple[ModelInfo, ...]) -> Iterator[tuple[str, int]]:
    """Offered models that a sentence names, in full or by their own name; the longest name wins."""
    for model in models:
        own = model.name.rpartition("/")[2]
        match = re.search(rf"(?<![\w-]){re.escape(own)}(?![\w-]|\.\w)", sentence, re.IGNORECASE)
        if match is not None:
            maker = model.name.rpartition("/")[0]
            start = match.start() - (len(maker) + 1 if maker and sentence[: match.start()].endswith(f"{maker}/") else 0)
            yield model.name, start


def _goal(text: str, state: InterviewState) -> SlotFilled | None:
    if "goal" in state.draft:
        return None
    said_here = [s for s in sentences(text) if not DEFAULTS_FOR_REST.fullmatch(s.strip(" .!")) and not s.endswith("?")]
    only_goal = [s for s in said_here if not (heard_in(s) or reach.paths_in(s) or STAYS_HERE.search(s))]
    goal = " ".join(only_goal if any(WANTING.search(s) for s in only_goal) else said_here)
    if len(goal.split()) < _GOAL_WORDS:
        return None
    reason = f"you said: “{quote_of(text)}”"
    return SlotFilled(path="goal", filled=Filled(value=one_line(goal, _GOAL_CHARACTERS), by="you", reason=reason))


def _filled(one: Heard) -> SlotFilled | None:
    try:
        value = plan_keys.checked(one.path, one.value)
    except UsageError:
        return None
    return SlotFilled(path=one.path, filled=Filled(value=value, by="you", reason=f"you said: “{one.quote}”"))
