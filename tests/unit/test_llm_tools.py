"""Tools of the LLM planner on a real session: what they settle, what they leave to the person, what they show."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.benchmarks.table import suite
from tcao_tui.domain.questions import Answer, Card
from tcao_tui.planner.open import new_interview
from tcao_tui.planner.port import ToolOutcome
from tcao_tui.planner.run_reports import read_run
from tcao_tui.planner.session import Session
from tcao_tui.planner.tools import TOOLS
from tcao_tui.store.memory import MemoryStore
from tcao_tui.store.memory_interviews import MemoryInterviews
from tests.fakes import known_facts
from tests.fakes.llm_lab import LabDesk, ParkedRules, installed
from tests.fakes.run_records import record_resumed_run


def session(folder: Path, desk: LabDesk | None = None) -> Session:
    for name in ("train.jsonl", "test.jsonl"):
        (folder / name).write_text("{}\n")
    store = MemoryInterviews()
    interview_id = new_interview(store, profile="lab", directory=folder, planner="rules", clock=lambda: 1.0)
    return Session(
        store,
        interview_id,
        desk=(desk or LabDesk(folder / "work")).as_desk(),
        planners={"rules": ParkedRules()},
        tools=TOOLS,
        facts=installed(),
        clock=lambda: 1.0,
    )


def run(held: Session, tool: str, **arguments: Any) -> ToolOutcome:
    return asyncio.run(held.call(tool, arguments))


def measured(folder: Path) -> Session:
    """An interview whose files were inspected."""
    held = session(folder)
    for name in ("train.jsonl", "test.jsonl"):
        run(held, "inspect_data", path=name)
    run(held, "list_models")
    run(held, "set_slot", path="training.train_file", value="train.jsonl", reason="the only rows")
    return held


def card_of(held: Session) -> Card:
    assert held.state.open_card is not None
    return held.state.open_card


def test_a_value_is_set_with_its_reason_in_the_models_name(tmp_path: Path) -> None:
    held = session(tmp_path)
    outcome = run(held, "set_slot", path="training.lora_rank", value="16", reason="little data")
    filled = held.state.draft["training.lora_rank"]
    assert (filled.value, filled.by, filled.reason) == (16, "model", "little data")
    assert outcome.result["ready_for_approval"] is False


def test_what_the_person_decided_stands_and_is_quoted(tmp_path: Path) -> None:
    held = session(tmp_path)
    asyncio.run(held.set_value("training.base_model", "lab/small-1b"))
    outcome = run(held, "set_slot", path="training.base_model", value="lab/large-8b", reason="better")
    assert not outcome.ok
    assert "the person's own value lab/small-1b" in outcome.result["errors"][0]["expected"]
    assert held.state.draft["training.base_model"].value == "lab/small-1b"
    assert run(held, "set_slot", path="training.base_model", value="lab/small-1b", reason="agreed").ok


@pytest.mark.parametrize(
    ("words", "amount", "allowed"),
    [
        ("at most $40, please", 40.0, True),
        ("I can spend 1,500 dollars", 1500.0, True),
        ("up to 2k is fine", 2000.0, True),
        ("at most $40, please", 400.0, False),
        ("whatever it takes", 10.0, False),
    ],
)
def test_the_budget_is_an_amount_in_the_persons_own_words(
    tmp_path: Path, words: str, amount: float, allowed: bool
) -> None:
    held = session(tmp_path)
    asyncio.run(held.say(words))
    asyncio.run(held.clear_value("budget.max_cost_usd"))
    assert run(held, "set_slot", path="budget.max_cost_usd", value=amount, reason="r").ok is allowed


def test_of_values_that_belong_together_all_are_taken_or_none(tmp_path: Path) -> None:
    held = measured(tmp_path)
    good = {"path": "training.num_steps", "value": 200, "reason": "r"}
    bad = {"path": "training.lora_rank", "value": 24, "reason": "r"}
    outcome = run(held, "propose_config", changes=[good, bad])
    assert not outcome.ok
    assert [error["path"] for error in outcome.result["errors"]] == ["training.lora_rank"]
    assert "training.num_steps" not in held.state.draft
    assert run(held, "propose_config", changes=[good]).result["set"] == {"training.num_steps": 200}


def test_the_gates_judge_a_value_before_it_is_taken(tmp_path: Path) -> None:
    held = measured(tmp_path)
    outcome = run(held, "set_slot", path="training.base_model", value="lab/sampler", reason="cheap")
    assert not outcome.ok
    assert outcome.result["errors"][0]["fix"]
    assert "training.base_model" not in held.state.draft


def test_evals_are_shown_with_reasons_and_settled_when_given(tmp_path: Path) -> None:
    held = measured(tmp_path)
    told = run(held, "propose_evals").result
    assert all(value["reason"] for value in told["evals"].values())
    assert [one["name"] for one in told["offered"]] == [one.name for one in suite(held.sheet.draft["use_case"].value)]
    benchmark = {"name": "inspect_evals/ifeval", "limit": 50, "why": "whether it still follows instructions"}
    assert run(held, "propose_evals", score_file="test.jsonl", benchmarks=[benchmark], threshold=0.8).ok
    assert held.sheet.draft["evals.score.file"].value == str(tmp_path / "test.jsonl")
    assert [one["name"] for one in held.sheet.draft["evals.benchmarks"].value] == ["inspect_evals/ifeval"]
    assert not run(held, "propose_evals", benchmarks=[{"name": "x", "why": ""}]).ok


def test_hyperparameters_and_cost_are_shown_with_what_is_behind_them(tmp_path: Path) -> None:
    held = session(tmp_path)
    assert run(held, "estimate_cost").result["total_usd"]["expected"] == "unknown"
    held = measured(tmp_path)
    shown = run(held, "suggest_hyperparameters").result["hyperparameters"]
    assert shown["training.lora_rank"]["by"] == "policy"
    assert shown["training.lora_rank"]["alternatives"]
    cost = run(held, "estimate_cost").result
    assert cost["total_usd"]["low"] <= cost["total_usd"]["expected"] <= cost["total_usd"]["high"]
    assert {line["kind"] for line in cost["lines"]} >= {"training"}


def test_an_answer_to_a_question_about_a_slot_is_the_persons_own_value(tmp_path: Path) -> None:
    held = session(tmp_path)
    rank = {
        "question": "Which rank?",
        "header": "training.lora_rank",
        "options": [{"label": "small", "value": 8}, "32"],
    }
    run(held, "ask_user", questions=[rank])
    card = card_of(held)
    assert [option.label for option in card.questions[0].options] == ["small (8)", "32"], "what is set is seen"
    asyncio.run(held.answer(card.id, [Answer(question="training.lora_rank", value=8)]))
    assert (held.state.draft["training.lora_rank"].by, held.state.draft["training.lora_rank"].value) == ("you", 8)


def test_cards_are_shown_plain_with_the_reason_of_the_slot_and_no_default_where_only_the_person_knows(
    tmp_path: Path,
) -> None:
    held = session(tmp_path)
    budget = {"question": "How much\x1b[31m may it cost?", "header": "budget.max_cost_usd", "options": ["5", "10"]}
    tone = {"question": "Which tone?", "options": ["Formal [recommended]", "Plain"], "multiple": True}
    run(held, "ask_user", title="Two things", questions=[budget, tone])
    first, second = card_of(held).questions
    assert (first.text, first.unit, first.default) == ("How much may it cost?", "USD", None)
    assert "worker stops" in first.why
    assert (second.kind, second.default, second.options[0].label) == ("many", ["Formal"], "Formal")


def test_questions_have_limits_and_are_asked_once(tmp_path: Path) -> None:
    held = session(tmp_path)
    ask = {"question": "Which?", "options": ["a", "b"]}
    many = [{**ask, "header": f"h{n}"} for n in range(5)]
    assert "at most 4 items" in str(run(held, "ask_user", questions=many).result)
    assert run(held, "ask_user", questions=many[:4]).ok
    assert "open already" in str(run(held, "ask_user", questions=[ask]).result)
    for start in ("x", "y"):
        asyncio.run(held.say("something else, please"))
        run(held, "ask_user", questions=[{**ask, "header": f"{start}{n}"} for n in range(4)])
    assert held.state.questions == 8
    asyncio.run(held.say("and more"))
    assert "at most 2 more" in str(run(held, "ask_user", questions=many[:3]).result)
    assert "asked before" in str(run(held, "ask_user", questions=[{**ask, "header": "h0"}]).result)


def test_a_contradiction_is_quoted_word_for_word_or_not_at_all(tmp_path: Path) -> None:
    held = session(tmp_path)
    asyncio.run(held.say("use DPO. On second thought use  SFT"))
    ask = {"question": "Which method holds?", "header": "method", "options": ["sft", "dpo"]}
    made_up = run(held, "ask_user", questions=[{**ask, "quotes": ["I love RLHF"]}])
    assert "word for word" in str(made_up.result)
    assert run(held, "ask_user", questions=[{**ask, "quotes": ["use DPO", "second thought use SFT"]}]).ok
    assert card_of(held).questions[0].quotes == ("use DPO", "second thought use SFT")


def test_nothing_is_asked_once_the_person_wants_defaults(tmp_path: Path) -> None:
    held = session(tmp_path)
    ask = {"question": "Which tone?", "header": "tone", "options": ["plain", "formal"]}
    run(held, "ask_user", questions=[ask])
    asyncio.run(held.answer(card_of(held).id, [], defaults_for_rest=True))
    outcome = run(held, "ask_user", questions=[{**ask, "header": "length"}])
    assert "no more questions" in outcome.result["errors"][0]["got"]
    assert held.state.open_card is None


def test_runs_are_read_compared_and_diagnosed_and_what_is_missing_is_said(tmp_path: Path) -> None:
    desk = LabDesk(tmp_path / "work")
    desk.run = {
        "status": "completed",
        "checkpoints": [
            {"name": "001-000020", "step": 20, "reason": "periodic", "val_loss": 1.5, "scores": {}},
            {"name": "001-000040", "step": 40, "reason": "final", "val_loss": 1.9, "scores": {"exact": 0.48}},
        ],
        "diagnosis": {
            "state": "It completed.",
            "findings": [{"what": "the loss broke", "evidence": "2 of 40", "do": "less"}],
            "missing": ["no score"],
        },
    }
    held = session(tmp_path, desk)
    diagnosed = run(held, "diagnose_run").result
    assert [one["what"] for one in diagnosed["findings"]["untrusted"]] == ["the loss broke"]
    assert diagnosed["run"]["untrusted"]["state"] == "It completed."
    best = run(held, "compare_checkpoints").result["best"]
    assert (best["val_loss"]["step"], best["exact"]["step"]) == (20, 40)
    told = run(held, "read_run").result
    assert told["not_there_yet"] == ["no score"]
    assert "diagnosis" not in told["run"]["untrusted"]
    desk.run = {"status": "running"}
    assert run(held, "read_run").result["not_there_yet"] == []
    assert run(held, "diagnose_run").result["findings"]["untrusted"] == []


def test_a_recorded_run_reads_with_losses_scores_and_checkpoints(tmp_path: Path) -> None:
    store = MemoryStore()
    record_resumed_run(store)
    report = read_run(store, tmp_path, "latest")
    assert (report["status"], report["step"], report["total_steps"]) == ("completed", 10, 10)
    assert report["train_loss"]["count"] == 10
    assert report["train_loss"]["first"][0] == 1
    assert [saved["step"] for saved in report["checkpoints"]] == sorted(
        saved["step"] for saved in report["checkpoints"]
    )
    held = session(tmp_path, LabDesk(tmp_path / "work", run=report))
    assert run(held, "read_run").result["run"]["untrusted"]["step"] == 10
    assert run(held, "compare_checkpoints").ok
    assert run(held, "diagnose_run").ok


def test_the_model_is_given_each_tool_with_words_and_a_schema() -> None:
    from tcao_tui.planner.llm.tool_specs import tool_specs

    specs = tool_specs(TOOLS)
    assert [spec.name for spec in specs] == TOOLS.names()
    assert all(spec.description.endswith(".") and spec.schema["type"] == "object" for spec in specs)
    assert all(spec.schema["additionalProperties"] is False for spec in specs)
    assert not {"approve", "launch", "start_run"} & {spec.name for spec in specs}
    assert known_facts.model().name not in str(specs), "no tool names a model"
