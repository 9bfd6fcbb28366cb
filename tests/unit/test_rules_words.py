from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.domain.draft import Filled
from tcao_tui.domain.interview import Answered, Entry, Said, SlotFilled, Started, StoredEntry
from tcao_tui.domain.interview_state import InterviewState, fold
from tcao_tui.domain.questions import Answer
from tcao_tui.planner.contradictions import MAY_LEAVE, PRIVACY, contradictions, quote_that_data_stays
from tcao_tui.planner.hearing import heard_entries, heard_models
from tcao_tui.planner.words import AGAIN, DEFAULTS_FOR_REST, heard_in
from tests.fakes.interview_desk import paid_server


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("My budget is $20.", {"budget.max_cost_usd": 20.0}),
        ("budget 35", {"budget.max_cost_usd": 35.0}),
        ("Spend at most 1,200 dollars on it", {"budget.max_cost_usd": 1200.0}),
        ("It may cost up to $1.5k", {"budget.max_cost_usd": 1500.0}),
        ("$12.50", {"budget.max_cost_usd": 12.5}),
        ("My customers ask things like how a $18 shirt with ten percent off is calculated", {}),
        ("a budget of 300 steps", {"training.num_steps": 300}),
        ("Use SFT", {"method": "sft"}),
        ("run direct preference optimisation on it", {"method": "dpo"}),
        ("RLHF, please", {"method": "rlhf"}),
        ("train it by reinforcement learning", {"method": "rl"}),
        ("GRPO on these", {"method": "rl"}),
        ("distill from the teacher", {"method": "distill"}),
        ("it should distill long mails into one line", {}),
        ("not DPO", {}),
        ("I don't want any RL", {}),
        ("Is DPO better here?", {}),
        ("no RL but SFT", {"method": "sft"}),
        ("at least 80% correct", {"success.threshold": 0.8}),
        ("an accuracy of 0.75", {"success.threshold": 0.75}),
        ("it gets only 40% right today, and 70% right would do", {"success.threshold": 0.7}),
        ("10% of the rows are German", {}),
        ("train for 2,000 steps", {"training.num_steps": 2000}),
        ("evaluate every 50 steps", {}),
        ("LoRA rank 64", {"training.lora_rank": 64}),
        ("with a learning rate of 2e-4", {"training.learning_rate": 2e-4}),
        ("lr=0.0001", {"training.learning_rate": 0.0001}),
        ("batch size 16", {"training.train_batch_size": 16}),
        ("max length 2048", {"training.max_seq_len": 2048}),
        ("call it maths-1.", {"training.run_name": "maths-1"}),
        ("What is the meaning of life?", {}),
        ("", {}),
    ],
)
def test_words_say_what_they_say_and_no_more(text: str, values: dict[str, object]) -> None:
    assert {one.path: one.value for one in heard_in(text)} == values


def test_a_value_comes_with_the_sentence_that_says_it() -> None:
    first, second = heard_in("Use SFT on it. My budget\x1b[31m is $20, not more.")
    assert (first.quote, second.quote) == ("Use SFT on it.", "My budget is $20, not more.")


@pytest.mark.parametrize("text", ["Just do it.", "use the defaults", "you decide", "No more questions", "don't ask me"])
def test_some_words_end_the_questions(text: str) -> None:
    assert DEFAULTS_FOR_REST.search(text)


@pytest.mark.parametrize("text", ["again", "I corrected the file", "go on", "please retry"])
def test_some_words_have_things_looked_at_again(text: str) -> None:
    assert AGAIN.search(text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("train.jsonl", "test.jsonl", "val.jsonl", "my rows.jsonl"):
        (tmp_path / name).write_text("{}\n")
    return tmp_path


def state_of(project: Path, *entries: Entry) -> InterviewState:
    state = InterviewState("talk")
    for seq, entry in enumerate([Started(profile="local", directory=str(project), planner="rules"), *entries], 1):
        state = fold(state, StoredEntry(seq=seq, interview_id="talk", at=float(seq), entry=entry))
    return state


def heard(text: str, state: InterviewState) -> dict[str, object]:
    entries = heard_entries(text, state)
    assert all(entry.filled.by == "you" and entry.filled.reason for entry in entries if isinstance(entry, SlotFilled))
    return {
        entry.path: Path(entry.filled.value).name if entry.path.endswith("file") else entry.filled.value
        for entry in entries
        if isinstance(entry, SlotFilled) and entry.path != "goal"
    }


BOTH = {"training.train_file": "train.jsonl", "evals.score.file": "test.jsonl"}


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("rows in train.jsonl", {"training.train_file": "train.jsonl"}),
        ("@train.jsonl", {"training.train_file": "train.jsonl"}),
        ("use 'my rows.jsonl'", {"training.train_file": "my rows.jsonl"}),
        (
            "train on train.jsonl, test on test.jsonl",
            {"training.train_file": "train.jsonl", "evals.score.file": "test.jsonl"},
        ),
        ("train.jsonl and test.jsonl", {"training.train_file": "train.jsonl", "evals.score.file": "test.jsonl"}),
        (
            "train.jsonl; validate with val.jsonl; score test.jsonl",
            {"training.train_file": "train.jsonl", "training.val_file": "val.jsonl", "evals.score.file": "test.jsonl"},
        ),
        ("rows in nowhere.jsonl", {}),
        ("in the folder .", {}),
    ],
)
def test_files_that_are_there_are_taken_for_what_the_words_before_them_say(
    text: str, files: dict[str, str], project: Path
) -> None:
    assert heard(text, state_of(project)) == files


def goal(text: str, project: Path) -> object:
    entries = [e for e in heard_entries(text, state_of(project)) if isinstance(e, SlotFilled) and e.path == "goal"]
    return entries[0].filled.value if entries else None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("I want a model that files tickets.", "I want a model that files tickets."),
        ("I want a model that files tickets. My budget is $20.", "I want a model that files tickets."),
        ("It should file tickets from train.jsonl. Just do it.", "It should file tickets from train.jsonl."),
        ("Hello there!", None),
        ("Can you help me with a thing?", None),
    ],
)
def test_the_goal_is_what_is_left_of_the_first_words(text: str, wanted: str | None, project: Path) -> None:
    assert goal(text, project) == wanted


def test_a_goal_is_not_replaced_by_later_words(project: Path) -> None:
    told = SlotFilled(path="goal", filled=Filled(value="File tickets.", by="you"))
    entries = heard_entries("I want it to be polite as well.", state_of(project, told))
    assert entries == []


def test_just_do_it_closes_the_open_card(project: Path) -> None:
    (entry,) = heard_entries("just do it", state_of(project))
    assert entry == Answered(card_id="", answers=(), defaults_for_rest=True)


SAID_20 = (
    Said(who="you", text="My budget is $20."),
    SlotFilled(path="budget.max_cost_usd", filled=Filled(value=20.0, by="you", reason="you said: “My budget is $20.”")),
)


def test_another_value_is_not_filled_but_kept_as_a_contradiction(project: Path) -> None:
    state = state_of(project, *SAID_20)
    assert heard("The limit is $12.", state) == {}
    (found,) = contradictions(state_of(project, *SAID_20, Said(who="you", text="The limit is $12.")))
    assert found.path == "budget.max_cost_usd"
    assert [one.quote for one in found.said] == ["My budget is $20.", "The limit is $12."]


def test_a_correction_fills_the_new_value_and_is_no_contradiction(project: Path) -> None:
    text = "Actually, make it $12 at most."
    assert heard(text, state_of(project, *SAID_20)) == {"budget.max_cost_usd": 12.0}
    filled = SlotFilled(path="budget.max_cost_usd", filled=Filled(value=12.0, by="you"))
    assert list(contradictions(state_of(project, *SAID_20, Said(who="you", text=text), filled))) == []


def test_the_same_value_again_is_no_contradiction(project: Path) -> None:
    again = Said(who="you", text="As I said, the budget is $20.")
    assert list(contradictions(state_of(project, *SAID_20, again))) == []


def test_an_answer_settles_a_contradiction(project: Path) -> None:
    said = (*SAID_20, Said(who="you", text="The limit is $12."))
    answered = SlotFilled(path="budget.max_cost_usd", filled=Filled(value=12.0, by="you"), question="budget")
    assert list(contradictions(state_of(project, *said, answered))) == []


def test_a_model_is_heard_by_its_full_name_before_the_list_is_known(project: Path) -> None:
    assert heard("start from Qwen/Qwen3-8B", state_of(project)) == {"training.base_model": "Qwen/Qwen3-8B"}
    assert heard("anything and/or 3 more, not Qwen/Qwen3-8B", state_of(project)) == {}


def with_models(project: Path, *words: str) -> InterviewState:
    state = state_of(project, *(Said(who="you", text=text) for text in words))
    known = state.facts.with_fact(paid_server())
    return InterviewState("talk", transcript=state.transcript, directory=str(project), facts=known)


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("take qwen3-8b", "Qwen/Qwen3-8B"),
        ("a Llama-3.1-8B-Instruct would be fine", "meta-llama/Llama-3.1-8B-Instruct"),
        ("Qwen3-8B-Base", None),
        ("never gpt-oss-120b", None),
    ],
)
def test_a_model_is_heard_by_its_own_name_once_the_list_is_known(text: str, model: str | None, project: Path) -> None:
    entries = heard_models(with_models(project, text))
    assert [e.filled.value for e in entries if isinstance(e, SlotFilled)] == ([model] if model else [])


def test_a_teacher_is_told_from_the_model_to_train(project: Path) -> None:
    state = with_models(project, "Distill from openai/gpt-oss-120b into Qwen/Qwen3-8B.")
    found = {e.path: e.filled.value for e in heard_models(state) if isinstance(e, SlotFilled)}
    assert found == {"distill.teacher_model": "openai/gpt-oss-120b", "training.base_model": "Qwen/Qwen3-8B"}


@pytest.mark.parametrize(
    "text",
    [
        "No data may leave this machine.",
        "Our rows must not be uploaded anywhere",
        "the data stays on my machine",
        "on-prem only",
        "We can't send this to any third party",
    ],
)
def test_data_that_must_stay_is_heard(text: str, project: Path) -> None:
    assert quote_that_data_stays(state_of(project, Said(who="you", text=text))) == text


@pytest.mark.parametrize("text", ["It should not leave out any step.", "The data is here.", "Users upload photos."])
def test_other_words_about_leaving_are_no_such_wish(text: str, project: Path) -> None:
    assert quote_that_data_stays(state_of(project, Said(who="you", text=text))) == ""


def test_the_wish_can_be_taken_back(project: Path) -> None:
    said = Said(who="you", text="No data may leave this machine.")
    answered = Answered(card_id="c", answers=(Answer(question=PRIVACY, value=MAY_LEAVE),))
    assert quote_that_data_stays(state_of(project, said, answered)) == ""
