"""How long it takes until a run of 1k, 100k and 1M steps can be drawn, without the terminal part.

    python bench/open_runs.py [--sizes 1000,100000,1000000] [--kinds cookbook,store] [--data DIR] [--repeat 3]

For each kind and size it prints, as one JSON object, the median over fresh processes of: seconds from the start of
Python to the first view and to the complete one, the same for a second open (from the column cache), milliseconds to
draw nine charts of 140 columns, CPU seconds of both processes together, and peak memory in MB of the reading process
and of its helper. CPU seconds say more than the clock on a machine that is busy with other things.
Data are made in DIR (a temporary one by default) in the cookbook's layout of 20 keys (about 510 bytes a row) and
by bulk insert into the tables of the run store, and removed unless --data names a place for them.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tcao_tui.domain.run_view import RunView

KEYS = (
    "train_mean_nll", "train/loss", "test/nll", "optim/lr", "optim/grad_norm", "progress", "env/reward", "env/correct",
    "env/format", "env/ac_tokens", "optim/kl_v1", "optim/kl_v2", "optim/entropy", "num_seqs", "num_tokens",
    "num_loss_tokens", "time/step", "time/fwd_bwd", "time/optim_step",
)  # fmt: skip
RUN_ID = "20261123-200000-bench-0001"
TIMEOUT_SECONDS = 300.0
CHARTS, COLUMNS = 9, 140


def main() -> None:
    parser = argparse.ArgumentParser(description="Time to open runs of both kinds.")
    parser.add_argument("--sizes", default="1000,100000,1000000")
    parser.add_argument("--kinds", default="cookbook,store")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--one", nargs=3, metavar=("KIND", "DIRECTORY", "CACHE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(open_once(*arguments.one)))
        return
    place = arguments.data or Path(tempfile.mkdtemp(prefix="open-runs-"))
    try:
        for kind in arguments.kinds.split(","):
            for size in map(int, arguments.sizes.split(",")):
                print(json.dumps(measure(kind, size, place, arguments.repeat)), flush=True)
    finally:
        if arguments.data is None:
            shutil.rmtree(place)


def measure(kind: str, size: int, place: Path, repeat: int) -> dict[str, Any]:
    """Medians over `repeat` pairs of first and second open, each in a fresh process."""
    directory = place / f"{kind}-{size}"
    if not directory.exists():
        (make_cookbook if kind == "cookbook" else make_store)(directory, size)
    first, second = list[dict[str, Any]](), list[dict[str, Any]]()
    for _ in range(repeat):
        cache = Path(tempfile.mkdtemp(prefix="cache-", dir=place))
        command = [sys.executable, __file__, "--one", kind, str(directory), str(cache)]
        for results in (first, second):
            started = time.time()
            output = subprocess.run([*command], check=True, capture_output=True, text=True).stdout
            results.append(since(started, json.loads(output)))
        shutil.rmtree(cache)
    middle = {name: round(statistics.median(r[name] for r in first), 3) for name in first[0]}
    again = {f"reopen_{name}": round(statistics.median(r[name] for r in second), 3) for name in ("first", "complete")}
    return {"kind": kind, "steps": size, "runs": repeat, **middle, **again}


def since(started: float, result: dict[str, Any]) -> dict[str, Any]:
    return {k: v - started if k in ("first", "complete") else v for k, v in result.items()}


def open_once(kind: str, directory: str, cache: str) -> dict[str, Any]:
    """Follow one run until it is complete; times are Unix seconds."""
    if kind == "cookbook":
        from tcao_tui.store.cookbook import CookbookSource

        source: Any = CookbookSource(Path(directory), cache_dir=Path(cache))
    else:
        from tcao_tui.services.follow import Follower
        from tcao_tui.store.sqlite import open_store

        source = Follower(open_store(Path(directory), create=False), RUN_ID, cache_dir=Path(cache))
    give_up_at = time.monotonic() + TIMEOUT_SECONDS
    view = source.poll()
    sampled = draw(view)
    first = time.time()
    while not source.caught_up and time.monotonic() < give_up_at:
        time.sleep(0.02)
        view = source.poll()
    complete = time.time()
    started = time.perf_counter()
    points = draw(view)
    drawn = (time.perf_counter() - started) * 1e3
    source.close()
    megabytes = {
        name: resource.getrusage(who).ru_maxrss / 1024
        for name, who in (("rss_mb", resource.RUSAGE_SELF), ("helper_rss_mb", resource.RUSAGE_CHILDREN))
    }
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    spent = {"cpu_seconds": sum(one.ru_utime + one.ru_stime for one in usage)}
    shown = {"points_first": sampled, "points": points, "draw_ms": drawn}
    return {"first": first, "complete": complete, **shown, **spent, **megabytes}


def draw(view: RunView) -> int:
    """Ask for what nine charts show; returns the points behind the first of them."""
    series = list(view.series.values())[:CHARTS]
    counts = [
        sum(column.count for column in one.columns(one.steps[0], one.steps[-1], COLUMNS) if column)
        for one in series
        if len(one)
    ]
    return counts[0] if counts else 0


def rows(size: int) -> Iterator[tuple[float, ...]]:
    noise = random.Random(0)
    for step in range(size):
        yield tuple(step / size if key == "progress" else round(noise.random() * 3, 8) for key in KEYS)


def make_cookbook(directory: Path, size: int) -> None:
    directory.mkdir(parents=True)
    (directory / "config.json").write_text(json.dumps({"model_name": "Qwen/Qwen3-8B", "lr_schedule": "linear"}))
    line = '{"step": %d, ' + ", ".join(f'"{key}": %r' for key in KEYS) + "}\n"
    with (directory / "metrics.jsonl").open("w") as file:
        file.writelines(line % (step, *values) for step, values in enumerate(rows(size)))


def make_store(directory: Path, size: int) -> None:
    from tcao_tui.domain.events import Finished, Launched
    from tcao_tui.store.port import NewRun
    from tcao_tui.store.sqlite import open_store

    with closing(open_store(directory)) as store:
        store.create_run(NewRun(RUN_ID, "bench", "sft", "Qwen/Qwen3-8B", "local", size, time.time()))
        writer = store.writer(RUN_ID)
        writer.commit(events=[Launched(fence=writer.fence, pid=1, host="bench")])
        database = store.path
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("INSERT INTO metric_keys (number, keys) VALUES (1, ?)", (json.dumps(KEYS),))
            body = struct.Struct(f"<{len(KEYS)}d").pack
            connection.executemany(
                "INSERT INTO metrics (run, attempt, step, at, epoch, batch, keys, body)"
                " VALUES (1, 1, ?, ?, 0, ?, 1, ?)",
                ((step + 1, float(step), step, body(*values)) for step, values in enumerate(rows(size))),
            )
            connection.executemany(
                "INSERT INTO spends (run, attempt, at, kind, step, tokens, usd)"
                " VALUES (1, 1, 0.0, 'train', ?, 100, 0.0)",
                ((step + 1,) for step in range(size)),
            )
            connection.execute("UPDATE runs SET step = ? WHERE number = 1", (size,))
        writer.commit(events=[Finished(outcome="completed", exit_code=0)])


if __name__ == "__main__":
    main()
