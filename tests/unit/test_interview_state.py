from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.domain.data_profile import DataProfile, FieldMap
from tcao_tui.domain.draft import Filled, nested
from tcao_tui.domain.interview import (
    Answered,
    Approved,
    Asked,
    Entry,
    Interrupted,
    Learned,
    PlannerChanged,
    Said,
    SlotCleared,
    SlotFilled,
    Started,
    StoredEntry,
    ToolEnded,
    ToolStarted,
    UnknownEntry,
    parse_entry,
)
from tcao_tui.domain.interview_state import InterviewState, fold
from tcao_tui.domain.questions import Answer, Card, Question
from tests.fakes.drafts import value_of


def after(*entries: Entry | UnknownEntry) -> InterviewState:
    state = InterviewState("i")
    for seq, entry in enumerate(entries, 1):
        state = fold(state, StoredEntry(seq=seq, interview_id="i", at=float(seq), entry=entry))
    return state


def rank(value: int, by: str = "you") -> SlotFilled:
    return SlotFilled(path="training.lora_rank", filled=Filled.model_validate({"value": value, "by": by}))


def approval() -> Approved:
    return Approved(approval_hash="h", how="typed", by="ada", plan={}, quote={})


CARD = Card(id="c1", questions=(Question(id="goal", text="?", kind="text"), Question(id="data", text="?", kind="file")))


def test_the_last_value_of_a_slot_counts_and_a_cleared_one_is_gone() -> None:
    assert value_of(after(rank(16), rank(64)).draft, "training.lora_rank") == 64
    assert after(rank(16), SlotCleared(path="training.lora_rank")).draft == {}


def test_any_change_of_the_draft_voids_the_approval() -> None:
    assert after(rank(16), approval()).approved is not None
    assert after(rank(16), approval(), rank(16)).approved is None
    assert after(rank(16), approval(), SlotCleared(path="training.lora_rank")).approved is None
    assert after(rank(16), approval(), Said(who="you", text="hello")).approved is not None


def test_a_card_is_open_until_it_is_answered_and_its_questions_are_counted() -> None:
    asked = after(Asked(card=CARD))
    assert asked.open_card == CARD
    assert (asked.questions, asked.asked) == (2, frozenset({"goal", "data"}))
    answered = after(Asked(card=CARD), Answered(card_id="c1", answers=(Answer(question="goal", value="x"),)))
    assert answered.open_card is None
    assert not answered.use_defaults


def test_an_answer_to_another_card_leaves_the_open_one_open() -> None:
    assert after(Asked(card=CARD), Answered(card_id="c0", answers=())).open_card == CARD


def test_defaults_for_the_rest_stay_chosen() -> None:
    state = after(Asked(card=CARD), Answered(card_id="c1", answers=(), defaults_for_rest=True), Asked(card=CARD))
    assert state.use_defaults


def test_tools_run_from_start_to_end_and_an_interruption_ends_them_all() -> None:
    first, second = (ToolStarted(call_id=c, tool="inspect_data", arguments={}) for c in ("a", "b"))
    assert [t.call_id for t in after(first, second, ToolEnded(call_id="a", ok=True, result={})).running_tools] == ["b"]
    assert after(first, second, Interrupted()).running_tools == ()


def test_the_newest_measurement_of_a_file_replaces_the_older_one() -> None:
    def measured(rows: int) -> Learned:
        fields = FieldMap(data_format="messages")
        path = Path("a.jsonl")
        return Learned(profile=DataProfile(path=path, sha256="", size_bytes=1, container="jsonl", kind="chat",
                                           fields=fields, rows=rows))  # fmt: skip

    facts = after(measured(1), measured(2)).facts
    assert [profile.rows for profile in facts.profiles] == [2]


def test_a_change_of_planner_keeps_every_slot() -> None:
    start = Started(profile="local", directory="/p", planner="llm")
    state = after(start, rank(8), PlannerChanged(planner="rules", why="refused"))
    assert state.planner == "rules"
    assert value_of(state.draft, "training.lora_rank") == 8


def test_an_entry_of_another_version_is_kept_and_counted() -> None:
    entry = parse_entry("dreamt", b'{"kind": "dreamt", "of": "sheep"}')
    assert isinstance(entry, UnknownEntry)
    assert "sheep" in entry.raw
    state = after(entry)
    assert state.unknown_entries == 1
    assert len(state.transcript) == 1


@given(st.lists(st.sampled_from(["fill", "clear", "ask", "answer", "approve", "start", "end", "stop"]), max_size=30))
def test_a_stored_interview_read_again_is_the_same_interview(acts: list[str]) -> None:
    made: dict[str, Entry] = {
        "fill": rank(8),
        "clear": SlotCleared(path="training.lora_rank"),
        "ask": Asked(card=CARD),
        "answer": Answered(card_id="c1", answers=()),
        "approve": approval(),
        "start": ToolStarted(call_id="a", tool="t", arguments={"x": 1}),
        "end": ToolEnded(call_id="a", ok=True, result={"ok": True}),
        "stop": Interrupted(),
    }
    entries = [made[act] for act in acts]
    again = [parse_entry(entry.kind, entry.model_dump_json()) for entry in entries]
    assert after(*again) == after(*entries)


def test_a_draft_is_nested_as_the_plan_file_has_it() -> None:
    draft = after(rank(8), SlotFilled(path="goal", filled=Filled(value="g", by="you"))).draft
    assert nested(draft) == {"training": {"lora_rank": 8}, "goal": "g"}
