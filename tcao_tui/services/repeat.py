"""The plan that carries a recorded run out again: what was approved, and what a person changed while it trained."""

from __future__ import annotations

from pathlib import Path

from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_config import SettingChange
from tcao_tui.domain.training_events import SettingChanged
from tcao_tui.store.plan_file import PLAN_NAME, read_plan
from tcao_tui.store.port import PAST_EVERY_ROW, Cursor, RunStore


def plan_to_repeat(store: RunStore, runs_root: Path, run_id: str) -> Plan:
    """The plan in the run's directory with the changes of its record, at the steps from which they held.

    Raises:
        PlanInvalid: The file is no plan.
    """
    plan = read_plan(runs_root / run_id / PLAN_NAME)
    # The record of a repeated run has the changes of its plan too.
    changes = tuple(dict.fromkeys((*plan.training.changes, *_recorded(store, run_id))))
    return plan.model_copy(update={"training": plan.training.model_copy(update={"changes": changes})})


def _recorded(store: RunStore, run_id: str) -> list[SettingChange]:
    found: list[SettingChange] = []
    cursor, more = Cursor(metric=PAST_EVERY_ROW, spend=PAST_EVERY_ROW), True
    while more:
        batch = store.read(run_id, cursor)
        cursor, more = batch.cursor, batch.more
        found += [stored.event.change for stored in batch.events if isinstance(stored.event, SettingChanged)]
    return found
