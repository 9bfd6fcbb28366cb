"""First paint in a pty: `tcao` and `tcao watch` against a bare Textual app, taken in turn. Prints JSON.

    .venv/bin/python bench/first_paint.py [repeats]

Goal: at most 1.3 x the bare app, each until its first chart or table row is on screen.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.recorded import fill_store
from bench.terminal import Terminal

CHART_OR_ROW = "[⠁-⣿]"


def main(repeats: int) -> None:
    """Measure `repeats` rounds."""
    with tempfile.TemporaryDirectory() as scratch:
        run_id = fill_store(Path(scratch) / "runs", runs=20, steps=1_000)[0]
        environment = {
            "TCAO_RUNS_DIR": f"{scratch}/runs",
            "TCAO_CACHE_DIR": f"{scratch}/cache",
            "TCAO_STATE_DIR": f"{scratch}/state",
            "TCAO_CONFIG_DIR": f"{scratch}/config",
            "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", f"{scratch}/pyc"),
            "PYTHONDONTWRITEBYTECODE": "",
        }
        tcao = [sys.executable, "-m", "tcao_tui"]
        cases = {
            "bare": ([sys.executable, "bench/bare_app.py"], CHART_OR_ROW),
            "run_list": (tcao, "bench-000"),
            "run_screen": ([*tcao, "watch", run_id], "esc back"),
            "run_screen_with_its_chart": ([*tcao, "watch", run_id], CHART_OR_ROW),
        }
        seconds: dict[str, list[float]] = {name: [] for name in cases}
        for turn in range(repeats + 1):
            for name, (command, wanted) in cases.items():
                with Terminal(command, columns=160, rows=48, environment=environment) as terminal:
                    painted = terminal.until(wanted)
                if turn:
                    seconds[name].append(painted)
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        ratios = {name: round(value / medians["bare"], 2) for name, value in medians.items()}
        print(json.dumps({"seconds": {n: round(v, 3) for n, v in medians.items()}, "ratio_to_bare": ratios}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
