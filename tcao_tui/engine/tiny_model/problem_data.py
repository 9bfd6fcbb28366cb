"""The RL demo's problems: `python -m tcao_tui.engine.tiny_model.problem_data [--out DIR]`.

A customer message comes in with a question for one word, the queue alone is right. The tiny model mostly knows the
queue but quotes it or answers in a sentence, so that one answer in eight is right at first: enough to learn from by
trying, and nothing to imitate. The files are committed, a test keeps them equal to this generator.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from itertools import islice
from pathlib import Path
from typing import Final

from tcao_tui.engine.tiny_model.tickets import draw_ticket, load_phrases
from tcao_tui.paths import templates_dir

PROBLEM_FILES: Final = {"problems.jsonl": 400, "problems-validation.jsonl": 60, "problems-test.jsonl": 100}
"""File to its number of rows: one draw of distinct messages, cut in three."""

_QUESTION: Final = "Which team? One word, please. {}"
_SEED: Final = 3


def problem_rows() -> dict[str, list[dict[str, str]]]:
    """The rows of each file, `problem` and `answer`; no message comes twice, in one file or in two."""
    rng, phrases = random.Random(_SEED), load_phrases("demo")
    answers: dict[str, str] = {}
    while len(answers) < sum(PROBLEM_FILES.values()):
        ticket = draw_ticket(rng, phrases)
        answers[_QUESTION.format(ticket.message)] = ticket.queue
    rows = iter([{"problem": problem, "answer": answer} for problem, answer in answers.items()])
    return {name: list(islice(rows, count)) for name, count in PROBLEM_FILES.items()}


def problem_texts() -> dict[str, str]:
    """Each file's content, a JSON object to a line."""
    return {name: "".join(f"{json.dumps(row)}\n" for row in rows) for name, rows in problem_rows().items()}


def main(arguments: list[str] | None = None) -> int:
    """Writes the three files into `--out`."""
    parser = argparse.ArgumentParser(prog="python -m tcao_tui.engine.tiny_model.problem_data", description=__doc__)
    parser.add_argument("--out", type=Path, default=templates_dir() / "demo", help="directory to write")
    out: Path = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    for name, text in problem_texts().items():
        (out / name).write_text(text, "utf-8")
        print(f"{name}: {PROBLEM_FILES[name]} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
