"""What the worker itself burns per training step: CPU of its process between two steps of the demo plan. Prints JSON.

    .venv/bin/python bench/worker_overhead.py

Counts the SDK, the loop, and every commit to the store; the engine computes in another process. Goal: at most 2 % of a
1 s step, 20 ms.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tcao_tui.paths import templates_dir
from tcao_tui.store.sqlite import open_store

FIRST, LAST = 25, 75
TCAO = [sys.executable, "-m", "tcao_tui"]


def main() -> None:
    """Train the demo plan once and watch the worker's CPU clock."""
    with tempfile.TemporaryDirectory() as scratch:
        places = {f"TCAO_{name}_DIR": f"{scratch}/{name.lower()}" for name in ("RUNS", "STATE", "CONFIG", "CACHE")}
        environment = os.environ | places
        plan = str(templates_dir() / "demo-plan.yaml")
        launch = [*TCAO, "run", plan, "--backend", "local", "--approve", "auto", "--detach", "--output", "json"]
        done = subprocess.run(launch, env=environment, capture_output=True, check=True)
        launched = json.loads(done.stdout)
        worker, store = psutil.Process(launched["worker_pid"]), open_store(Path(scratch) / "runs")
        seen: dict[int, float] = {}
        while (step := store.run(launched["run_id"]).step) < LAST:
            if step >= FIRST and not seen:
                seen[step] = sum(worker.cpu_times()[:2])
            time.sleep(0.02)
        seen[step] = sum(worker.cpu_times()[:2])
        (first, before), (last, after) = sorted(seen.items())
        per_step = (after - before) / (last - first)
        print(json.dumps({"steps": last - first, "cpu_ms_per_step": round(per_step * 1e3, 1), "share_of_1s": per_step}))
        subprocess.run([*TCAO, "stop", launched["run_id"]], env=environment, capture_output=True, check=False)
        worker.wait(60)
        subprocess.run([*TCAO, "engine", "stop"], env=environment, capture_output=True, check=False)


if __name__ == "__main__":
    main()
