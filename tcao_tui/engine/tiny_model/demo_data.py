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
from pathlib import Path
from typing import Final

from tcao_tui.engine.tiny_model.tickets import Split, Ticket, draw_ticket, load_phrases
from tcao_tui.paths import templates_dir

DEMO_FILES: Final[dict[Split, tuple[str, int, int]]] = {
    "train": ("train.jsonl", 1500, 1),
    "validation": ("validation.jsonl", 100, 2),
    "test": ("test.jsonl", 100, 3),
}
"""Split to file name, number of rows and seed."""


def wanted_answer(ticket: Ticket) -> str:
    """What the fine-tuned model is to say, and nothing else."""
    return json.dumps({"queue": ticket.queue, "urgency": ticket.urgency})


def demo_rows(split: Split) -> list[dict[str, str]]:
    """The rows of one file, `input` and `output`; no message comes twice."""
    _, count, seed = DEMO_FILES[split]
    rng, phrases = random.Random(seed), load_phrases(split)
    answers: dict[str, str] = {}
    while len(answers) < count:
        ticket = draw_ticket(rng, phrases)
        answers[ticket.message] = wanted_answer(ticket)
    return [{"input": message, "output": answer} for message, answer in answers.items()]


def demo_text(split: Split) -> str:
    """One file's content, a JSON object to a line."""
    return "".join(f"{json.dumps(row)}\n" for row in demo_rows(split))


def main(arguments: list[str] | None = None) -> int:
    """Writes the three files into `--out`."""
    parser = argparse.ArgumentParser(prog="python -m tcao_tui.engine.tiny_model.demo_data", description=__doc__)
    parser.add_argument("--out", type=Path, default=templates_dir() / "demo", help="directory to write")
    out: Path = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    for split, (name, count, _) in DEMO_FILES.items():
        (out / name).write_text(demo_text(split), "utf-8")
        print(f"{name}: {count} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
