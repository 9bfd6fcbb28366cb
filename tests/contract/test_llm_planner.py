"""The LLM planner over the real SDK and real sockets: a whole interview, and what the model is sent."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from tcao_tui.domain.interview import Asked, ModelTurn, Said, SlotFilled
from tcao_tui.domain.questions import Answer
from tcao_tui.planner.llm.meter import llm_meter
from tcao_tui.settings import ModelPrice
from tests.fakes.anthropic_stub import Reply, call
from tests.fakes.llm_lab import KEY, Lab, llm_lab


def blocks(request: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Blocks of the last message of a request."""
    return [block for block in request["messages"][-1]["content"] if block["type"] == kind]


def state_of(request: dict[str, Any]) -> dict[str, Any]:
    text = next(b["text"] for b in blocks(request, "text") if b["text"].startswith("<state>"))
    return json.loads(text.removeprefix("<state>").removesuffix("</state>"))


def price(usd: float) -> ModelPrice:
    day = datetime.date(2026, 11, 1)
    return ModelPrice(input_usd=usd, output_usd=usd, cache_write_usd=usd, cache_read_usd=usd, as_of=day)


def script(folder: Path) -> list[Reply]:
    train, test = str(folder / "train.jsonl"), str(folder / "test.jsonl")
    asked = [
        {
            "question": "Which score would make you use it?",
            "header": "success",
            "why": "A threshold set afterwards proves nothing.",
            "options": [{"label": "90 of 100 (Recommended)", "value": 0.9}, {"label": "95 of 100", "value": 0.95}],
        },
        {"question": "What may it cost at most?", "header": "budget", "kind": "number"},
    ]
    config = [
        {"path": "training.base_model", "value": "lab/small-1b", "reason": "the smallest that follows instructions"},
        {"path": "training.num_steps", "value": 200, "reason": "three passes over 2,000 rows"},
    ]
    return [
        Reply(
            text="I look at your files first.",
            thinking="inspect before asking",
            tools=[call("inspect_data", path=train), call("inspect_data", path=test), call("list_models")],
            usage={"input_tokens": 3000, "output_tokens": 120},
        ),
        Reply(
            text="2,000 labelled messages.",
            tools=[
                call("set_slot", path="goal", value="File messages as JSON.", reason="your words"),
                call("ask_user", title="Success and money", questions=asked),
            ],
        ),
        Reply(
            tools=[
                call("propose_config", changes=config),
                call("propose_evals", score_file=test, grader="exact", reason="your own held-out messages"),
                call("inspect_data", path=train, model="lab/small-1b", max_seq_len=4096),
                call("compare_files", trained=train, measured=test),
            ]
        ),
        Reply(tools=[call("check_plan"), call("estimate_cost"), call("suggest_hyperparameters")]),
        Reply(text="Ready: SFT of lab/small-1b on train.jsonl."),
    ]


async def interviewed(lab: Lab) -> None:
    await lab.session.say(f"file customer messages as JSON; rows in {lab.desk.folder.parent / 'train.jsonl'}")
    card = lab.session.state.open_card
    assert card is not None
    answers = [Answer(question="success", value=0.9), Answer(question="budget", value="$20")]
    await lab.session.answer(card.id, answers)


async def test_an_interview_comes_to_a_plan_that_may_be_approved(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, script(tmp_path)) as lab:
        await interviewed(lab)
        sheet = lab.session.sheet
    assert lab.rules.turns == 0
    assert [str(finding) for gate in sheet.blockers for finding in gate.findings] == []
    assert sheet.is_ready
    assert sheet.draft["budget.max_cost_usd"].by == "you"
    assert sheet.draft["success.threshold"].value == 0.9
    assert (sheet.draft["training.num_steps"].by, sheet.draft["training.num_steps"].value) == ("model", 200)
    assert "Ready: SFT" in lab.text
    assert lab.session.state.approved is None


async def test_calls_of_one_turn_are_answered_in_one_message_results_first(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, script(tmp_path)) as lab:
        await interviewed(lab)
    assert lab.stub.refused == []
    second = lab.stub.requests[1]
    assert [b["tool_use_id"] for b in blocks(second, "tool_result")] == ["toolu_1_0", "toolu_1_1", "toolu_1_2"]
    assert [b["type"] for b in second["messages"][-1]["content"]][:3] == ["tool_result"] * 3
    assert sorted(lab.desk.asked[:2]) == ["inspect test.jsonl", "inspect train.jsonl"]


async def test_turns_go_back_word_for_word_and_the_prompt_never_changes(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, script(tmp_path)) as lab:
        await interviewed(lab)
    first, last = lab.stub.requests[0], lab.stub.requests[-1]
    thought = last["messages"][1]["content"][0]
    assert thought == {"type": "thinking", "thinking": "inspect before asking", "signature": "signature-1"}
    assert all((r["system"], r["tools"]) == (first["system"], first["tools"]) for r in lab.stub.requests)
    for earlier, later in zip(lab.stub.requests, lab.stub.requests[1:], strict=False):
        kept = [
            {**m, "content": [{k: v for k, v in b.items() if k != "cache_control"} for b in m["content"]]}
            for m in earlier["messages"]
        ]
        assert later["messages"][: len(kept)] == kept


async def test_answers_come_back_as_the_result_of_the_question_and_are_the_persons_own(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, script(tmp_path)) as lab:
        await interviewed(lab)
    answered = next(b for b in blocks(lab.stub.requests[2], "tool_result") if b["tool_use_id"] == "toolu_2_1")
    assert json.loads(answered["content"])["answers"] == {"success": 0.9, "budget": "$20"}
    filled = {e.path: e for e in lab.entries if isinstance(e, SlotFilled)}
    assert (filled["success.threshold"].filled.by, filled["success.threshold"].question) == ("you", "success")


async def test_the_slots_are_told_small_and_only_when_they_changed(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, script(tmp_path)) as lab:
        await interviewed(lab)
    told = [[b for b in blocks(r, "text") if b["text"].startswith("<state>")] for r in lab.stub.requests]
    assert [len(blocks) for blocks in told] == [1, 1, 1, 1, 0]
    assert all(len(block["text"]) < 6_000 for blocks in told for block in blocks)
    assert state_of(lab.stub.requests[0])["only_the_person_can_tell"] == ["success", "budget"]
    assert state_of(lab.stub.requests[3])["ready_for_approval"] is True


async def test_words_and_turns_are_on_record_and_the_meter_counts_each_once(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, script(tmp_path), prices={"stub": price(1.0)}) as lab:
        await interviewed(lab)
    said = [e.text for e in lab.entries if isinstance(e, Said) and e.who == "planner"]
    assert said == [
        "I look at your files first.",
        "2,000 labelled messages.",
        "Ready: SFT of lab/small-1b on train.jsonl.",
    ]
    meter = llm_meter(lab.session.state)
    assert (meter.requests, meter.used.input_tokens, meter.used.output_tokens) == (5, 3400, 200)
    assert meter.usd == 3600 / 1e6
    assert not meter.has_unknown_cost


async def test_an_unknown_price_is_not_nothing(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, [Reply(text="hello")], model="local-model") as lab:
        await lab.session.go_on()
    meter = llm_meter(lab.session.state)
    assert (meter.usd, meter.has_unknown_cost) == (0.0, True)
    assert [e.usd for e in lab.entries if isinstance(e, ModelTurn) and e.usage] == [None]


async def test_a_card_is_asked_in_every_spelling_of_several_choices(tmp_path: Path) -> None:
    for spelling in ("multi_select", "multiSelect", "multiple"):
        question = {
            "question": "What must not get worse?",
            "header": "keep",
            "options": ["IFEval (Recommended)", "MMLU"],
            spelling: True,
        }
        async with llm_lab(tmp_path, [Reply(tools=[call("ask_user", questions=[question])])]) as lab:
            await lab.session.go_on()
        card = lab.session.state.open_card
        assert card is not None
        assert (card.questions[0].kind, [o.label for o in card.questions[0].options]) == ("many", ["IFEval", "MMLU"])


async def test_words_instead_of_answers_are_told_with_the_card_left_unanswered(tmp_path: Path) -> None:
    ask = call("ask_user", questions=[{"question": "Which tone?", "options": ["formal", "plain"]}])
    async with llm_lab(tmp_path, [Reply(tools=[ask]), Reply(text="As you like.")]) as lab:
        await lab.session.go_on()
        await lab.session.say("tone does not matter to me")
    message = lab.stub.requests[1]["messages"][-1]["content"]
    assert json.loads(message[0]["content"])["answered"] is False
    assert message[1]["text"] == "<person>tone does not matter to me</person>"
    assert lab.stub.refused == []


async def test_the_model_is_not_asked_while_its_card_waits_or_nothing_happened(tmp_path: Path) -> None:
    ask = call("ask_user", questions=[{"question": "Which tone?", "options": ["formal", "plain"]}])
    async with llm_lab(tmp_path, [Reply(tools=[ask]), Reply(text="Thank you.")]) as lab:
        await lab.session.go_on()
        await lab.session.go_on()
        assert len(lab.stub.requests) == 1
        card = lab.session.state.open_card
        assert card is not None
        await lab.session.answer(card.id, [Answer(question=card.questions[0].id, value="plain")])
        await lab.session.go_on()
        assert len(lab.stub.requests) == 2


async def test_without_a_person_the_model_has_no_tool_to_ask_with(tmp_path: Path) -> None:
    ask = call("ask_user", questions=[{"question": "Which tone?"}])
    async with llm_lab(tmp_path, [Reply(tools=[ask]), Reply(text="The budget is open.")], can_ask=False) as lab:
        await lab.session.go_on()
    assert "ask_user" not in [tool["name"] for tool in lab.stub.requests[0]["tools"]]
    assert "Nobody to ask" in lab.stub.requests[0]["system"][0]["text"]
    assert not lab.result("toolu_1_0").ok
    assert not [e for e in lab.entries if isinstance(e, Asked)]


async def test_a_conversation_that_grew_too_long_starts_afresh_from_the_slots(tmp_path: Path) -> None:
    long = Reply(text="one", thinking="hm", usage={"input_tokens": 50_000})
    async with llm_lab(tmp_path, [long, Reply(text="two"), Reply(text="three")], context_tokens=20_000) as lab:
        await lab.session.say("my budget is $5")
        await lab.session.say("and rank 16")
        await lab.session.say("thank you")
    assert [len(request["messages"]) for request in lab.stub.requests] == [1, 1, 3]
    texts = [b["text"] for b in blocks(lab.stub.requests[1], "text")]
    assert "<person>my budget is $5</person>" in texts
    assert state_of(lab.stub.requests[1])["settled"]["budget.max_cost_usd"] == {"value": 5.0, "by": "you"}


async def test_another_model_starts_a_conversation_of_its_own(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, [Reply(text="one", thinking="hm"), Reply(text="two")]) as lab:
        await lab.session.say("hello there, planner")
        lab.planner = lab.planner_of("other-model")
        await lab.again().say("go on")
    assert [(len(r["messages"]), r["model"]) for r in lab.stub.requests] == [(1, "claude-opus-5-5"), (1, "other-model")]
    assert lab.stub.refused == []


async def test_what_the_person_set_by_hand_is_told(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, [Reply(text="one"), Reply(text="two")]) as lab:
        await lab.session.say("hello there, planner")
        await lab.session.set_value("training.lora_rank", 64)
        await lab.session.go_on()
    assert "<note>From the person, training.lora_rank = 64.</note>" in [
        b["text"] for b in blocks(lab.stub.requests[1], "text")
    ]


async def test_the_rules_planner_may_go_on_and_the_model_come_back(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, [Reply(text="one"), Reply(text="two")]) as lab:
        await lab.session.say("hello there, planner")
        lab.session.switch_planner("rules")
        await lab.session.say("the budget is $7")
        assert (lab.rules.turns, len(lab.stub.requests)) == (1, 1)
        lab.session.switch_planner("llm")
        await lab.session.go_on()
    texts = [b["text"] for b in blocks(lab.stub.requests[1], "text")]
    assert "<person>the budget is $7</person>" in texts
    assert len(lab.stub.requests[1]["messages"]) == 3


async def test_the_key_is_in_no_record_and_no_request(tmp_path: Path) -> None:
    hidden = "value-of-a-variable-that-is-secret"
    environ = {"MY_SERVICE_TOKEN": hidden}
    async with llm_lab(tmp_path, [Reply(text="one")], environ=environ) as lab:
        await lab.session.say(f"use {KEY} or {hidden} to log in, please")
    sent = json.dumps(lab.stub.requests)
    assert "canary" not in sent
    assert hidden not in sent
    assert "[secret]" in sent
    assert "canary" not in "".join(e.model_dump_json() for e in lab.entries if isinstance(e, ModelTurn))
