"""Comparing runs of the store and directories of the tinker-cookbook; reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tcao_tui.domain.comparison import Axis, ComparedRun, Comparison, Ledger, compare
from tcao_tui.domain.draft import flat
from tcao_tui.domain.file_keys import named_files
from tcao_tui.domain.ledger import LedgerState
from tcao_tui.domain.plan import DataHashes, Plan
from tcao_tui.errors import UsageError
from tcao_tui.services.follow import read_view, to_end
from tcao_tui.services.plans import plan_of_run
from tcao_tui.services.runs import find_run
from tcao_tui.store.cookbook import CookbookSource
from tcao_tui.store.cookbook_files import ConfigFile
from tcao_tui.store.port import Cursor, RunStore

MOST_RUNS = 8
"""More curves than this cannot be told apart."""

_COOKBOOK_KEYS = {
    "model_name": "training.base_model",
    "learning_rate": "training.learning_rate",
    "lora_rank": "training.lora_rank",
    "batch_size": "training.train_batch_size",
    "max_length": "training.max_seq_len",
    "lr_schedule": "training.lr_schedule",
    "eval_every": "training.eval_every",
    "save_every": "training.save_every",
}


def compare_runs(
    store: RunStore,
    runs_root: Path,
    references: Sequence[str],
    *,
    axis: Axis = "step",
    metric: str | None = None,
) -> Comparison:
    """Hold runs against each other, each read to its end; blocks on disk.

    Args:
        store: The run store.
        runs_root: Its root.
        references: Runs by id, name or `latest`, or directories that the tinker-cookbook writes.
        axis: What the curves run along.
        metric: Key of what is drawn; the most telling shared one when None.

    Raises:
        UsageError: A run or the metric is none, one is named twice, or there are too many.
    """
    if len(references) > MOST_RUNS:
        raise UsageError(f"{len(references)} runs are too many to tell apart", next_step=f"name at most {MOST_RUNS}")
    found = [_read(store, runs_root, reference) for reference in references]
    ids = [run.view.run_id for run in found]
    if twice := [run_id for run_id, count in Counter(ids).items() if count > 1]:
        raise UsageError(f"{twice[0]} is named twice", next_step="name each run once; `tcao ls` lists them")
    names = Counter(run.view.name for run in found)
    labels = [run.view.name if names[run.view.name] == 1 else run.view.run_id for run in found]
    labelled = [
        ComparedRun(label, run.view, run.ledger, run.settings) for label, run in zip(labels, found, strict=True)
    ]
    return compare(labelled, axis=axis, metric=metric)


def settings_of(plan: Plan) -> dict[str, Any]:
    """A plan by key path; data files are named with the beginning of their hash, since it is content that counts."""
    plain = plan.model_dump(mode="json")
    for named in named_files(plain):
        hashes = plan.data if named.stage is None else next(iter(plan.stage_data[named.stage :]), DataHashes())
        named.replace(f"{Path(named.text).name} ({hashes.of(named)[:8] or 'not hashed'})")
    return {path: filled.value for path, filled in flat(plain).items()}


def _read(store: RunStore, runs_root: Path, reference: str) -> ComparedRun:
    directory = Path(reference).expanduser()
    if "/" in reference or (directory / "metrics.jsonl").is_file():
        if not directory.is_dir():
            raise UsageError(f"{reference} is no directory")
        return _cookbook(directory)
    run_id = find_run(store, reference).run_id
    view, plan = read_view(store, run_id), plan_of_run(runs_root, run_id)
    settings = dict[str, Any]() if plan is None else settings_of(plan)
    return ComparedRun(view.name, view, _ledger(store, run_id), settings)


def _cookbook(directory: Path) -> ComparedRun:
    with closing(CookbookSource(directory)) as source:
        view = to_end(source)
    config = ConfigFile(directory / "config.json")
    config.poll()
    values = {path: filled.value for path, filled in flat(config.values).items()}
    settings = {_COOKBOOK_KEYS.get(path, f"cookbook.{path}"): value for path, value in values.items()}
    return ComparedRun(view.name, view, None, settings)


def _ledger(store: RunStore, run_id: str) -> Ledger:
    state, cursor, more = LedgerState(), Cursor(), True
    while more:
        batch = store.read(run_id, cursor)
        state.add(batch.events, batch.metrics, batch.spends)
        cursor, more = batch.cursor, batch.more
    return state.ledger()
