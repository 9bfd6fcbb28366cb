"""The kind of use, which decides the benchmarks: words of the goal first, then what the rows show."""

from __future__ import annotations

from collections.abc import Mapping

from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.plan import UseCase
from tcao_tui.domain.policy.situation import INSPECTED, Situation, filled, word_in
from tcao_tui.domain.use_cases import GOAL_WORDS, USE_CASES

SECOND_LANGUAGE = 0.2
"""Share of rows in languages other than the first from which data counts as multilingual."""


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`use_case`, as soon as there is a goal or data."""
    if not situation.words and situation.train is None:
        return {}
    case, reason, source = _by_words(situation) or _by_rows(situation) or _otherwise()
    others = tuple(Alternative(value=name, label=name, why=about) for name, about in USE_CASES.items() if name != case)
    return {"use_case": filled(case, reason, source, alternatives=others)}


def _by_words(situation: Situation) -> tuple[UseCase, str, str] | None:
    for case, stems in GOAL_WORDS.items():
        if word := word_in(situation.words, stems):
            return case, f'the goal says "{word}"', "words of the goal"
    return None


def _by_rows(situation: Situation) -> tuple[UseCase, str, str] | None:
    train = situation.train
    if train is None:
        return None
    shares = sorted(train.languages.values(), reverse=True)
    if train.has_tools:
        return "tools", "rows bring tools to call", INSPECTED
    if sum(shares[1:]) >= SECOND_LANGUAGE:
        return "multilingual", f"{sum(shares[1:]):.0%} of the rows are in other languages than the first", INSPECTED
    if train.has_thinking:
        return "reasoning", "rows hold thinking before the answer", INSPECTED
    if train.answer_shape == "final_number":
        return "reasoning", "every answer works towards a final number", INSPECTED
    return None


def _otherwise() -> tuple[UseCase, str, str]:
    return "chat", "neither the goal nor the rows point to code, tools, safety, reasoning or languages", ""
