from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.draft import Filled
from tcao_tui.domain.interview import (
    Answered,
    Approved,
    Entry,
    PlanWritten,
    RunStarted,
    Said,
    SlotFilled,
    ToolEnded,
)
from tcao_tui.errors import Refused
from tcao_tui.planner.calls import INTERRUPTED
from tests.fakes.interviews import SessionLab

OPENING = "It should sort tickets by topic, rows in tickets.jsonl. At least 80% correct. Just do it."


@pytest.fixture
def lab(tmp_path: Path) -> SessionLab:
    return SessionLab(tmp_path)


PERSONS_ENTRIES: list[Entry] = [
    Answered(card_id="c", answers=()),
    Approved(approval_hash="x", how="typed", by="me", plan={}, quote={}),
    RunStarted(run_id="r"),
    PlanWritten(directory="/x"),
    Said(who="you", text="do it"),
    SlotFilled(path="budget.max_cost_usd", filled=Filled(value=9, by="you")),
]


@pytest.mark.parametrize("entry", PERSONS_ENTRIES, ids=lambda entry: entry.kind)
def test_planners_do_not_speak_or_act_for_the_person(entry: Entry, lab: SessionLab) -> None:
    with pytest.raises(Refused, match="only a person"):
        lab.session().append(Said(who="planner", text="x"), entry)
    assert lab.kinds() == ["started"]


def call(lab: SessionLab, tool: str, arguments: dict[str, Any], call_id: str = "") -> dict[str, Any]:
    return asyncio.run(lab.session().call(tool, arguments, call_id)).result


def test_a_call_is_recorded_with_its_end_and_what_was_learned(lab: SessionLab) -> None:
    result = call(lab, "inspect_data", {"path": "tickets.jsonl"}, "t-1")
    assert (result["ok"], result["rows"], result["kind"]) == (True, 120, "chat")
    assert lab.kinds() == ["started", "tool_started", "learned", "tool_ended"]
    assert lab.session().state.facts.profile(lab.project / "tickets.jsonl") is not None


def test_an_id_that_was_called_is_answered_from_the_record(lab: SessionLab) -> None:
    first = call(lab, "inspect_data", {"path": "tickets.jsonl"}, "t-1")
    assert call(lab, "inspect_data", {"path": "tickets.jsonl"}, "t-1") == first
    assert lab.desk.asked == ["inspect tickets.jsonl"]


@pytest.mark.parametrize(
    ("tool", "arguments", "path", "told"),
    [
        ("inspect", {}, "tool", "use inspect_data"),
        ("inspect_data", {}, "path", "Field required"),
        ("inspect_data", {"path": "tickets.jsonl", "rendrer": "x"}, "rendrer", "use renderer"),
        ("inspect_data", {"path": "tickets.jsonl", "max_seq_len": "many"}, "max_seq_len", "valid integer"),
        ("inspect_data", {"path": "none.jsonl"}, "path", "there is no file"),
        ("inspect_data", {"path": "/etc/passwd"}, "path", "may not be read"),
        ("inspect_data", {"path": "tickets.jsonl", "model": "x"}, "model", "list_models first"),
    ],
)
def test_a_call_that_is_wrong_is_told_in_the_words_of_gates(
    tool: str, arguments: dict[str, Any], path: str, told: str, lab: SessionLab
) -> None:
    result = call(lab, tool, arguments)
    (error,) = result["errors"]
    assert set(error) == {"path", "got", "expected", "fix"}
    assert error["path"] == path
    assert told in " ".join(error.values())
    assert lab.kinds() == ["started", "tool_started", "tool_ended"]
    assert lab.desk.asked == []


def test_an_error_that_nobody_foresaw_ends_the_call_on_record(lab: SessionLab) -> None:
    def fail(service: str) -> None:
        raise ZeroDivisionError

    lab.desk.before_ending = fail
    with pytest.raises(ZeroDivisionError):
        call(lab, "list_models", {})
    assert lab.kinds() == ["started", "tool_started", "tool_ended"]


def held(lab: SessionLab) -> tuple[threading.Event, threading.Event]:
    """A service that waits to be let go; says when it was reached."""
    reached, go = threading.Event(), threading.Event()

    def hold(service: str) -> None:
        reached.set()
        go.wait()

    lab.desk.before_ending = hold
    return reached, go


async def until(event: threading.Event) -> None:
    await asyncio.to_thread(event.wait)


def test_an_interrupt_ends_the_turn_and_leaves_nothing_running(lab: SessionLab) -> None:
    reached, go = held(lab)
    session = lab.session()

    async def interrupt() -> None:
        talking = asyncio.ensure_future(session.say(OPENING))
        await until(reached)
        assert session.interrupt()
        await talking
        go.set()

    asyncio.run(interrupt())
    ended = lab.entries(ToolEnded)
    assert [entry.result for entry in ended if isinstance(entry, ToolEnded)] == [INTERRUPTED]
    assert lab.kinds()[-2:] == ["tool_ended", "interrupted"]
    assert session.state.running_tools == ()
    assert not session.interrupt()
    lab.desk.before_ending = lambda service: None
    asyncio.run(session.go_on())
    assert session.sheet.is_ready


def test_a_cancelled_act_is_an_interrupt_too(lab: SessionLab) -> None:
    reached, go = held(lab)
    session = lab.session()

    async def cancel() -> None:
        talking = asyncio.ensure_future(session.say(OPENING))
        await until(reached)
        talking.cancel()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await talking

    asyncio.run(cancel())
    assert lab.kinds()[-2:] == ["tool_ended", "interrupted"]


def test_what_is_said_during_a_turn_is_taken_up_after_it(lab: SessionLab) -> None:
    reached, go = held(lab)
    session = lab.session()

    async def talk() -> None:
        first = asyncio.ensure_future(session.say("It should sort tickets by topic, from tickets.jsonl."))
        await until(reached)
        second = asyncio.ensure_future(session.say("Just do it."))
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(first, second)

    asyncio.run(talk())
    assert session.sheet.is_ready
    assert session.state.questions <= 1
