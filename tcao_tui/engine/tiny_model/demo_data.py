"""The demo task's files: `python -m tcao_tui.engine.tiny_model.demo_data [--out DIR]`.

A customer message comes in, one line of JSON with its queue and urgency goes out. The base model knows both but says
them in plain sentences; fine-tuning teaches the format. The files are committed, a test keeps them equal to this
generator. Scoring answers is out of scope.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from itertools import islice
from pathlib import Path
from typing import Final

from tcao_tui.engine.tiny_model.tickets import Ticket, draw_ticket, load_phrases
from tcao_tui.paths import templates_dir

DEMO_FILES: Final = {"train.jsonl": 1500, "validation.jsonl": 100, "test.jsonl": 100}
"""File to its number of rows: one draw of distinct messages, cut in three."""

_SEED: Final = 1


def wanted_answer(ticket: Ticket) -> str:
    """What the fine-tuned model is to say, and nothing else."""
    return json.dumps({"queue": ticket.queue, "urgency": ticket.urgency})


def demo_rows() -> dict[str, list[dict[str, str]]]:
    """The rows of each file, `input` and `output`; no message comes twice, in one file or in two."""
    rng, phrases = random.Random(_SEED), load_phrases("demo")
    answers: dict[str, str] = {}
    while len(answers) < sum(DEMO_FILES.values()):
        ticket = draw_ticket(rng, phrases)
        answers[ticket.message] = wanted_answer(ticket)
    rows = iter([{"input": message, "output": answer} for message, answer in answers.items()])
    return {name: list(islice(rows, count)) for name, count in DEMO_FILES.items()}


def demo_texts() -> dict[str, str]:
    """Each file's content, a JSON object to a line."""
    return {name: "".join(f"{json.dumps(row)}\n" for row in rows) for name, rows in demo_rows().items()}


def main(arguments: list[str] | None = None) -> int:
    """Writes the three files into `--out`."""
    parser = argparse.ArgumentParser(prog="python -m tcao_tui.engine.tiny_model.demo_data", description=__doc__)
    parser.add_argument("--out", type=Path, default=templates_dir() / "demo", help="directory to write")
    out: Path = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    for name, text in demo_texts().items():
        (out / name).write_text(text, "utf-8")
        print(f"{name}: {DEMO_FILES[name]} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
