"""Runs of different settings held against each other."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from tcao_tui.domain.comparison import ComparedRun, Comparison, Ledger, compare
from tcao_tui.domain.events import Launched, MetricRow, PhaseChanged, StoredEvent
from tcao_tui.domain.run_state import RunState
from tcao_tui.domain.run_view import RunStatus
from tests.fakes.views import ALIVE, STARTED_AT, a_summary

SETTINGS: dict[str, Any] = {
    "training.base_model": "tcao/tiny-qwen3",
    "training.learning_rate": 0.001,
    "training.lora_rank": 16,
    "training.train_file": "tickets.jsonl (1f3a90bc)",
}


def compared_run(run_id: str, number: int) -> ComparedRun:
    """Run `number` learns the slower and the deeper the greater its number is, at a hundred tokens and 1 s a step."""
    steps = 40 + 10 * number
    state = RunState(replace(a_summary(name=run_id, total_steps=80), run_id=run_id))
    for seq, event in enumerate((Launched(fence=1, pid=7, host="lab"), PhaseChanged(phase="training")), 1):
        state.apply(StoredEvent(seq=seq, run_id=run_id, attempt=1, at=STARTED_AT, event=event))
    for step in range(1, steps + 1):
        loss = 0.5 - 0.1 * number + 3 * math.exp(-step / (8 + 4 * number)) + 0.1 * math.sin(step * 1.7)
        values = {"train_mean_nll": loss, **({"val_mean_nll": loss + 0.2} if step % 10 == 0 else {})}
        state.apply_metrics(
            MetricRow(attempt=1, step=step, at=STARTED_AT + step, epoch=0, batch=step - 1, values=values)
        )
    status = RunStatus.RUNNING if number else RunStatus.STOPPED
    view = state.view(ALIVE, now=STARTED_AT + steps)
    view = replace(view, status=status, tokens=100 * steps, cost_usd=0.0002 * steps)
    ledger = Ledger(
        steps=range(1, steps + 1),
        tokens=[100.0 * step for step in range(1, steps + 1)],
        seconds=[1.0 * step for step in range(1, steps + 1)],
        usd=[0.0002 * step for step in range(1, steps + 1)],
    )
    rate = {"training.learning_rate": 0.001 * (number + 1), "training.lora_rank": 16 if number < 2 else 64}
    only = {"training.warmup_steps": 10} if number == 1 else {}
    return ComparedRun(run_id, view, ledger, {**SETTINGS, **rate, **only})


def compared_runs(*run_ids: str) -> Comparison:
    """These runs, by the validation loss along steps."""
    return compare([compared_run(run_id, number) for number, run_id in enumerate(run_ids)])
