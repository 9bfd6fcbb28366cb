"""Pairs for the tiny model to prefer by: `python -m tcao_tui.engine.tiny_model.preference_data --out DIR`.

The demo task as a judgement: the better answer files a customer message as one line of JSON. The worse one is such a
line too but wrong (`misfiled`): only what the message means tells them apart. Or it is right but in plain sentences, as
the base model answers (`in_words`): its form tells.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import sys
from itertools import islice
from pathlib import Path
from typing import Final, Literal, get_args

from tcao_tui.engine.tiny_model.demo_data import demo_rows, wanted_answer
from tcao_tui.engine.tiny_model.tickets import URGENCIES, Ticket, draw_ticket, load_phrases

Worse = Literal["misfiled", "in_words"]
"""What is wrong with the worse answer."""

PAIR_FILES: Final = {"preferences.jsonl": 1000, "preferences-validation.jsonl": 100}
"""File to its number of pairs: one draw of distinct messages, cut in two."""

_SEED: Final = 2


def pair_rows(worse: Worse) -> dict[str, list[dict[str, str]]]:
    """The pairs of each file: `prompt`, `chosen` and `rejected`; no message comes twice, nor is one of the demo's."""
    rng, phrases = random.Random(_SEED), load_phrases("demo")
    taken = {row["input"] for rows in demo_rows().values() for row in rows}
    pairs: dict[str, dict[str, str]] = {}
    while len(pairs) < sum(PAIR_FILES.values()):
        ticket = draw_ticket(rng, phrases)
        if ticket.message in taken:
            continue
        wrong = wanted_answer(_misfiled(rng, ticket, phrases.queues)) if worse == "misfiled" else _in_words(ticket)
        pairs[ticket.message] = {
            "prompt": ticket.message,
            "chosen": wanted_answer(ticket),
            "rejected": wrong,
        }
    rows = iter(pairs.values())
    return {name: list(islice(rows, count)) for name, count in PAIR_FILES.items()}


def _misfiled(rng: random.Random, ticket: Ticket, queues: tuple[str, ...]) -> Ticket:
    """The ticket in another queue, or with another urgency."""
    if rng.random() < 0.5:
        return dataclasses.replace(ticket, queue=rng.choice([each for each in queues if each != ticket.queue]))
    return dataclasses.replace(ticket, urgency=rng.choice([each for each in URGENCIES if each != ticket.urgency]))


def _in_words(ticket: Ticket) -> str:
    return f'It goes to "{ticket.queue}". It has {ticket.urgency} priority.'


def main(arguments: list[str] | None = None) -> int:
    """Writes both files into `--out`."""
    parser = argparse.ArgumentParser(prog="python -m tcao_tui.engine.tiny_model.preference_data", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="directory to write")
    parser.add_argument("--worse", choices=get_args(Worse), default="misfiled", help="the worse answers")
    given = parser.parse_args(arguments)
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in pair_rows(given.worse).items():
        (out / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
        print(f"{name}: {len(rows)} pairs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
