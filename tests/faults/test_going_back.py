"""A run that goes on from an earlier checkpoint on purpose: it is whole, provable, and pinned weights stay."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tcao_tui.domain.events import Resumed
from tcao_tui.errors import Refused, UsageError
from tcao_tui.services.go_back import GoBack, go_back, plan_go_back
from tcao_tui.services.launch import LaunchResult, resume, start_worker
from tcao_tui.services.runs import find_run
from tcao_tui.services.verify import verify
from tests.fakes.run_lab import WORKER, Lab, until


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.fixture
def run_id(lab: Lab) -> str:
    """Interrupted after step 6 of 7, with checkpoints of at least steps 4 and 6."""
    lab.server.set(step_seconds=0.1)
    run_id = lab.create()
    started = start_worker(lab.store, lab.root, run_id, env=lab.env(), command=WORKER)
    until(lambda: 6 in [c.step for c in lab.view(run_id).checkpoints])
    os.kill(started.pid, signal.SIGKILL)
    until(lambda: not lab.store.lease(run_id).held)
    lab.server.set(step_seconds=0)
    return run_id


def wanted(lab: Lab, run_id: str, place: str) -> GoBack:
    return plan_go_back(lab.store, find_run(lab.store, run_id), place)


def back(lab: Lab, run_id: str, place: str) -> LaunchResult:
    return go_back(lab.store, lab.root, wanted(lab, run_id, place), by="me", env=lab.env(), command=WORKER)


def ended(lab: Lab, run_id: str) -> None:
    until(lambda: not lab.store.lease(run_id).held)


def test_a_run_that_goes_back_trains_the_rest_anew_and_is_proved(lab: Lab, run_id: str) -> None:
    said = wanted(lab, run_id, "4").consequence
    assert "goes back to step 4 of" in said
    assert "1 later checkpoint is no part of it any more" in said
    assert back(lab, run_id, "4").attempt == 2
    ended(lab, run_id)
    lab.check_completed(run_id)
    (resumed,) = [e.event for e in lab.events(run_id) if isinstance(e.event, Resumed)]
    assert (resumed.step, resumed.chosen_by) == (4, "me")
    (check,) = [c for c in verify(lab.store, run_id, runs_root=lab.root).checks if "as me chose" in c.evidence]
    assert check.verdict == "ok"


def test_later_weights_are_kept_when_they_are_pinned(lab: Lab, run_id: str) -> None:
    later = next(c for c in lab.view(run_id).checkpoints if c.step == 6)
    lab.store.checkpoint_notes.write([later.state_path], pinned=True)
    back(lab, run_id, "001-000004")
    ended(lab, run_id)
    assert lab.view(run_id).status == "completed"
    listed = {c.path for c in lab.server.checkpoints(run_id)}
    assert {later.state_path, later.sampler_path} <= listed
    assert verify(lab.store, run_id, runs_root=lab.root, remote=lab.server.checkpoints(run_id)).ok


def test_a_checkpoint_that_is_gone_from_the_server_is_told_and_the_furthest_one_still_serves(
    lab: Lab, run_id: str
) -> None:
    chosen = next(c for c in lab.view(run_id).checkpoints if c.step == 4)
    lab.server.delete(chosen.state_path)
    back(lab, run_id, "4")
    ended(lab, run_id)
    finished = lab.view(run_id).finished
    assert finished is not None
    assert "which the run was to go back to, is gone from the server" in finished.what
    resume(lab.store, lab.root, run_id, env=lab.env(), command=WORKER)
    ended(lab, run_id)
    lab.check_completed(run_id)
    assert [e.event.step for e in lab.events(run_id) if isinstance(e.event, Resumed)] == [6]


def test_what_the_run_cannot_go_on_from_is_refused(lab: Lab, run_id: str) -> None:
    with pytest.raises(UsageError, match="has no checkpoint 5"):
        wanted(lab, run_id, "5")
    with pytest.raises(Refused, match="it is not its own"):
        wanted(lab, run_id, "tinker://other/weights/001-000004")
    back(lab, run_id, "4")
    ended(lab, run_id)
    with pytest.raises(Refused, match="is completed"):
        back(lab, run_id, "7")
