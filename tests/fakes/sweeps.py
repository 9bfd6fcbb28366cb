"""Approved sweeps of small plans on the fake server, and a sweeper that tests can kill."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tcao_tui.domain.cost import CostEstimate, CostRange
from tcao_tui.domain.plan import approval_hash
from tcao_tui.domain.sweep import Overrides, expand, grid
from tcao_tui.services.backends import KeySource, Profile
from tcao_tui.services.launch import resume, start_worker
from tcao_tui.services.sweep_driver import Sweeper
from tcao_tui.store.port import Approval
from tcao_tui.store.sweep_file import CellRecord, SweepRecord, create_sweep
from tests.fakes.fake_tinker import FREE
from tests.fakes.plans import resolve
from tests.fakes.run_lab import WORKER, Lab

PROFILE = Profile("fake", "tinker", None, KeySource("sdk"), "a test")
NOTHING = CostEstimate((), CostRange(0, 0, 0), is_free=True, price_source="free")
SEEDS = grid([("training.seed", [1, 2, 3])])


def make(lab: Lab, overrides: tuple[Overrides, ...] = SEEDS, *, parallel: int = 2, by: str = "train_mean_nll") -> str:
    """An approved sweep called `try`, of which nothing runs yet."""
    cells: list[CellRecord] = []
    for cell in expand(lab.plan().model_dump(mode="json"), overrides, name="try"):
        plan = resolve(cell.plan)
        approval = Approval(approval_hash(plan, FREE), "auto", "test", time.time(), FREE.model_dump_json())
        cells.append(
            CellRecord(
                index=cell.index,
                name=plan.training.run_name,
                overrides=cell.overrides,
                plan=plan,
                approval=approval,
                cost=NOTHING,
            )
        )
    record = SweepRecord(
        name="try", created_at=time.time(), profile="fake", max_parallel=parallel, by=by, cells=tuple(cells)
    )
    create_sweep(lab.root, record)
    return record.name


def sweeper(lab: Lab, *, report: Callable[[str], None] = lambda _: None) -> Sweeper:
    """One whose workers are real processes on the fake server."""
    fake = {"env": lab.env(), "command": WORKER}
    return Sweeper(
        lab.store,
        lab.root,
        "try",
        PROFILE,
        report=report,
        start_worker=partial(start_worker, **fake),
        resume_run=partial(resume, **fake),
    )


if __name__ == "__main__":
    sweeper(Lab(Path(sys.argv[1])), report=partial(print, flush=True)).run()
