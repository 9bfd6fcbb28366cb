from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

import pytest

from tcao_tui.domain.draft import Filled
from tcao_tui.domain.interview import (
    Asked,
    PlannerChanged,
    PlannerName,
    Said,
    SlotFilled,
    StoredEntry,
    ToolStarted,
)
from tcao_tui.domain.questions import Answer, Card, Option, Question
from tcao_tui.errors import Refused, UsageError
from tcao_tui.planner.calls import INTERRUPTED
from tcao_tui.planner.port import HandOver, Interview, ToolProgress
from tcao_tui.planner.session import Session
from tests.fakes.interviews import ScriptedPlanner, SessionLab

OPENING = "It should sort tickets by topic, rows in tickets.jsonl. At least 80% correct. Just do it."
CARD = Card(
    id="card",
    questions=(
        Question(id="goal", text="What for?", kind="text"),
        Question(id="method", text="How?", kind="one", options=(Option(value="sft", label="SFT"),), default="sft"),
    ),
)


@pytest.fixture
def lab(tmp_path: Path) -> SessionLab:
    return SessionLab(tmp_path)


@pytest.fixture
def asked(tmp_path: Path) -> tuple[SessionLab, Session]:
    async def ask(interview: Interview) -> None:
        interview.append(Asked(card=CARD))

    lab = SessionLab(tmp_path, planner=ScriptedPlanner(ask))
    session = lab.session()
    asyncio.run(session.go_on())
    return lab, session


def ready(lab: SessionLab, opening: str = OPENING) -> Session:
    session = lab.session()
    asyncio.run(session.say(opening))
    assert session.sheet.is_ready
    return session


def test_what_the_person_says_is_recorded_heard_and_taken_up_by_the_planner(lab: SessionLab) -> None:
    session = ready(lab)
    assert lab.kinds()[:2] == ["started", "said"]
    assert session.state.draft["training.train_file"].by == "data"
    assert session.state.draft["success.threshold"].value == 0.8
    assert session.state.use_defaults
    recorded = [news for news in lab.heard if isinstance(news, StoredEntry)]
    assert recorded == lab.store.entries(lab.interview_id)[1:]
    assert any(isinstance(news, ToolProgress) for news in lab.heard)


def test_the_sheet_is_made_anew_only_when_draft_or_facts_change(lab: SessionLab) -> None:
    session = ready(lab)
    sheet = session.sheet
    session.append(Said(who="planner", text="hm"))
    assert session.sheet is sheet
    asyncio.run(session.set_value("training.lora_rank", 16))
    assert session.sheet is not sheet


def test_answers_fill_slots_in_the_persons_name(asked: tuple[SessionLab, Session]) -> None:
    lab, session = asked
    answers = [Answer(question="goal", value="sort mail"), Answer(question="method", value="sft")]
    asyncio.run(session.answer("card", answers))
    assert lab.kinds() == ["started", "asked", "answered", "filled", "filled"]
    assert session.state.open_card is None
    filled = session.state.draft
    assert (filled["goal"].value, filled["goal"].by) == ("sort mail", "you")
    assert filled["method"].reason == "you answered: SFT"


def test_a_question_that_is_left_to_its_default_fills_nothing(asked: tuple[SessionLab, Session]) -> None:
    _, session = asked
    answers = [Answer(question="goal", value="sort mail"), Answer(question="method", value="no idea")]
    asyncio.run(session.answer("card", answers, defaults_for_rest=True))
    assert "method" not in session.state.draft
    assert session.state.use_defaults


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        ([Answer(question="goal", value=None)], "only you can answer"),
        ([Answer(question="goal", value="don't know")], "only you can answer"),
        ([Answer(question="method", value="magic")], "no method 'magic'"),
        ([Answer(question="budget", value=3)], "has no question budget"),
    ],
)
def test_an_answer_that_does_not_fit_is_told_and_leaves_the_card_open(
    answers: list[Answer], what: str, asked: tuple[SessionLab, Session]
) -> None:
    lab, session = asked
    with pytest.raises(UsageError, match=what):
        asyncio.run(session.answer("card", answers))
    assert lab.kinds() == ["started", "asked"]
    assert session.state.open_card == CARD


def test_answers_to_another_card_are_refused(asked: tuple[SessionLab, Session]) -> None:
    with pytest.raises(Refused, match="not open any more"):
        asyncio.run(asked[1].answer("card-7", []))


def test_words_that_answer_all_of_a_card_close_it(tmp_path: Path) -> None:
    card = Card(id="c", questions=(Question(id="method", text="How?", kind="one"),))

    async def ask(interview: Interview) -> None:
        interview.append(Asked(card=card))

    lab = SessionLab(tmp_path, planner=ScriptedPlanner(ask))
    session = lab.session()
    asyncio.run(session.go_on())
    asyncio.run(session.say("Use SFT."))
    assert lab.kinds()[2:] == ["said", "filled", "answered"]
    assert session.state.open_card is None


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("training.lora_rnk", 8, "did you mean training.lora_rank"),
        ("training.num_steps", 0, "greater than or equal to 1"),
        ("training.train_file", "nowhere.jsonl", "there is no file"),
        ("data.train_file", "ab", "the plan has no data.train_file"),
    ],
)
def test_a_value_that_cannot_stand_there_is_told(path: str, value: object, what: str, lab: SessionLab) -> None:
    with pytest.raises(UsageError, match=what):
        asyncio.run(lab.session().set_value(path, value))
    assert lab.kinds() == ["started"]


def test_a_value_that_is_taken_back_is_decided_by_policy_again(lab: SessionLab) -> None:
    session = ready(lab)
    decided = session.sheet.draft["training.lora_rank"]
    asyncio.run(session.set_value("training.lora_rank", "4"))
    assert session.sheet.draft["training.lora_rank"].value == 4
    asyncio.run(session.clear_value("training.lora_rank"))
    assert session.sheet.draft["training.lora_rank"] == decided


def test_an_interview_whose_console_died_is_mended_by_the_next_act(lab: SessionLab) -> None:
    started = ToolStarted(call_id="t-1", tool="inspect_data", arguments={"path": "tickets.jsonl"})
    last = lab.store.entries(lab.interview_id)[-1].seq
    lab.store.append(lab.interview_id, [started], after=last, at=1.0)
    session = lab.session()
    assert lab.kinds() == ["started", "tool_started"]  # to look at it changes nothing
    asyncio.run(session.set_value("training.lora_rank", 8))
    assert lab.kinds()[2:] == ["tool_ended", "interrupted", "filled"]
    again = asyncio.run(session.call("inspect_data", {"path": "tickets.jsonl"}, "t-1"))
    assert again.result == INTERRUPTED


def test_of_two_consoles_the_one_that_comes_too_late_is_refused(lab: SessionLab) -> None:
    one, other = lab.session(), lab.session()
    asyncio.run(one.set_value("training.lora_rank", 8))
    with pytest.raises(Refused, match="another console"):
        asyncio.run(other.set_value("training.lora_rank", 16))
    assert lab.session().state.draft["training.lora_rank"].value == 8


def test_a_planner_that_cannot_go_on_hands_over_and_everything_stays(tmp_path: Path) -> None:
    class Leaving:
        name: ClassVar[PlannerName] = "llm"

        async def go_on(self, interview: Interview) -> None:
            interview.append(SlotFilled(path="training.lora_rank", filled=Filled(value=8, by="model", reason="small")))
            raise HandOver("the model declined")

    lab = SessionLab(tmp_path, others={"llm": Leaving()})
    session = lab.session()
    session.switch_planner("llm")
    asyncio.run(session.go_on())
    changed = [entry for entry in lab.entries(PlannerChanged) if isinstance(entry, PlannerChanged)]
    assert [(entry.planner, entry.why) for entry in changed] == [
        ("llm", "the person chose it"),
        ("rules", "the model declined"),
    ]
    assert session.state.draft["training.lora_rank"].value == 8
    assert session.state.open_card is not None


def test_a_planner_that_is_gone_is_replaced_by_the_rules(lab: SessionLab) -> None:
    last = lab.store.entries(lab.interview_id)[-1].seq
    changed = PlannerChanged(planner="llm", why="there was a key then")
    lab.store.append(lab.interview_id, [changed], after=last, at=1.0)
    session = lab.session()
    asyncio.run(session.go_on())
    assert session.state.planner == "rules"
    with pytest.raises(Refused, match="no llm planner here"):
        session.switch_planner("llm")
