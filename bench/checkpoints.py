"""How long until the checkpoints of a server can be looked at, against the SDK's own listing of the same server.

    python bench/checkpoints.py [--count 2000] [--repeat 5]

An engine is given so many checkpoints by bulk insert, half of them of runs in a store of ours with ten checkpoints
each. Prints one JSON object with medians in seconds: the SDK's listing in pages of 1,000; ours through a helper that
is warm, until the first rows and until everything is joined, filtered, sorted and priced; the same for a helper that
has to be started first; and peak memory in MB of the process that lists and of the helper.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RUNS_OF_OURS_SHARE = 0.5
PER_RUN = 10
NOW = 1_780_000_000.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Listing many checkpoints.")
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="checkpoints-") as place:
        for name in ("STATE", "CONFIG", "CACHE"):
            os.environ[f"TCAO_{name}_DIR"] = str(Path(place) / name.lower())
        print(json.dumps(measure(Path(place), arguments.count, arguments.repeat)))


def measure(place: Path, count: int, repeat: int) -> dict[str, Any]:
    from tcao_tui import paths
    from tcao_tui.services import engine_server

    engine_server.start(paths.engine_dir())
    engine_server.stop(paths.engine_dir())
    fill_engine(paths.engine_dir() / "engine.db", count)
    fill_store(place / "runs", count)
    engine_server.start(paths.engine_dir())
    try:
        cold = ours(place / "runs", repeat=1)
        warm = ours(place / "runs", repeat=repeat, warm=True)
        plain = plain_sdk(repeat)
    finally:
        engine_server.stop(paths.engine_dir())
    return {
        "checkpoints": count,
        "sdk_seconds": plain,
        "first_rows_seconds": warm["first"],
        "complete_seconds": warm["complete"],
        "ratio": warm["complete"] / plain,
        "cold_first_rows_seconds": cold["first"],
        "table_seconds": warm["table"],
        "peak_mb": cold["peak_mb"],
        "helper_peak_mb": warm["helper_peak_mb"],
    }


def fill_engine(database: Path, count: int) -> None:
    """Runs of ten checkpoints each, one a minute; every first half of them says that a run of ours saved it."""
    with sqlite3.connect(database) as connection:
        lora = json.dumps({"rank": 32, "seed": 0})
        connection.executemany(
            "INSERT INTO runs (id, session_id, created_at, last_request_at, base_model, lora)"
            " VALUES (?, 'bench', ?, ?, 'tcao/tiny-qwen3', ?)",
            [(f"bench-{number}:train:0", NOW, NOW, lora) for number in range(count // PER_RUN)],
        )
        connection.executemany(
            "INSERT INTO checkpoints (run_id, kind, name, created_at, blob, size_bytes, user_metadata)"
            " VALUES (?, 'weights', ?, ?, 'none', 2700000, ?)",
            [checkpoint_row(number, count) for number in range(count)],
        )
    connection.close()


def checkpoint_row(number: int, count: int) -> tuple[str, str, float, str | None]:
    run, step = divmod(number, PER_RUN)
    ours_too = number < count * RUNS_OF_OURS_SHARE
    told = {"tcao_run": f"run-{run}", "attempt": "1", "step": str(step + 1)} if ours_too else None
    return f"bench-{run}:train:0", f"001-{step + 1:06d}", NOW + 60 * number, json.dumps(told) if told else None


def fill_store(root: Path, count: int) -> None:
    """A store with the runs that saved the first half, each with its events and validations."""
    from tcao_tui.domain.checkpoints import CheckpointRecord, DataCursor
    from tcao_tui.domain.events import CheckpointSaved, Finished, Launched, MetricRow
    from tcao_tui.store.port import NewRun
    from tcao_tui.store.sqlite import open_store

    store = open_store(root)
    for number in range(int(count * RUNS_OF_OURS_SHARE) // PER_RUN):
        run_id = f"run-{number}"
        store.create_run(NewRun(run_id, f"bench {number}", "sft", "tcao/tiny-qwen3", "local", PER_RUN, NOW))
        records = [
            CheckpointRecord(
                name=f"001-{step:06d}",
                attempt=1,
                step=step,
                cursor=DataCursor(epoch=0, batch=step),
                reason="periodic",
                state_path=f"tinker://bench-{number}:train:0/weights/001-{step:06d}",
            )
            for step in range(1, PER_RUN + 1)
        ]
        store.writer(run_id).commit(
            events=[
                Launched(fence=1, pid=1, host="bench"),
                *(CheckpointSaved(checkpoint=record) for record in records),
                Finished(outcome="completed", exit_code=0),
            ],
            metrics=[MetricRow(attempt=1, step=r.step, at=NOW, values={"val_mean_nll": 1 / r.step}) for r in records],
        )
    store.close()


def plain_sdk(repeat: int) -> float:
    """Everything in pages of 1,000 by the SDK alone, in this process."""
    import tinker

    from tcao_tui.services.backends import connection, resolve_profile
    from tcao_tui.settings import Settings

    at = connection(resolve_profile(Settings(), "local", {}))
    key = at.api_key.get_secret_value() if at.api_key else None
    rest = tinker.RestClient(base_url=at.base_url, api_key=key)

    def listing() -> None:
        offset, total = 0, 1
        while offset < total:
            page = rest.list_user_checkpoints(1000, offset).result()
            offset, total = offset + len(page.checkpoints), page.cursor.total_count if page.cursor else 0

    listing()
    return statistics.median(seconds(listing) for _ in range(repeat))


def ours(root: Path, *, repeat: int, warm: bool = False) -> dict[str, float]:
    from tcao_tui.clients.checkpoint_calls import AskOffers
    from tcao_tui.domain.checkpoint_table import CheckpointFilter, filtered, ordered
    from tcao_tui.services.backend_helper import BackendHelper
    from tcao_tui.services.backends import resolve_profile
    from tcao_tui.services.checkpoints import CheckpointDesk
    from tcao_tui.settings import Settings
    from tcao_tui.store.sqlite import open_store

    profile, store = resolve_profile(Settings(), "local", {}), open_store(root, create=False)
    found: dict[str, list[float]] = {"first": [], "complete": [], "table": []}
    with BackendHelper("local", purpose="bench") as helper:
        if warm:
            helper.call(AskOffers())
        for _ in range(repeat):
            desk = CheckpointDesk(store, profile, helper)
            began, first = time.perf_counter(), list[float]()
            listing = desk.listing(lambda _, began=began, first=first: first.append(time.perf_counter() - began))
            found["complete"].append(time.perf_counter() - began)
            found["first"].append(first[0])
            began = time.perf_counter()
            ordered(filtered(listing.checkpoints, CheckpointFilter(text="bench"), now=NOW), "score")
            found["table"].append(time.perf_counter() - began)
    store.close()
    peaks = {
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "helper_peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    return {name: statistics.median(values) for name, values in found.items()} | peaks


def seconds(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
