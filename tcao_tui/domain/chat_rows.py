"""What is kept of a round for later work: a row to train on, a case to evaluate with, pairs of a better and a worse.

Each is a row that `tcao data` reads: formats `messages`, `input_output` and `preference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from tcao_tui.domain.chat import Message, Round
from tcao_tui.domain.evalset import case_input
from tcao_tui.errors import Refused

type SaveKind = Literal["rows", "case", "pair"]

KIND_TEXTS: dict[SaveKind, str] = {
    "rows": "training row",
    "case": "evaluation case",
    "pair": "preference pair",
}


def rows_of(
    kind: SaveKind, one: Round, contender: int | None, *, wanted: str = "", tags: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The rows of a round, ready to be appended.

    Args:
        kind: What for.
        one: The round.
        contender: Whose answers are taken; pairs take those that the vote names.
        wanted: The answer to expect in place of the one that was given, for a case.
        tags: Kept with a case.

    Raises:
        Refused: The round holds nothing of the kind; says what is missing.
    """
    if kind == "pair":
        return _pairs(one)
    if contender is None or not one.has_answers(contender):
        raise Refused("there is no answer to keep", next_step="ask something first, or choose another column")
    turns = one.messages(contender)
    if kind == "rows":
        return [{"messages": _plain(turns)}]
    case: dict[str, Any] = {"input": case_input(_plain(turns[:-1])), "output": wanted or turns[-1].content}
    return [{**case, "tags": list(tags)} if tags else case]


def _pairs(one: Round) -> list[dict[str, Any]]:
    if one.vote is None:
        raise Refused("a pair needs a vote", next_step="vote for the better answer first")
    if one.vote == "tie":
        raise Refused("a tie prefers no answer, so there is no pair in it")
    better = one.messages(one.vote)
    rivals = [one.messages(each) for each in one.order if each != one.vote and one.has_answers(each)]
    found: list[dict[str, Any]] = []
    for worse in rivals:
        if (shared := _shared(better, worse)) == min(len(better), len(worse)):
            continue
        row = {"prompt": better[:shared], "chosen": better[shared:], "rejected": worse[shared:]}
        found.append({name: _plain(turns) for name, turns in row.items()})
    if not found:
        raise Refused("the answers are the same, so there is no pair in them")
    return found


def _shared(one: Sequence[Message], other: Sequence[Message]) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _plain(turns: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in turns]
