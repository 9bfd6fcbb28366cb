"""The range test of a pilot with the real worker, SDK and engine: what comes of it, and what a death amid it costs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tcao_tui.domain.events import Finished, PhaseChanged
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_events import PilotEnded, RangeCellBegan, RangeCellTrained, RangeTested
from tcao_tui.domain.watch_plan import PilotPlan, RangeTest
from tcao_tui.errors import ExitCode
from tcao_tui.services import control
from tcao_tui.services.verify import verify
from tcao_tui.store.port import Cursor
from tests.fakes.plans import resolve
from tests.fakes.real_lab import RealLab, real_lab
from tests.fakes.run_lab import until

pytestmark = pytest.mark.timeout(1800)

CELLS, STEPS, CELL_STEPS = 2, 3, 6


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealLab]:
    with real_lab(tmp_path_factory.mktemp("range") / "lab") as found:
        yield found


def plan_of(lab: RealLab, method: str = "sft", **terms: Any) -> Plan:
    changes: dict[str, Any] = {"learning_rates": (1e-3,), "parallel": 1, "if_worse": "note", **terms}
    pilot = PilotPlan(steps=2, range_test=RangeTest(steps=CELL_STEPS, **changes))
    return resolve(lab.real_plan(method, num_steps=STEPS).model_copy(update={"pilot": pilot}))


def found[E](lab: RealLab, run_id: str, kind: type[E]) -> list[E]:
    return [stored.event for stored in lab.events(run_id) if isinstance(stored.event, kind)]


def check(lab: RealLab, run_id: str, clean: list[tuple[float | None, ...]] | None = None) -> None:
    view = lab.view(run_id)
    assert view.status == "completed", lab.log(run_id)
    trained = sorted(found(lab, run_id, RangeCellTrained), key=lambda cell: cell.index)
    assert [cell.index for cell in trained] == list(range(1, CELLS + 1)), "each cell is done once"
    assert [len(cell.losses) for cell in trained] == [CELL_STEPS] * CELLS
    for cell, losses in zip(trained, clean or [], strict=bool(clean)):
        assert list(cell.losses) == pytest.approx(list(losses), abs=1e-4)
    assert len(found(lab, run_id, RangeTested)) == 1
    assert len(found(lab, run_id, PilotEnded)) == 1
    report = verify(lab.store, run_id, runs_root=lab.root, remote=lab.listed(run_id))
    assert report.ok, report.checks


def losses(lab: RealLab, run_id: str) -> list[tuple[float | None, ...]]:
    return [cell.losses for cell in sorted(found(lab, run_id, RangeCellTrained), key=lambda cell: cell.index)]


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_cells_are_trained_before_the_first_step_and_leave_no_rows_and_no_checkpoints(
    lab: RealLab, method: str
) -> None:
    run_id = lab.create_real(plan_of(lab, method, parallel=2))
    assert lab.attempt(run_id) == 0, lab.log(run_id)
    check(lab, run_id)
    view, key = lab.view(run_id), {"sft": "train_mean_nll", "dpo": "dpo_loss"}[method]
    assert list(view.series[key].steps) == [1, 2, 3]
    assert {saved.step for saved in view.checkpoints} == {2, 3}
    first, second = losses(lab, run_id)
    assert first[0] == pytest.approx(second[0], abs=1e-4), "all cells begin with the same weights and the same batch"
    assert first[-1] != pytest.approx(second[-1], abs=1e-4)
    own = [cell for cell in found(lab, run_id, RangeCellTrained) if cell.is_own]
    assert [(cell.learning_rate, cell.lora_rank) for cell in own] == [(1e-2, 4)]
    # The plan's own cell is the beginning of the run itself.
    assert list(own[0].losses[:3]) == pytest.approx(list(view.series[key].values), abs=1e-4)
    spends = lab.store.read(run_id, Cursor(), limit=100_000).spends
    cells = [spend for spend in spends if spend.step == 0 and spend.kind == "train"]
    assert len(cells) == CELLS * CELL_STEPS
    assert sum(spend.tokens for spend in spends) == view.tokens == lab.store.run(run_id).tokens
    details = [event.detail for event in found(lab, run_id, PhaseChanged) if event.phase == "piloting"]
    assert details[0] == "range test, cell 1 of 2: learning rate 0.001, rank 4"


def test_a_death_amid_the_test_repeats_no_cell_that_was_done_and_says_which_one_is_trained_again(lab: RealLab) -> None:
    clean_id, names = lab.undisturbed(plan_of(lab))
    check(lab, clean_id)
    clean = losses(lab, clean_id)
    sends = [number for number, name in enumerate(names, start=1) if name == "remote.submit_step"]
    opens = [number for number, name in enumerate(names, start=1) if name == "remote.open_trainer"]
    # Amid the first cell, between the cells, and around the verdict; everywhere else in the slow test.
    for number in (sends[3], opens[1] - 1, opens[2] - 4):
        run_id = lab.create_real(plan_of(lab))
        assert lab.attempt(run_id, TCAO_CRASH_AT=number) == -signal.SIGKILL, (number, lab.log(run_id))
        done = {cell.index for cell in found(lab, run_id, RangeCellTrained)}
        begun = {cell.index for cell in found(lab, run_id, RangeCellBegan)}
        assert lab.attempt(run_id) == 0, (number, lab.log(run_id))
        check(lab, run_id, clean)
        again = {cell.index for cell in found(lab, run_id, RangeCellBegan) if cell.again}
        assert again == begun - done, number


@pytest.mark.slow
def test_cells_at_the_same_time_are_each_done_once_wherever_the_worker_dies(lab: RealLab) -> None:
    clean_id, names = lab.undisturbed(plan_of(lab, parallel=2))
    clean = losses(lab, clean_id)
    last = max(number for number, name in enumerate(names, start=1) if name == "remote.open_trainer")
    for number in (n for n, name in enumerate(names[:last], start=1) if name != "mirror.write"):
        run_id = lab.create_real(plan_of(lab, parallel=2))
        assert lab.attempt(run_id, TCAO_CRASH_AT=number) == -signal.SIGKILL, (number, lab.log(run_id))
        assert lab.attempt(run_id) == 0, (number, lab.log(run_id))
        check(lab, run_id, clean)


def worse(lab: RealLab, if_worse: str) -> Plan:
    """All rows in each batch, so that losses fall without noise, and a learning rate that hardly moves them."""
    plan = plan_of(lab, learning_rates=(2e-3,), if_worse=if_worse)
    config = plan.training.model_copy(update={"learning_rate": 1e-6, "train_batch_size": 8})
    return plan.model_copy(update={"training": config})


def test_values_that_do_worse_stop_the_run_before_its_first_step_and_who_resumes_it_has_seen_why(lab: RealLab) -> None:
    run_id = lab.create_real(worse(lab, "stop"))
    assert lab.attempt(run_id) == ExitCode.REFUSED, lab.log(run_id)
    [end], [tested] = found(lab, run_id, Finished), found(lab, run_id, RangeTested)
    assert (end.outcome, lab.view(run_id).step, tested.passed) == ("stopped", 0, False)
    assert tested.finding in end.what
    assert tested.finding.endswith(": training.learning_rate: 0.002")
    assert lab.attempt(run_id) == 0, lab.log(run_id)
    check(lab, run_id)


def test_values_that_do_worse_pause_the_run_until_a_person_lets_it_go_on(lab: RealLab) -> None:
    run_id = lab.create_real(worse(lab, "pause"))
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(lab.attempt, run_id)
        why = until(lambda: paused_for(lab, run_id), seconds=60)
        assert why.startswith("range test: at the plan's own values (learning rate 1e-06, rank 4) the loss falls to")
        assert lab.view(run_id).step == 0
        control.resume(lab.store, run_id, by="test")
        assert ending.result(120) == 0, lab.log(run_id)
    check(lab, run_id)


def test_a_stop_amid_a_cell_is_obeyed_and_the_cell_is_left_to_the_next_attempt(lab: RealLab) -> None:
    run_id = lab.create_real(plan_of(lab))
    lab.faults({"verb": "optim_step", "nth": 3, "delay_seconds": 2.0})
    with ThreadPoolExecutor(1) as pool:
        ending = pool.submit(lab.attempt, run_id)
        until(lambda: found(lab, run_id, RangeCellBegan), seconds=60)
        control.stop(lab.store, run_id, by="test")
        assert ending.result(120) == ExitCode.RESUMABLE, lab.log(run_id)
    lab.faults()
    assert found(lab, run_id, RangeCellTrained) == []
    assert lab.view(run_id).checkpoints == ()
    assert lab.attempt(run_id) == 0, lab.log(run_id)
    check(lab, run_id)


def paused_for(lab: RealLab, run_id: str) -> str:
    view = lab.view(run_id)
    return view.phase_detail if view.status == "paused" else ""
