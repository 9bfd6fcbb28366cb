"""What the console costs in a pty: a live run, idleness, a thousand runs, keys. Prints one JSON object.

    .venv/bin/python bench/console.py [seconds]

Goals: nine live charts at 10 rows/s <= 6 % of a core and <= 6 kB/s, idle 0 B/s; first of 1,000 runs in 0.5 s, idle
<= 0.5 % of a core; key to paint <= 0.1 s.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.recorded import fill_store
from bench.terminal import Terminal, Usage

CONSOLE = [sys.executable, "-m", "tcao_tui"]
BRAILLE = "[⠁-⣿]"


def environment(scratch: str) -> dict[str, str]:
    """A console that sees only `scratch`, with bytecode cached."""
    places = {f"TCAO_{name}_DIR": f"{scratch}/{name.lower()}" for name in ("RUNS", "CACHE", "STATE", "CONFIG")}
    pycache = os.environ.get("PYTHONPYCACHEPREFIX", f"{scratch}/pyc")
    return places | {"PYTHONPYCACHEPREFIX": pycache, "PYTHONDONTWRITEBYTECODE": ""}


def rounded(usage: Usage) -> dict[str, float]:
    """The window's numbers, fit to print."""
    return {key: round(value, 4) for key, value in asdict(usage).items()}


def live(scratch: str, seconds: float) -> dict[str, object]:
    """Watch a run that grows by 10 rows a second: the run's page, then nine charts on one page."""
    command = [sys.executable, "-m", "tests.fakes.live_run", f"{scratch}/runs", "--seconds", str(3 * seconds + 30)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | environment(scratch))
    try:
        run_id = (writer.stdout.readline() if writer.stdout else "").strip()
        watch = [*CONSOLE, "watch", run_id]
        with Terminal(watch, columns=160, rows=48, environment=environment(scratch)) as terminal:
            terminal.until(BRAILLE)
            terminal.use(2)
            page = terminal.use(seconds)
            terminal.press("g")
            terminal.use(2)
            return {"page": rounded(page), "nine_charts": rounded(terminal.use(seconds))}
    finally:
        writer.terminate()
        writer.wait()


def idle(scratch: str, seconds: float) -> dict[str, float]:
    """A finished run on screen, nothing happening."""
    run_id = fill_store(Path(scratch) / "runs", runs=1, steps=1_000)[0]
    with Terminal([*CONSOLE, "watch", run_id], columns=160, rows=48, environment=environment(scratch)) as terminal:
        terminal.until(BRAILLE)
        terminal.use(3)
        return rounded(terminal.use(seconds))


def many_runs(scratch: str, seconds: float) -> dict[str, object]:
    """A list of 1,000 runs: first rows, then idle, then how long a key takes to show."""
    fill_store(Path(scratch) / "runs", runs=1_000, steps=20)
    with Terminal(CONSOLE, columns=160, rows=48, environment=environment(scratch)) as terminal:
        first_rows = terminal.until("bench-00")
        terminal.use(3)
        resting = terminal.use(seconds)
        pressed = terminal.press("?")
        help_paint = terminal.until("Run list") - pressed
        terminal.press("\x1b")
        terminal.use(1)
        pressed = terminal.press("/")
        terminal.use(0.5)
        terminal.press("bench-00777")
        filtered = terminal.until(r"1 match") - pressed
        return {
            "first_rows_seconds": round(first_rows, 3),
            "idle": rounded(resting),
            "help_key_to_paint_seconds": round(help_paint, 3),
            "filter_typed_to_shown_seconds": round(filtered - 0.5, 3),
            "resident_megabytes": round(terminal.resident_megabytes(), 1),
        }


def main(seconds: float) -> None:
    """Run every case in a store of its own."""
    results: dict[str, object] = {}
    for case in (live, idle, many_runs):
        with tempfile.TemporaryDirectory() as scratch:
            started = time.perf_counter()
            results[case.__name__] = case(scratch, seconds)
            print(f"{case.__name__}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    print(json.dumps(results))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 15.0)
