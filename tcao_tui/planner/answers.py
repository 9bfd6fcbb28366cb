"""What an answer fills in: from the words or the option of a person to values of the draft.

One reading of each slot for the cards, for `tcao plan --answers` and for values set by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from tcao_tui.domain.draft import Draft, Filled, KeyPath
from tcao_tui.domain.interview import SlotCleared, SlotFilled
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.method_params import METHOD_PARAMS
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.questions import Answer, Card, Question
from tcao_tui.domain.slots import is_filled, slot_named
from tcao_tui.errors import UsageError
from tcao_tui.planner import plan_keys, reach

type Values = Mapping[KeyPath, Any]

HOLD_OUT = "hold out"
"""Answer to the evals question: rows of the training file are set aside."""
BETTER_THAN_BASE = "better than base"
"""Answer to the success question: whatever the base model scores, the trained one scores more."""

_NOT_KNOWN = re.compile(
    r"(i )?(don'?t|do not) know|no idea|not sure|whatever|you (decide|choose)|default|skip|\?|dunno", re.IGNORECASE
)
_ANSWER_WIDTH = 160


def entries_for(card: Card, answers: Sequence[Answer], state: InterviewState) -> list[SlotFilled | SlotCleared]:
    """What the answers to a card fill in or take back. Raises `UsageError` when one does not fit its question."""
    filled: list[SlotFilled | SlotCleared] = []
    for answer in answers:
        question = next((question for question in card.questions if question.id == answer.question), None)
        if question is None:
            raise UsageError(f"card {card.id} has no question {answer.question}", where=answer.question)
        if answer.value == HOLD_OUT and "evals.score.file" in state.draft:
            filled.append(SlotCleared(path="evals.score.file"))
        elif not is_left_open(question, answer):
            filled += _filled(question, answer.value, state)
    return filled


def is_left_open(question: Question, answer: Answer) -> bool:
    """Whether the person leaves a question to its default. Raises `UsageError` when it has none."""
    value = answer.value
    if value is not None and not (isinstance(value, str) and _NOT_KNOWN.fullmatch(value.strip())):
        return False
    if question.default is None:
        raise UsageError("only you can answer this one", where=question.id)
    return True


def is_settled(card: Card, draft: Draft) -> bool:
    """Whether each question of a card was answered in other words."""
    return all((slot := slot_named(q.id)) is not None and is_filled(slot, draft) for q in card.questions)


def filled_by_hand(path: KeyPath, value: object, state: InterviewState, *, reason: str = "") -> SlotFilled:
    """A value that the person sets at a key path. Raises `UsageError` when it cannot stand there."""
    if path in ("training.train_file", "training.val_file", "evals.score.file") and isinstance(value, str):
        value = _existing_file(value, state)
    plain = plan_keys.checked(path, value)
    return SlotFilled(path=path, filled=Filled(value=plain, by="you", reason=reason or "set by hand"))


def slot_values(name: str, value: object, state: InterviewState) -> Values:
    """What an answer to a slot, or to a key path, comes to. Raises `UsageError` naming what would do."""
    read = _READERS.get(name)
    if read is not None:
        return read(value, state)
    if slot_named(name) is None and not plan_keys.is_known(name):
        return {}
    return {name: value}


def _filled(question: Question, value: object, state: InterviewState) -> list[SlotFilled]:
    said = next((option.label for option in question.options if option.value == value), value)
    reason = f"you answered: {one_line(str(said), _ANSWER_WIDTH)}"
    return [
        SlotFilled(path=path, filled=filled_by_hand(path, one, state, reason=reason).filled, question=question.id)
        for path, one in slot_values(question.id, value, state).items()
    ]


def _goal(value: object, state: InterviewState) -> Values:
    text = str(value).strip()
    if not text:
        raise UsageError("say in a sentence what it should do", where="goal")
    return {"goal": text}


def _data(value: object, state: InterviewState) -> Values:
    return {"training.train_file": _existing_file(str(value), state)}


def _method(value: object, state: InterviewState) -> Values:
    method = str(value).strip().lower()
    if method not in METHOD_PARAMS:
        raise UsageError(f"no method {method!r}; there are: {', '.join(METHOD_PARAMS)}", where="method")
    return {"method": method}


def _evals(value: object, state: InterviewState) -> Values:
    if value == HOLD_OUT:
        return {}
    return {"evals.score.file": _existing_file(str(value), state)}


def _success(value: object, state: InterviewState) -> Values:
    if isinstance(value, Mapping):
        return {f"success.{key}": one for key, one in cast("Mapping[str, object]", value).items()}
    if value == BETTER_THAN_BASE:
        return {"success.threshold": None}
    return {"success.threshold": number(value, "success", share=True)}


def _model(value: object, state: InterviewState) -> Values:
    offered = state.facts.capabilities
    name, known = str(value).strip(), [] if offered is None else [model.name for model in offered.models]
    if not known or name in known:
        return {"training.base_model": name}
    close = [model for model in known if name.lower() in model.lower()]
    if len(close) == 1:
        return {"training.base_model": close[0]}
    near = close or get_close_matches(name, known, n=3, cutoff=0.3) or known[:3]
    raise UsageError(f"the server has no model {name!r}; near: {', '.join(near)}", where="model")


def _budget(value: object, state: InterviewState) -> Values:
    return {"budget.max_cost_usd": number(value, "budget")}


def _schedule(value: object, state: InterviewState) -> Values:
    return {"training.num_steps": int(number(value, "schedule"))}


def _lora(value: object, state: InterviewState) -> Values:
    if isinstance(value, Mapping):
        return {f"training.{key}": one for key, one in cast("Mapping[str, object]", value).items()}
    return {"training.lora_rank": int(number(value, "lora"))}


def _run_name(value: object, state: InterviewState) -> Values:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", str(value)).strip("-._")[:64]
    return {"training.run_name": name}


_READERS: dict[str, Callable[[object, InterviewState], Values]] = {
    "goal": _goal,
    "data": _data,
    "method": _method,
    "evals": _evals,
    "success": _success,
    "model": _model,
    "budget": _budget,
    "schedule": _schedule,
    "lora": _lora,
    "run_name": _run_name,
}


def number(value: object, where: str, *, share: bool = False) -> float:
    """A number in the words of a person, such as "$1,200" or "80 %"; a share above 1 is read as a percentage."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UsageError("a number is needed", where=where)
    text = str(value).replace(",", "")
    found = re.fullmatch(r"\D*?(\d+(?:\.\d+)?(?:e-?\d+)?)\s*(%|\w*)\W*", text.strip(), re.IGNORECASE)
    if found is None:
        raise UsageError(f"{one_line(text, 40)!r} is not one number", where=where)
    amount = float(found[1])
    return amount / 100 if share and (found[2] == "%" or amount > 1) else amount


def _existing_file(value: str, state: InterviewState) -> str:
    path = reach.resolved(value.strip().removeprefix("@").strip("'\"`"), state.directory)
    if path.is_file():
        return str(path)
    folder = path.parent if path.parent.is_dir() else Path(state.directory)
    near = get_close_matches(path.name, [p.name for p in folder.iterdir() if p.is_file()], n=3)
    hint = f"; near it: {', '.join(near)}" if near else ""
    raise UsageError(f"there is no file {one_line(str(path))}{hint}", where="data")
