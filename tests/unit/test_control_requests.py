from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tcao_tui.domain.events import ControlHandled, Launched, PhaseChanged, Verb
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.domain.schedule import eval_every_at, learning_rate_at
from tcao_tui.domain.setting_request import SettingRequest
from tcao_tui.domain.training_config import SettingChange, TrainingConfig
from tcao_tui.domain.training_events import SettingChanged
from tcao_tui.services import control
from tcao_tui.services.control import refusal
from tcao_tui.store.memory import MemoryStore
from tcao_tui.store.port import ControlRequest, NewRun
from tcao_tui.worker.changing import changed

VERBS: list[Verb] = ["stop", "pause", "resume", "checkpoint", "change"]


@pytest.mark.parametrize("status", [s for s in RunStatus if not s.is_live])
def test_nothing_can_be_asked_of_a_run_without_a_worker(status: RunStatus) -> None:
    assert all(status in refusal(status, [], verb) for verb in VERBS)


@pytest.mark.parametrize(
    ("status", "pending", "allowed"),
    [
        (RunStatus.RUNNING, [], {"stop", "pause", "checkpoint", "change"}),
        (RunStatus.WAITING, [], {"stop", "pause", "checkpoint", "change"}),
        (RunStatus.STARTING, [], {"stop", "pause", "checkpoint", "change"}),
        (RunStatus.PAUSED, [], {"stop", "resume", "change"}),
        (RunStatus.RUNNING, ["stop"], set[str]()),
        (RunStatus.RUNNING, ["pause"], {"stop", "resume", "checkpoint", "change"}),
        (RunStatus.RUNNING, ["checkpoint"], {"stop", "pause", "change"}),
        (RunStatus.RUNNING, ["change"], {"stop", "pause", "checkpoint", "change"}),
        (RunStatus.PAUSED, ["resume"], {"stop", "pause", "checkpoint", "change"}),
    ],
)
def test_a_live_run_takes_what_makes_sense_in_its_state(
    status: RunStatus, pending: list[Verb], allowed: set[str]
) -> None:
    assert {verb for verb in VERBS if not refusal(status, pending, verb)} == allowed


CONFIG = TrainingConfig.model_validate(
    {"base_model": "m", "run_name": "n", "train_file": "t", "learning_rate": 1e-3, "eval_every": 20}
)


def running(method: str = "sft") -> MemoryStore:
    store = MemoryStore()
    store.create_run(NewRun("r", "n", method, "m", "local", 9, 0.0))
    store.writer("r").commit(events=[Launched(fence=1, pid=1, host="h"), PhaseChanged(phase="training")])
    store.hold("r")
    return store


def request(body: str, number: int = 7) -> ControlRequest:
    return ControlRequest(number, "r", "change", "ann", 1.0, body)


@pytest.mark.parametrize(
    "wanted",
    [
        {"key": "learning_rate", "value": 0},
        {"key": "learning_rate", "value": 1.5},
        {"key": "learning_rate", "value": "nan"},
        {"key": "eval_every", "value": 2.5},
        {"key": "eval_every", "value": -1},
        {"key": "lora_rank", "value": 8},
        {"key": "learning_rate", "value": "fast"},
    ],
)
def test_a_setting_is_asked_for_within_its_range(wanted: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SettingRequest.model_validate(wanted)


@pytest.mark.parametrize("method", ["sft", "rl", "pipeline"])
def test_a_change_is_posted_with_its_body_whatever_the_method(method: str) -> None:
    store = running(method)
    wanted = SettingRequest(key="learning_rate", value=2e-4, why="noisy")
    control.change(store, "r", wanted, by="ann")
    [posted] = store.pending_controls("r")
    assert SettingRequest.model_validate_json(posted.body) == wanted


def test_a_request_becomes_an_event_that_says_who_why_from_when_and_what_it_was() -> None:
    wanted = SettingRequest(key="learning_rate", value=2e-4, why="noisy")
    event, answer = changed(request(wanted.model_dump_json()), CONFIG, 12, [])
    assert event == SettingChanged(step=12, key="learning_rate", old=1e-3, value=2e-4, by="ann", why="noisy")
    assert answer == ControlHandled(request_id=7, verb="change", accepted=True)
    assert isinstance(event, SettingChanged)
    again, _ = changed(request('{"key": "learning_rate", "value": 1e-5}'), CONFIG, 13, [event.change])
    assert isinstance(again, SettingChanged)
    assert again.old == 2e-4


def test_a_request_that_is_not_understood_is_refused_and_changes_nothing() -> None:
    [answer] = changed(request('{"key": "lora_rank", "value": 8}'), CONFIG, 12, [])
    assert isinstance(answer, ControlHandled)
    assert not answer.accepted
    assert "not understood" in answer.reason


def test_of_two_changes_the_one_made_last_counts_also_after_a_resume_from_before_both() -> None:
    changes = [
        SettingChange(step=50, key="learning_rate", value=5e-4),
        SettingChange(step=41, key="learning_rate", value=1e-4),
        SettingChange(step=45, key="eval_every", value=5),
    ]
    assert [learning_rate_at(CONFIG, step, changes) for step in (40, 41, 49, 50, 60)] == [1e-3, 1e-4, 1e-4, 1e-4, 1e-4]
    assert [eval_every_at(CONFIG, step, changes) for step in (44, 45)] == [20, 5]
