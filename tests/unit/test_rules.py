from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tcao_tui.domain.interview import Asked, Entry, Said, StoredEntry, ToolEnded, ToolStarted
from tcao_tui.domain.interview_state import fold
from tcao_tui.domain.planning import sheet_of
from tcao_tui.domain.questions import QUESTIONS_IN_ALL, Answer, Card, Question
from tcao_tui.errors import BackendError, PlanInvalid
from tcao_tui.planner.hearing import heard_entries
from tcao_tui.planner.rules.cards import rounded_up
from tcao_tui.planner.rules.case import Case
from tcao_tui.planner.rules.moves import Ask, Say, UseTool, Wait
from tcao_tui.planner.rules.planner import next_move
from tcao_tui.planner.session import Session
from tests.fakes.drafts import value_of
from tests.fakes.interviews import SessionLab
from tests.scenarios.rows import FileSpec, write

OPENING = "It should sort tickets by topic, rows in tickets.jsonl."


@pytest.fixture
def lab(tmp_path: Path) -> SessionLab:
    return SessionLab(tmp_path)


def after(session: Session, *entries: Entry) -> Case:
    """The case once more entries are on record."""
    state = session.state
    for entry in entries:
        state = fold(state, StoredEntry(seq=state.seq + 1, interview_id=state.interview_id, at=1.0, entry=entry))
    return Case(state, sheet_of(state.draft, state.facts))


def said(session: Session) -> str:
    words = [stored.entry for stored in session.state.transcript if isinstance(stored.entry, Said)]
    return next(entry.text for entry in reversed(words) if entry.who == "planner")


def say(session: Session, words: str) -> None:
    asyncio.run(session.say(words))


def ready(lab: SessionLab) -> Session:
    session = lab.session()
    say(session, f"{OPENING} At least 80% correct.")
    assert session.sheet.is_ready, said(session)
    return session


def test_a_new_interview_asks_for_goal_and_data_and_for_nothing_else(lab: SessionLab) -> None:
    move = next_move(after(lab.session()))
    assert isinstance(move, Ask)
    assert [question.id for question in move.questions] == ["goal", "data"]
    assert all(question.default is None for question in move.questions)


def test_deciding_is_pure_and_an_open_card_is_waited_for(lab: SessionLab) -> None:
    session = lab.session()
    case = after(session)
    assert next_move(case) == next_move(case)
    assert session.state.seq == lab.session().state.seq
    open_card = Asked(card=Card(id="c", questions=(Question(id="goal", text="?", kind="text"),)))
    assert next_move(after(session, open_card)) == Wait()


def test_rows_are_looked_at_before_anything_else_is_asked(lab: SessionLab) -> None:
    session = lab.session()
    say(session, OPENING)
    kinds = [entry.kind for entry in (stored.entry for stored in session.state.transcript)]
    assert kinds.index("tool_started") < kinds.index("asked")
    assert lab.desk.asked[:2] == ["inspect tickets.jsonl", "capabilities"]


def test_a_turn_that_has_nothing_to_do_does_nothing(lab: SessionLab) -> None:
    session = ready(lab)
    seq = session.state.seq
    asyncio.run(session.go_on())
    assert session.state.seq == seq


def test_what_was_assumed_is_listed_once(lab: SessionLab) -> None:
    session = ready(lab)
    assert "Assumed, since nobody said otherwise:" in said(session)
    asyncio.run(session.set_value("training.num_steps", 120))
    asyncio.run(session.go_on())
    assert said(session).startswith("The plan is ready: SFT of tcao/tiny-qwen3 on 84 rows, 120 steps")
    assert "Assumed" not in said(session)


def test_a_value_that_breaks_a_gate_is_told_with_its_fix(lab: SessionLab) -> None:
    session = ready(lab)
    asyncio.run(session.set_value("training.lora_rank", 48))
    asyncio.run(session.go_on())
    assert said(session).startswith("The plan cannot be approved yet:")
    assert "training.lora_rank" in said(session)
    assert "Fix: set it to 32 or 64" in said(session)


def test_a_server_that_is_away_is_asked_again_when_the_person_says_so(lab: SessionLab) -> None:
    lab.desk.failures["capabilities"] = BackendError("no engine here", next_step="tcao doctor")
    session = lab.session()
    say(session, f"{OPENING} At least 80% correct.")
    assert "no engine here; tcao doctor" in said(session)
    assert lab.desk.asked.count("capabilities") == 1
    del lab.desk.failures["capabilities"]
    say(session, "go on")
    assert session.sheet.is_ready


def test_a_file_that_cannot_be_opened_is_asked_for_again_with_the_reason(lab: SessionLab) -> None:
    lab.desk.failures["inspect"] = PlanInvalid("cannot be read: Permission denied", next_step="check its rights")
    session = lab.session()
    say(session, OPENING)
    card = session.state.open_card
    assert card is not None
    assert "Permission denied; check its rights" in card.questions[0].quotes[0]
    del lab.desk.failures["inspect"]
    asyncio.run(session.answer(card.id, [Answer(question="data", value="tickets.jsonl")]))
    assert session.state.facts.profiles


def test_a_file_is_looked_at_again_when_the_person_corrected_it(lab: SessionLab) -> None:
    write(lab.project / "tickets.jsonl", FileSpec(rows="labels", count=60, bad=30))
    session = lab.session()
    say(session, f"{OPENING} At least 80% correct.")
    card = session.state.open_card
    assert card is not None
    assert [question.id for question in card.questions] == ["bad_rows"]
    assert (card.questions[0].default, card.questions[0].options[0].value) == (None, "correct")
    asyncio.run(session.answer(card.id, [Answer(question="bad_rows", value="correct")]))
    assert "say “again”" in said(session)
    write(lab.project / "tickets.jsonl", FileSpec(rows="labels", count=90))
    say(session, "I corrected it, look again.")
    assert session.sheet.is_ready, said(session)


def test_bad_rows_are_left_out_of_a_copy_and_the_file_stays_as_it_is(lab: SessionLab) -> None:
    write(lab.project / "tickets.jsonl", FileSpec(rows="labels", count=120, bad=2))
    before = (lab.project / "tickets.jsonl").read_bytes()
    session = lab.session()
    say(session, f"{OPENING} At least 80% correct. Just do it.")
    assert session.sheet.is_ready, said(session)
    (split,) = session.state.facts.splits
    assert split.source.parent.parent == lab.desk.work_dir
    assert value_of(session.sheet.draft, "training.run_name") == "tickets-sft"
    assert (lab.project / "tickets.jsonl").read_bytes() == before


def test_what_a_split_could_not_do_ends_with_what_is_missing(lab: SessionLab) -> None:
    lab.desk.failures["split"] = PlanInvalid("the disk is full", next_step="make room")
    session = lab.session()
    say(session, f"{OPENING} At least 80% correct. Just do it.")
    assert not session.sheet.is_ready
    card = session.state.open_card
    assert card is not None
    assert card.questions[0].id == "evals"


def test_no_more_than_ten_questions_are_ever_asked(lab: SessionLab) -> None:
    session = lab.session()
    many = [Question(id=f"q{n}", text="?", kind="text") for n in range(QUESTIONS_IN_ALL)]
    cards = [Asked(card=Card(id=f"c{n}", questions=tuple(many[n : n + 4]))) for n in (0, 4, 8)]
    full = after(session, *cards)
    assert full.room == 0
    closed = Case(replace(full.state, open_card=None), full.sheet)
    assert isinstance(next_move(closed), Say)


def test_a_tool_that_answered_is_not_asked_again(lab: SessionLab) -> None:
    session = ready(lab)
    started = [s.entry for s in session.state.transcript if isinstance(s.entry, ToolStarted)]
    calls = [(entry.tool, str(entry.arguments)) for entry in started]
    assert len(set(calls)) == len(calls)
    assert all(s.entry.ok for s in session.state.transcript if isinstance(s.entry, ToolEnded))


def test_a_call_that_settles_nothing_is_not_repeated_for_ever(lab: SessionLab) -> None:
    session = lab.session()
    say(session, OPENING)
    asked = dict.fromkeys(lab.desk.asked)
    for _ in range(3):
        asyncio.run(session.go_on())
    assert dict.fromkeys(lab.desk.asked) == asked


@pytest.mark.parametrize(("usd", "cap"), [(0.0, 0.01), (0.0042, 0.01), (1.234, 1.3), (99.1, 100.0), (12.0, 12.0)])
def test_a_cap_is_offered_that_people_would_name(usd: float, cap: float) -> None:
    assert rounded_up(usd) == pytest.approx(cap)
    assert rounded_up(usd) >= usd


def test_words_that_are_not_understood_are_owned_up_to(lab: SessionLab) -> None:
    session = ready(lab)
    say(session, "Make it sing.")
    assert said(session).startswith("I find nothing in that which changes the plan.")
    seq = session.state.seq
    say(session, "use SFT")
    assert session.state.seq > seq
    assert said(session).startswith("The plan is ready")


def test_words_that_leave_a_question_open_are_answered_with_that(lab: SessionLab) -> None:
    session = lab.session()
    say(session, OPENING)
    card = session.state.open_card
    assert card is not None
    say(session, "What is a score, please?")
    assert session.state.open_card == card
    assert "still open" in said(session)


def test_the_first_move_after_goal_and_data_is_a_look(lab: SessionLab) -> None:
    session = lab.session()
    move = next_move(after(session, *heard_entries(OPENING, session.state)))
    assert move == UseTool("inspect_data", {"path": str((lab.project / "tickets.jsonl").resolve())})
