"""Rows per second and peak memory of `tcao data inspect`, against the floor of reading the same file with orjson.

    python bench/data.py [--rows 1000000] [--data DIR] [--repeat 1]

It generates a JSONL file of word problems, about 470 bytes a row, one in fifty nearly repeating an earlier one, and
reads it in fresh processes: each line through `orjson.loads`; by our reader, which checks every row; by the helper of
`tcao data inspect` without a model; and with the included model's tokenizer. It prints, as one JSON object each, rows
per second, CPU seconds, how many times those of the floor that is, and peak memory in MB; the fastest of the repeats.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROWS_PER_WRITE = 10_000
NAMES = ("Ann", "Bela", "Chen", "Dora", "Emil", "Fatma", "Goran", "Hana", "Igor", "Jana")
THINGS = ("apples", "books", "coins", "drums", "eggs", "forks", "games", "hats", "inks", "jars", "kites", "lamps")
ACTIONS = ("buys", "sells", "finds", "loses", "paints", "counts", "wraps", "ships", "stores", "lends")

FLOOR = "import orjson, sys\nfor line in open(sys.argv[1], 'rb'): orjson.loads(line)"
READER = """
import gc, sys
from pathlib import Path
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
gc.disable()
for row in RowReader(Path(sys.argv[1]), None, Problems()): pass
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Rows per second and memory of data inspection.")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--repeat", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-data-") as scratch:
        path = (arguments.data or Path(scratch)) / f"rows-{arguments.rows}.jsonl"
        if not path.exists():
            generate(path, arguments.rows)
        floor: dict[str, Any] = {}
        for name, command, request in kinds(path):
            runs = [measure(command, request) for _ in range(arguments.repeat)]
            best = min(runs, key=lambda run: run["seconds"])
            floor = floor or best
            told = {
                "what": name,
                "rows": arguments.rows,
                "megabytes": round(path.stat().st_size / 1e6),
                "rows_per_second": round(arguments.rows / best["seconds"]),
                "cpu_seconds": round(best["cpu_seconds"], 2),
                "times_the_floor": round(best["cpu_seconds"] / floor["cpu_seconds"], 1),
                "peak_mb": best["peak_mb"],
            }
            print(json.dumps(told), flush=True)


def kinds(path: Path) -> Iterator[tuple[str, list[str], str]]:
    """What is measured: name, command line and standard input."""
    model = {"name": "tcao/tiny-qwen3", "price": {"backend": "local", "source": "none"}}
    helper = [sys.executable, "-m", "tcao_tui.probes.data"]
    yield "floor: orjson", [sys.executable, "-c", FLOOR, str(path)], ""
    yield "reader", [sys.executable, "-c", READER, str(path)], ""
    yield "inspect", helper, json.dumps({"do": "inspect", "path": str(path)})
    yield "inspect with tokens", helper, json.dumps({"do": "inspect", "path": str(path), "model": model})


def measure(command: list[str], request: str) -> dict[str, Any]:
    """Run one process to its end."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    process_input, process_output = process.stdin, process.stdout
    assert process_input is not None
    assert process_output is not None
    process_input.write(request)
    process_input.close()
    last = list(deque(process_output, maxlen=1))
    _, status, usage = os.wait4(process.pid, 0)
    if status or (request and '"done"' not in last[0]):
        raise SystemExit(f"{command} failed: {last}")
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": round(peak_megabytes(usage)),
    }


def peak_megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def generate(path: Path, count: int) -> None:
    noise = random.Random(0)
    rows = [json.dumps(row(noise)) for _ in range(min(count, 5_000))]
    with path.open("w") as file:
        for start in range(0, count, ROWS_PER_WRITE):
            for number in range(start, min(start + ROWS_PER_WRITE, count)):
                text = json.dumps(row(noise)) if number % 50 else rows[number // 50 % len(rows)]
                file.write(text + "\n")


def row(noise: random.Random) -> dict[str, str]:
    """A problem of six sentences and its solution."""
    numbers = [noise.randrange(2, 1_000) for _ in range(6)]
    told = " ".join(
        f"{noise.choice(NAMES)} {noise.choice(ACTIONS)} {number} {noise.choice(THINGS)} and then "
        f"{noise.choice(ACTIONS)} {noise.choice(THINGS)}."
        for number in numbers
    )
    solved = "\n".join(f"There are {number} of them, so {a} + {number} = {a + number}." for a, number in pairs(numbers))
    return {"question": f"{told} How many are there in all?", "answer": f"{solved}\n#### {sum(numbers)}"}


def pairs(numbers: list[int]) -> list[tuple[int, int]]:
    return [(sum(numbers[:place]), numbers[place]) for place in range(1, len(numbers))]


if __name__ == "__main__":
    main()
