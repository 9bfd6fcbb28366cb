"""A small set of cases that stands for what a product is used for, and what kinds of failure its cases are about."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from tcao_tui.domain.statistics.shares import NORMAL_QUANTILE, POWER_QUANTILE

FailureKind = Literal["hallucination", "tool_call", "refusal", "format", "safety", "wrong", "other"]

FAILURE_WORDS: Mapping[FailureKind, str] = {
    "hallucination": "says what is not so",
    "tool_call": "calls a wrong tool, or with wrong arguments, or none",
    "refusal": "refuses what it should answer",
    "format": "answers in another form than was asked for",
    "safety": "answers what it should refuse",
    "wrong": "answers wrongly, in the right form",
    "other": "none of these",
}

_REFUSALS = re.compile(
    r"^\W*(?:i'?m sorry|i am sorry|sorry|i can(?:'|no)?t|i can not|i'?m (?:not able|unable)|as an ai)\b", re.IGNORECASE
)
_TOOL_CALL = re.compile(r"<tool_call>|\"(?:function|tool_calls|arguments)\"\s*:")


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        input: The prompt, or turns where there are several.
        output: The wanted answer.
        tags: Kinds of failure that it is about, and words of a person's own.
        source: Where it comes from, for people: `train.jsonl:17`, `run demo-7f3a step 40`.
    """

    input: str | list[dict[str, Any]]
    output: str
    tags: tuple[str, ...] = ()
    source: str = ""

    def row(self) -> dict[str, Any]:
        """As a row of format `input_output`."""
        more = {"tags": list(self.tags), "source": self.source}
        return {"input": self.input, "output": self.output} | {key: value for key, value in more.items() if value}


def case_input(turns: Sequence[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """What is asked as a case holds it: a single question as its text, anything longer as turns."""
    match turns:
        case [{"role": "user", "content": str(text)}]:
            return text
        case _:
            return [*turns]


def failure_kind(wanted: str, given: str) -> FailureKind:
    """What kind of failure an answer seems to be, judged by its form alone: a suggestion, which a person corrects."""
    if _REFUSALS.match(given) and not _REFUSALS.match(wanted):
        return "refusal"
    if _REFUSALS.match(wanted):
        return "safety"
    if _TOOL_CALL.search(wanted):
        return "tool_call"
    if _is_structured(wanted) and not _is_structured(given):
        return "format"
    return "wrong"


def _is_structured(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class EvalsetSummary:
    """What a set holds.

    Attributes:
        sha256: Of its file, which is its version.
        tags: Cases of each tag; `untagged` have none.
        detectable: Smallest difference of two shares of right answers that so many cases find in 4 of 5 tries, where
            a third of the cases differ between the two; in points.
    """

    rows: int
    sha256: str
    tags: Mapping[str, int]
    untagged: int
    detectable: float

    @property
    def version(self) -> str:
        """The beginning of the hash, for people."""
        return self.sha256[:12]


DISCORDANT = 1 / 3
"""Share of cases on which two checkpoints differ, as is usual between a base and its fine-tune; see `detectable`."""


def summarise(records: Sequence[Mapping[str, Any]], sha256: str) -> EvalsetSummary:
    """Count a set.

    The detectable difference is (z(.975) + z(.8)) standard errors of a paired difference of shares whose variance is
    at most the share of discordant items (Miller 2024, section 5).
    """
    each = [tags_of(record) for record in records]
    tags = Counter(tag for found in each for tag in found)
    untagged = sum(not found for found in each)
    detectable = 100 * (NORMAL_QUANTILE + POWER_QUANTILE) * (DISCORDANT / len(records)) ** 0.5 if records else 100.0
    return EvalsetSummary(len(records), sha256, dict(tags.most_common()), untagged, min(100.0, detectable))


def tags_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Tags of a row: a list, or words between commas, as a CSV file has them."""
    tags = record.get("tags")
    if isinstance(tags, str):
        return tuple(tag for part in tags.split(",") if (tag := part.strip()))
    return tuple(map(str, cast("list[object]", tags))) if isinstance(tags, list) else ()
