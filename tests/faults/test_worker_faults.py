"""Real worker processes on the fake server: rivals, zombies, signals, full disks, outages and lost answers."""

from __future__ import annotations

import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui.domain.events import CheckpointSaved, Finished, Launched, LogLine, Resumed, Verb, Waiting
from tcao_tui.errors import ExitCode
from tests.fakes.fake_tinker import FREE
from tests.fakes.run_lab import WORKER, Lab, Zygote, freeze, until


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


def launches(lab: Lab, run_id: str) -> int:
    return sum(isinstance(e.event, Launched) for e in lab.events(run_id))


def finished(lab: Lab, run_id: str) -> Finished:
    return next(e.event for e in reversed(lab.events(run_id)) if isinstance(e.event, Finished))


def test_of_two_workers_that_start_at_once_exactly_one_has_the_run(lab: Lab) -> None:
    lab.server.set(step_seconds=0.15)
    for _ in range(3):
        run_id = lab.create()
        codes = sorted(worker.wait(60) for worker in [spawn(lab, run_id), spawn(lab, run_id)])
        assert codes == [ExitCode.OK, ExitCode.REFUSED]
        assert launches(lab, run_id) == 1
        lab.check_completed(run_id)


@pytest.mark.slow
def test_twenty_pairs_of_rivals_make_twenty_whole_runs(lab: Lab) -> None:
    lab.server.set(step_seconds=0.15)
    for _ in range(20):
        run_id = lab.create()
        assert sorted(w.wait(60) for w in [spawn(lab, run_id), spawn(lab, run_id)]) == [ExitCode.OK, ExitCode.REFUSED]
        lab.check_completed(run_id)


def test_a_frozen_worker_that_wakes_up_after_its_successor_writes_nothing(lab: Lab, zygote: Zygote) -> None:
    lab.server.set(step_seconds=0.1)
    run_id = lab.create()
    zombie = spawn(lab, run_id)
    until(lambda: lab.store.run(run_id).step >= 3)
    freeze(lab, zombie)
    # What only happens when somebody deletes the lock or the file system forgets it: the fence has to do alone.
    (lab.root / run_id / "lock").unlink()
    lab.server.set(step_seconds=0)
    assert zygote.attempt(run_id, lab) == 0
    before = len(lab.events(run_id)), len(lab.rows(run_id))
    zombie.send_signal(signal.SIGCONT)
    assert zombie.wait(20) == ExitCode.REFUSED
    assert (len(lab.events(run_id)), len(lab.rows(run_id))) == before
    assert lab.view(run_id).status == "completed"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signalled_worker_saves_and_ends_resumable(lab: Lab, zygote: Zygote, number: signal.Signals) -> None:
    lab.server.set(step_seconds=0.1)
    run_id = lab.create()
    worker = spawn(lab, run_id)
    until(lambda: lab.store.run(run_id).step >= 1)
    worker.send_signal(number)
    assert worker.wait(20) == ExitCode.RESUMABLE
    assert finished(lab, run_id).outcome == "interrupted"
    newest = lab.view(run_id).checkpoints[-1]
    assert newest.reason == "stop"
    assert newest.step == lab.store.run(run_id).step
    assert zygote.attempt(run_id, lab) == 0
    lab.check_completed(run_id)


def test_a_signalled_worker_that_is_stuck_ends_within_its_grace(lab: Lab) -> None:
    lab.server.set(step_seconds=60)
    run_id = lab.create()
    worker = spawn(lab, run_id, FAKE_GRACE=0.2)
    until(lambda: lab.view(run_id).phase == "training")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == ExitCode.RESUMABLE
    assert finished(lab, run_id).outcome == "interrupted"


def test_a_closed_terminal_changes_nothing(lab: Lab) -> None:
    lab.server.set(step_seconds=0.05)
    run_id = lab.create()
    worker = spawn(lab, run_id)
    until(lambda: lab.store.run(run_id).step >= 1)
    worker.send_signal(signal.SIGHUP)
    assert worker.wait(20) == 0
    lab.check_completed(run_id)


def test_changed_data_is_refused_by_the_worker_itself(lab: Lab, zygote: Zygote) -> None:
    run_id = lab.create()
    lab.data.write_bytes(lab.data.read_bytes() + b"\n")
    assert zygote.attempt(run_id, lab) == ExitCode.REFUSED
    assert "training.train_file" in finished(lab, run_id).what
    assert lab.server.step_count() == 0


def test_an_edited_plan_is_not_what_was_approved(lab: Lab, zygote: Zygote) -> None:
    run_id = lab.create()
    config = lab.root / run_id / "training-config.yaml"
    config.write_text(config.read_text().replace("num_steps: 7", "num_steps: 700"))
    assert zygote.attempt(run_id, lab) == ExitCode.NEEDS_INPUT
    assert lab.server.step_count() == 0


def test_no_file_of_a_run_holds_a_secret_of_the_environment(lab: Lab) -> None:
    canary = "tml-canary-5f1e"
    lab.server.set(failing_steps=1)
    run_id = lab.create()
    assert spawn(lab, run_id, TINKER_API_KEY=canary, WANDB_API_KEY=canary).wait(20) == 0
    files = [p for p in lab.root.rglob("*") if p.is_file()]
    assert len(files) >= 5
    assert [p for p in files if canary.encode() in p.read_bytes()] == []


def test_a_disk_that_fills_up_during_a_commit_costs_no_recorded_step(lab: Lab, zygote: Zygote) -> None:
    run_id = lab.create(lab.plan(num_steps=400, save_every=40, eval_every=0))
    database = lab.root / "state.db"
    limit = database.stat().st_size + (database.with_name("state.db-wal")).stat().st_size + 150_000

    def small_files() -> None:
        # Writing past the limit fails like a full disk, once the signal that says so is ignored.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    with (lab.root / run_id / "worker.log").open("ab") as log:
        command = [*WORKER, "--runs-root", str(lab.root), run_id]
        worker = subprocess.Popen(command, stderr=log, env=lab.env(), preexec_fn=small_files)
    assert worker.wait(60) == ExitCode.RESUMABLE
    said = (lab.root / run_id / "worker.log").read_text()
    assert "cannot be written" in said or "disk" in said
    steps = [row.step for row in lab.rows(run_id)]
    assert steps == list(range(1, len(steps) + 1))
    assert 0 < len(steps) < 400
    assert zygote.attempt(run_id, lab) == 0
    lab.check_completed(run_id)


def test_an_outage_is_shown_waited_out_and_trained_through(lab: Lab) -> None:
    lab.server.set(step_seconds=0.05)
    run_id = lab.create()
    worker = spawn(lab, run_id)
    until(lambda: lab.store.run(run_id).step >= 3)
    lab.server.set(down=True)
    until(lambda: (w := lab.view(run_id).waiting) is not None and w.reason == "outage")
    time.sleep(0.2)
    lab.server.set(down=False)
    assert worker.wait(30) == 0
    assert lab.view(run_id).waiting is None
    assert lab.view(run_id).attempt > 1
    lab.check_completed(run_id)


@pytest.mark.slow
def test_a_server_that_is_there_and_refuses_everything_is_waited_for_longer_than_errors_are(
    lab: Lab, zygote: Zygote
) -> None:
    lab.server.set(refused_connections=12)
    run_id = lab.create()
    assert zygote.attempt(run_id, lab) == 0
    assert launches(lab, run_id) == 13
    waits = [e.event for e in lab.events(run_id) if isinstance(e.event, Waiting)]
    assert {(w.reason, w.detail) for w in waits if not w.over} == {("outage", "the fake server answers 503")}
    assert sum(w.over for w in waits) == sum(not w.over for w in waits)
    assert lab.view(run_id).tokens == 7 * 10
    lab.check_completed(run_id)


def test_a_stop_during_an_outage_ends_resumable_at_once(lab: Lab, zygote: Zygote) -> None:
    lab.server.set(step_seconds=0.05)
    run_id = lab.create()
    worker = spawn(lab, run_id)
    until(lambda: lab.store.run(run_id).step >= 3)
    lab.server.set(down=True)
    until(lambda: lab.view(run_id).waiting)
    lab.store.post_control(run_id, "stop", by="test", at=time.time())
    assert worker.wait(20) == ExitCode.RESUMABLE
    assert finished(lab, run_id).outcome == "stopped"
    assert lab.store.pending_controls(run_id) == []
    lab.server.set(down=False)
    assert zygote.attempt(run_id, lab) == 0
    lab.check_completed(run_id)


def test_a_server_that_keeps_failing_ends_the_run_with_a_reason(lab: Lab, zygote: Zygote) -> None:
    run_id = lab.create()
    lab.server.set(failing_steps=1000)
    assert zygote.attempt(run_id, lab) == ExitCode.BACKEND
    assert "nothing gets better" in finished(lab, run_id).what
    assert f"tcao resume {run_id}" in finished(lab, run_id).next_step
    lab.server.set(failing_steps=0)
    assert zygote.attempt(run_id, lab) == 0
    lab.check_completed(run_id)


def test_a_save_whose_answer_is_lost_is_found_on_the_server(lab: Lab, zygote: Zygote) -> None:
    run_id = lab.create()
    lab.server.set(lost_save_answers=1)
    assert zygote.attempt(run_id, lab) == 0
    assert launches(lab, run_id) == 1
    lab.check_completed(run_id)


def test_a_resume_point_that_expired_costs_the_steps_it_says(lab: Lab, zygote: Zygote) -> None:
    run_id = lab.create()
    assert zygote.attempt(run_id, lab, TCAO_CRASH_AT=49) == -signal.SIGKILL
    newest = lab.view(run_id).checkpoints[-1]
    assert newest.step == 6
    lab.server.delete(newest.state_path)
    assert zygote.attempt(run_id, lab) == 0
    said = [e.event.message for e in lab.events(run_id) if isinstance(e.event, LogLine)]
    assert any("2 steps are lost" in message for message in said)
    assert [e.event.step for e in lab.events(run_id) if isinstance(e.event, Resumed)] == [4]
    lab.check_completed(run_id)


def test_a_run_whose_resume_points_are_all_gone_does_not_silently_start_anew(lab: Lab, zygote: Zygote) -> None:
    run_id = lab.create()
    zygote.attempt(run_id, lab, TCAO_CRASH_AT=49)
    for checkpoint in lab.server.checkpoints(run_id):
        lab.server.delete(checkpoint.path)
    steps = lab.server.step_count()
    assert zygote.attempt(run_id, lab) == ExitCode.BACKEND
    assert "every resume point" in finished(lab, run_id).what
    assert lab.server.step_count() == steps


def test_a_server_that_cannot_list_is_resumed_from_what_the_store_knows(lab: Lab, zygote: Zygote) -> None:
    lab.server.set(no_listing=True)
    run_id = lab.create()
    zygote.attempt(run_id, lab, TCAO_CRASH_AT=49)
    assert zygote.attempt(run_id, lab) == 0
    lab.check_completed(run_id)


def test_pause_checkpoint_resume_and_stop_are_each_carried_out_and_answered(lab: Lab) -> None:
    lab.server.set(step_seconds=0.05)
    run_id = lab.create(lab.plan(num_steps=200, save_every=0))
    worker = spawn(lab, run_id)
    until(lambda: lab.store.run(run_id).step >= 1)

    def ask(verb: Verb) -> None:
        lab.store.post_control(run_id, verb, by="test", at=time.time())
        until(lambda: verb == "stop" or not lab.store.pending_controls(run_id))

    ask("checkpoint")
    assert [c.reason for c in lab.view(run_id).checkpoints] == ["requested"]
    ask("pause")
    until(lambda: lab.view(run_id).status == "paused")
    step = lab.store.run(run_id).step
    ask("resume")
    until(lambda: lab.store.run(run_id).step > step)
    ask("stop")
    assert worker.wait(20) == ExitCode.RESUMABLE
    assert finished(lab, run_id).outcome == "stopped"
    saved = [e.event.checkpoint.reason for e in lab.events(run_id) if isinstance(e.event, CheckpointSaved)]
    assert saved == ["requested", "pause", "stop"]
    assert lab.store.pending_controls(run_id) == []


def test_the_cap_on_cost_ends_the_run_with_a_checkpoint(lab: Lab, zygote: Zygote) -> None:
    priced = FREE.model_copy(update={"train_usd": 1.0})
    run_id = lab.create(lab.plan(cap=3.5), quote=priced)
    assert zygote.attempt(run_id, lab) == ExitCode.BUDGET
    assert finished(lab, run_id).outcome == "budget"
    view = lab.view(run_id)
    assert view.checkpoints[-1].step == view.step
    assert view.cost_usd is not None
    assert view.cost_usd <= 3.5 + 3
