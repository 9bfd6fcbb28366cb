"""Data files of the scenarios, made small and in place; the same name and count always give the same rows."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

type Row = dict[str, Any]
_THINGS = ("apples", "pens", "books", "coins", "cards", "shells", "stamps", "eggs")
_NAMES = ("Ada", "Ben", "Chi", "Dov", "Eve", "Fay", "Gus", "Hal")
_LABELS = ("billing", "delivery", "refund", "login")


class FileSpec(BaseModel):
    """A data file of a scenario.

    Attributes:
        rows: What the rows are, a name of `KINDS`.
        count, start: How many, and the number of the first: files that share numbers share rows.
        bad: So many lines at the end are no JSON but `bad_text`.
        text: Added to each row's prompt and answer.
        columns: New names of columns.
        extra: Further columns.
        raw: The whole file as it is, instead of rows.
    """

    model_config = ConfigDict(extra="forbid")

    rows: str = "maths"
    count: int = 400
    start: int = 0
    bad: int = 0
    text: str = ""
    columns: dict[str, str] = {}
    bad_text: str = "this is no row {"
    extra: dict[str, Any] = {}
    raw: str | None = None


def write(path: Path, spec: FileSpec) -> None:
    """Make the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if spec.raw is not None:
        path.write_text(spec.raw)
        return
    make = KINDS[spec.rows]
    rows = [_renamed(make(number, spec.text), spec) for number in range(spec.start, spec.start + spec.count)]
    if path.suffix == ".csv":
        path.write_text("\n".join(_csv_lines(rows)) + "\n")
        return
    lines = [json.dumps(row) for row in rows] + [spec.bad_text.replace("\n", " ")] * spec.bad
    path.write_text("\n".join(lines) + "\n")


def _renamed(row: Row, spec: FileSpec) -> Row:
    return {spec.columns.get(key, key): value for key, value in row.items()} | spec.extra


def _csv_lines(rows: list[Row]) -> Iterator[str]:
    yield ",".join(rows[0])
    for row in rows:
        yield ",".join('"' + str(value).replace('"', '""') + '"' for value in row.values())


def _problem(number: int) -> tuple[str, int]:
    random_ = random.Random(number)
    one, two = random_.randint(2, 90), random_.randint(2, 90)
    name, thing = random_.choice(_NAMES), random_.choice(_THINGS)
    return f"{name} has {one} {thing} and finds {two} more on day {number}. How many {thing} has {name}?", one + two


def _maths(number: int, text: str) -> Row:
    question, answer = _problem(number)
    return {"question": f"{question}{text}", "answer": f"They are added up to {answer}.{text}\n#### {answer}"}


def _chat(number: int, text: str) -> Row:
    question, answer = _problem(number)
    reply = f"Dear customer, about case {number}: we counted again and it is {answer} in all. {_NAMES[number % 8]}"
    return {
        "messages": [
            {"role": "user", "content": f"Case {number}: {question}{text}"},
            {"role": "assistant", "content": f"{reply}{text}"},
        ]
    }


def _labels(number: int, text: str) -> Row:
    label = _LABELS[number % 4]
    return {"input": f"Ticket {number} from {_NAMES[number % 8]} is about {label} again{text}", "output": label}


def _objects(number: int, text: str) -> Row:
    wanted = json.dumps({"topic": _LABELS[number % 4], "case": number})
    return {
        "input": f"Ticket {number}: {_NAMES[number % 8]} writes about {_LABELS[number % 4]}{text}",
        "output": wanted,
    }


def _pairs(number: int, text: str) -> Row:
    question, answer = _problem(number)
    return {
        "prompt": f"{question}{text}",
        "chosen": f"It is {answer}, since both are added in the end.{text}",
        "rejected": f"It is {answer + 1}, I guess.{text}",
    }


def _prompts(number: int, text: str) -> Row:
    return {"prompt": f"{_problem(number)[0]} Explain it to a child.{text}"}


KINDS: dict[str, Callable[[int, str], Row]] = {
    "maths": _maths,
    "chat": _chat,
    "labels": _labels,
    "objects": _objects,
    "pairs": _pairs,
    "prompts": _prompts,
}
