"""Evaluations that come together: what stands twice is one, and what only looks alike keeps a place of its own."""

from __future__ import annotations

from tcao_tui.domain.eval_merge import merge
from tcao_tui.domain.evaluation import CellKey, CellRecord, CellState, Subject
from tests.fakes.evaluated import record, task


def test_one_step_of_three_attempts_is_three_subjects() -> None:
    paths = [f"tinker://run/sampler_weights/{attempt:03d}-000040" for attempt in range(3)]
    told = [
        record(
            path,
            tasks=(task("tickets"),),
            subjects=(Subject(name="r@40", base_model="tiny", checkpoint=path, run_id="r", step=40),),
        )
        for path in paths
    ]
    cell = CellRecord(task="tickets", subject="r@40", state=CellState.DONE)
    found = merge([(one, [cell]) for one in told])
    names = [subject.name for subject in found.subjects]
    assert names == ["r@40", "r@40 (000040)", "r@40 (002-000040)"]
    assert [found.cells[CellKey("tickets", name)].evaluation_id for name in names] == paths
