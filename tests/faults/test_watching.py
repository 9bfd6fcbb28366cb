"""Real worker processes with scripted losses: alerts, pilots, early stopping and live changes, also after kills."""

from __future__ import annotations

import math
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.events import Finished, LogLine, PhaseChanged
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.setting_request import SettingRequest
from tcao_tui.domain.training_events import Alert, PilotEnded, SettingChanged
from tcao_tui.errors import ExitCode
from tcao_tui.services import control
from tcao_tui.services.repeat import plan_to_repeat
from tcao_tui.services.verify import verify
from tests.fakes.run_lab import WORKER, Lab, Zygote, until

DAY_SECONDS = 86_400


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with Zygote(Lab(tmp_path_factory.mktemp("zygote"))) as forking:
        yield forking


def spawn(lab: Lab, run_id: str, **env: object) -> subprocess.Popen[bytes]:
    with (lab.root / run_id / "worker.log").open("ab") as log:
        command = [*WORKER, "--runs-root", str(lab.root), run_id]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=lab.env(**env))


def watched(lab: Lab, *, sections: dict[str, Any] | None = None, **training: Any) -> str:
    """A run of 20 steps whose plan has further sections."""
    plan = lab.plan(**{"num_steps": 20, "save_every": 4, "eval_every": 0, **training})
    return lab.create(Plan.model_validate({**plan.model_dump(), **(sections or {})}))


def of[E](lab: Lab, run_id: str, kind: type[E]) -> list[E]:
    return [stored.event for stored in lab.events(run_id) if isinstance(stored.event, kind)]


def ended(lab: Lab, run_id: str) -> Finished:
    return of(lab, run_id, Finished)[-1]


def is_whole(lab: Lab, run_id: str) -> bool:
    report = verify(lab.store, run_id, runs_root=lab.root, remote=lab.server.checkpoints(run_id))
    assert report.ok, report.checks
    return True


def paused_for(lab: Lab, run_id: str) -> str:
    view = lab.view(run_id)
    return view.phase_detail if view.status == "paused" else ""


def test_a_loss_that_breaks_stops_the_run_and_a_resume_goes_on_from_the_last_good_weights(
    lab: Lab, zygote: Zygote
) -> None:
    run_id = watched(lab)
    lab.server.set(losses={str(step): math.nan for step in range(10, 21)})
    assert zygote.attempt(run_id, lab) == ExitCode.RESUMABLE
    [alert] = of(lab, run_id, Alert)
    assert (alert.rule, alert.step, alert.action) == ("not_finite", 10, "stop")
    end = ended(lab, run_id)
    assert (end.outcome, end.what) == ("stopped", "not finite: train_mean_nll is nan at step 10")
    assert [c.step for c in lab.view(run_id).checkpoints] == [4, 8]
    assert any("not saved" in line.message for line in of(lab, run_id, LogLine))
    good = lab.view(run_id).checkpoints[-1]
    assert good.expires_at is not None
    assert good.expires_at > time.time() + 29 * DAY_SECONDS
    assert is_whole(lab, run_id)
    lab.server.set(losses={})
    assert zygote.attempt(run_id, lab) == 0
    lab.check_completed(run_id)
    assert len(of(lab, run_id, Alert)) == 1


def test_a_loss_that_breaks_before_the_first_checkpoint_ends_the_run_with_words(lab: Lab, zygote: Zygote) -> None:
    run_id = watched(lab)
    lab.server.set(losses={str(step): math.nan for step in range(2, 21)})
    assert zygote.attempt(run_id, lab) == ExitCode.FAILED
    assert "no checkpoint was saved before" in ended(lab, run_id).what


def test_a_step_that_is_trained_again_raises_no_second_alert_and_stops_all_the_same(lab: Lab, zygote: Zygote) -> None:
    run_id = watched(lab)
    lab.server.set(losses={str(step): math.nan for step in range(10, 21)})
    for _ in range(2):
        assert zygote.attempt(run_id, lab) == ExitCode.RESUMABLE
    assert [alert.step for alert in of(lab, run_id, Alert)] == [10]


def test_an_explosion_pauses_the_run_until_a_person_resumes_it(lab: Lab) -> None:
    run_id = watched(lab)
    lab.server.set(losses={"10": 50.0})
    worker = spawn(lab, run_id)
    why = until(lambda: paused_for(lab, run_id))
    assert why.startswith("loss explosion: train_mean_nll 50 at step 10")
    control.resume(lab.store, run_id, by="test")
    assert worker.wait(20) == 0
    assert len(of(lab, run_id, Alert)) == 1
    kept = {c.step for c in lab.view(run_id).checkpoints}
    assert 8 in kept, "the last checkpoint before the explosion is kept"
    assert is_whole(lab, run_id)


def test_a_run_that_was_killed_while_it_was_ordered_to_pause_pauses_before_it_trains_on(lab: Lab) -> None:
    run_id = watched(lab)
    lab.server.set(losses={"10": 50.0})
    worker = spawn(lab, run_id)
    until(lambda: paused_for(lab, run_id))
    trained = lab.server.step_count()
    worker.kill()
    worker.wait(20)
    again = spawn(lab, run_id)
    until(lambda: len([e for e in of(lab, run_id, PhaseChanged) if e.phase == "paused"]) == 2)
    assert lab.server.step_count() == trained
    control.resume(lab.store, run_id, by="test")
    assert again.wait(20) == 0
    assert is_whole(lab, run_id)


def test_a_note_tells_and_changes_nothing(lab: Lab, zygote: Zygote) -> None:
    run_id = watched(lab, sections={"watch": {"actions": {"loss_explosion": "note"}}})
    lab.server.set(losses={"10": 50.0})
    assert zygote.attempt(run_id, lab) == 0
    assert [alert.action for alert in of(lab, run_id, Alert)] == ["note"]


EARLY = {"watch": {"early_stopping": {"metric": "val_mean_nll", "patience": 2}}}


def test_early_stopping_ends_well_and_its_best_checkpoint_stays_for_good(lab: Lab, zygote: Zygote) -> None:
    run_id = watched(lab, sections=EARLY, eval_every=3, save_every=0, submit_ahead=0)
    lab.server.set(val_losses={"3": 2.0, "6": 1.0, "9": 1.5, "12": 1.2, "15": 1.3})
    assert zygote.attempt(run_id, lab) == ExitCode.OK
    end = ended(lab, run_id)
    assert end.outcome == "stopped"
    assert end.what == ("early stopping: val_mean_nll did not get better than 1 at step 6 in 2 evals, up to step 12")
    view = lab.view(run_id)
    best = next(c for c in view.checkpoints if c.step <= 7)
    assert best.expires_at is None
    assert is_whole(lab, run_id)


def test_a_pilot_that_does_not_pass_ends_the_run_and_a_person_may_go_on_all_the_same(lab: Lab, zygote: Zygote) -> None:
    run_id = watched(lab, sections={"pilot": {"steps": 6}})
    lab.server.set(losses={str(step): 1.0 + step for step in range(1, 7)})
    assert zygote.attempt(run_id, lab) == ExitCode.REFUSED
    [judged] = of(lab, run_id, PilotEnded)
    assert (judged.passed, judged.step) == (False, 6)
    assert "the loss rises" in ended(lab, run_id).what
    assert zygote.attempt(run_id, lab) == 0
    assert len(of(lab, run_id, PilotEnded)) == 1
    lab.check_completed(run_id)


def test_a_pilot_that_passes_may_ask_before_the_rest(lab: Lab) -> None:
    run_id = watched(lab, sections={"pilot": {"steps": 6, "then": "ask"}})
    worker = spawn(lab, run_id)
    why = until(lambda: paused_for(lab, run_id))
    assert why.startswith("the pilot passed: about $0")
    pilot = lab.view(run_id).marks.pilot
    assert pilot is not None
    assert pilot.measured["tokens_per_step"] == 10
    control.resume(lab.store, run_id, by="test")
    assert worker.wait(20) == 0
    lab.check_completed(run_id)


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_kill_around_the_pilot_leaves_one_judgement(lab: Lab, zygote: Zygote, point: str) -> None:
    run_id = watched(lab, sections={"pilot": {"steps": 6, "then": "continue"}})
    lab.server.set(step_seconds=0.05)
    worker = spawn(lab, run_id)
    until(lambda: lab.store.run(run_id).step >= (5 if point == "before" else 6))
    worker.send_signal(signal.SIGKILL)
    worker.wait(20)
    lab.server.set(step_seconds=0)
    assert zygote.attempt(run_id, lab) == 0
    assert len(of(lab, run_id, PilotEnded)) == 1
    lab.check_completed(run_id)


def test_a_death_at_any_side_effect_around_a_pilot_and_an_alert_says_each_once_and_obeys(
    tmp_path: Path, zygote: Zygote
) -> None:
    """A pilot fails at step 4 and stops the run; a person goes on; a loss that breaks at step 7 stops it once more."""
    log = tmp_path / "points"
    plan = {"pilot": {"steps": 4}}

    def new(place: Path) -> tuple[Lab, str]:
        lab = Lab(place)
        losses = {str(step): float(step) for step in range(1, 5)} | {str(step): math.nan for step in (7, 8, 9)}
        lab.server.set(losses=losses)
        return lab, watched(lab, sections=plan, num_steps=9, save_every=2)

    lab, run_id = new(tmp_path / "first")
    codes = [zygote.attempt(run_id, lab, TCAO_CRASH_LOG=log) for _ in range(2)]
    assert codes == [ExitCode.REFUSED, ExitCode.RESUMABLE]
    points = len(log.read_text().splitlines())
    for number in range(1, points, 5):
        lab, run_id = new(tmp_path / str(number))
        ends = [zygote.attempt(run_id, lab, TCAO_CRASH_AT=number)]
        while ends[-1] != ExitCode.RESUMABLE:
            assert len(ends) < 5, (number, ends)
            ends.append(zygote.attempt(run_id, lab))
        assert len(of(lab, run_id, PilotEnded)) == 1, number
        assert [(alert.rule, alert.step) for alert in of(lab, run_id, Alert)] == [("not_finite", 7)], number
        assert ExitCode.REFUSED in ends or ended(lab, run_id).outcome == "stopped", (number, ends)
        assert is_whole(lab, run_id)


def rates(lab: Lab, run_id: str) -> dict[int, float]:
    series = lab.view(run_id).series["learning_rate"]
    return dict(zip(series.steps, series.values, strict=True))


def test_a_learning_rate_that_a_person_changes_holds_after_a_kill_and_a_replay_repeats_it(
    lab: Lab, zygote: Zygote
) -> None:
    run_id = watched(lab)
    lab.server.set(step_seconds=0.05)
    worker = spawn(lab, run_id)
    until(lambda: lab.store.run(run_id).step >= 5)
    control.change(lab.store, run_id, SettingRequest(key="learning_rate", value=5e-5, why="noisy"), by="ann")
    [changed] = until(lambda: of(lab, run_id, SettingChanged))
    worker.send_signal(signal.SIGKILL)
    worker.wait(20)
    lab.server.set(step_seconds=0)
    assert zygote.attempt(run_id, lab) == 0
    lab.check_completed(run_id)
    assert (changed.old, changed.value, changed.by, changed.why) == (1e-4, 5e-5, "ann", "noisy")
    expected = {step: 5e-5 if step >= changed.step else 1e-4 for step in range(1, 21)}
    assert rates(lab, run_id) == expected
    again = lab.create(plan_to_repeat(lab.store, lab.root, run_id))
    assert zygote.attempt(again, lab) == 0
    assert rates(lab, again) == expected
    [repeated] = of(lab, again, SettingChanged)
    assert repeated == changed, "the curve of the replay has the same mark"
    assert plan_to_repeat(lab.store, lab.root, again).training.changes == (changed.change,)
