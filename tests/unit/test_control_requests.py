from __future__ import annotations

import pytest

from tcao_tui.domain.events import Verb
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.services.control import refusal

VERBS: list[Verb] = ["stop", "pause", "resume", "checkpoint"]


@pytest.mark.parametrize("status", [s for s in RunStatus if not s.is_live])
def test_nothing_can_be_asked_of_a_run_without_a_worker(status: RunStatus) -> None:
    assert all(status in refusal(status, [], verb) for verb in VERBS)


@pytest.mark.parametrize(
    ("status", "pending", "allowed"),
    [
        (RunStatus.RUNNING, [], {"stop", "pause", "checkpoint"}),
        (RunStatus.WAITING, [], {"stop", "pause", "checkpoint"}),
        (RunStatus.STARTING, [], {"stop", "pause", "checkpoint"}),
        (RunStatus.PAUSED, [], {"stop", "resume"}),
        (RunStatus.RUNNING, ["stop"], set[str]()),
        (RunStatus.RUNNING, ["pause"], {"stop", "resume", "checkpoint"}),
        (RunStatus.RUNNING, ["checkpoint"], {"stop", "pause"}),
        (RunStatus.PAUSED, ["resume"], {"stop", "pause", "checkpoint"}),
    ],
)
def test_a_live_run_takes_what_makes_sense_in_its_state(
    status: RunStatus, pending: list[Verb], allowed: set[str]
) -> None:
    assert {verb for verb in VERBS if not refusal(status, pending, verb)} == allowed
