"""Sweeps as a console sees them, without runs: amid the work, over, and one whose record is broken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tcao_tui.domain.headlines import Headline
from tcao_tui.domain.sweep_table import PROBLEM, SCORE, CellRow, FollowedSweep, table

VAL = Headline("val_mean_nll", "val")


def cell(index: int, status: str, value: float | None, of: int = 0, **overrides: Any) -> CellRow:
    """A cell whose run, unless it waits, went as far as its status says."""
    steps = {"completed": 80, "running": 37}.get(status, 0)
    began = steps > 0
    return CellRow(
        index,
        tuple((f"training.{key}", given) for key, given in overrides.items()),
        f"ranks-{index:02d}",
        run_id=f"20260101-10000{index}-ranks-{index:02d}-abcd" if began else "",
        status=status,
        step=steps,
        total_steps=80,
        train_loss=0.4 / index if began else None,
        val_loss=0.5 / index if began else None,
        score=value if of else None,
        tokens=steps * 2_000,
        cost_usd=0.0,
        value=value,
        value_step=steps,
        of=of,
        problem="the backend is away: \x1b[31mno route" if status == PROBLEM else "",
    )


def working() -> FollowedSweep:
    """By score, amid the work: two cells over, one trains, one waits, one could not be started."""
    rows = [
        cell(1, "completed", 0.94, 100, learning_rate=1e-4, lora_rank=8),
        cell(2, "completed", 0.98, 100, learning_rate=1e-4, lora_rank=32),
        cell(3, "running", None, learning_rate=3e-4, lora_rank=8),
        cell(4, "waiting", None, learning_rate=3e-4, lora_rank=32),
        cell(5, PROBLEM, None, learning_rate=1e-3, lora_rank=8),
    ]
    return FollowedSweep("ranks", table("ranks", rows, SCORE, is_driven=True))


def over() -> FollowedSweep:
    """By validation loss, every cell completed."""
    rows = [cell(i, "completed", loss, seed=i) for i, loss in enumerate((0.31, 0.29, 0.4), start=1)]
    return FollowedSweep("seeds", table("seeds", rows, VAL))


def broken() -> FollowedSweep:
    """Its record cannot be read."""
    return FollowedSweep("torn", None, "the record of sweep torn cannot be read: 1 values do not fit")


def wide() -> FollowedSweep:
    """Many settings with long values, so that columns have to go."""
    keys = ("learning_rate", "lora_rank", "warmup_steps", "train_batch_size", "a_setting_with_a_long_name")
    rows = [cell(i, "completed", 0.3 / i, **dict.fromkeys(keys, f"value-{i}-\x1b[1mthat goes on")) for i in (1, 2)]
    found = table("wide", rows, VAL)
    return FollowedSweep("wide", replace(found, keys=tuple(f"training.{key}" for key in keys)))
