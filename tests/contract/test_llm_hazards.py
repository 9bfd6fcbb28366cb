"""Every way in which server or model can let the interview down: waited out, mended, or handed over with all slots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.interview import ModelTurn, PlannerChanged, Said, ToolStarted
from tests.fakes.anthropic_stub import Reply, call
from tests.fakes.llm_lab import Lab, llm_lab

OVERLOADED = {"type": "overloaded_error", "message": "Overloaded"}
SET = call("set_slot", path="training.num_steps", value=300, reason="three passes")


def handed_over(lab: Lab) -> str:
    """Why the rules planner went on, once."""
    changes = [entry.why for entry in lab.entries if isinstance(entry, PlannerChanged)]
    assert len(changes) == 1
    assert lab.rules.turns == 1
    return changes[0]


def results(lab: Lab, request: int) -> list[dict[str, Any]]:
    blocks = lab.stub.requests[request]["messages"][-1]["content"]
    return [block for block in blocks if block["type"] == "tool_result"]


async def test_a_rate_limit_is_waited_out_as_long_as_the_server_asks(tmp_path: Path) -> None:
    busy = Reply(status=429, headers={"retry-after": "7"}, error={"type": "rate_limit_error", "message": "slow down"})
    async with llm_lab(tmp_path, [busy, Reply(text="Here I am.")]) as lab:
        await lab.session.go_on()
    assert lab.slept == [1.0] * 7
    assert [piece.seconds for piece in lab.countdowns] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert "slow down" in lab.countdowns[0].why
    assert lab.kinds() == ["started", "model_turn", "model_turn", "said"]


async def test_no_server_makes_anybody_wait_longer_than_the_cap(tmp_path: Path) -> None:
    busy = Reply(status=429, headers={"retry-after": "86400"})
    async with llm_lab(tmp_path, [busy, Reply(text="a")]) as lab:
        await lab.session.go_on()
    assert sum(lab.slept) == 60.0


@pytest.mark.parametrize("status", [408, 409, 500, 529])
async def test_a_server_that_stays_away_is_given_up_with_every_slot_kept(tmp_path: Path, status: int) -> None:
    async with llm_lab(tmp_path, lambda _: Reply(status=status, error=OVERLOADED), retries=2) as lab:
        await lab.session.say("the budget is $5, use rank 16")
        assert f"answered {status}: Overloaded" in handed_over(lab)
        assert len(lab.stub.requests) == 3
        assert lab.slept == [1.0, 1.0, 1.0]
        assert lab.session.state.draft["budget.max_cost_usd"].value == 5.0


async def test_an_error_in_mid_stream_starts_the_turn_over(tmp_path: Path) -> None:
    broken = Reply(text="half a sen", tools=[SET], fault="error", error=OVERLOADED)
    async with llm_lab(tmp_path, [broken, Reply(text="a whole one")]) as lab:
        await lab.session.go_on()
    assert "broke off: Overloaded" in lab.countdowns[0].why
    assert [e.text for e in lab.entries if isinstance(e, Said)] == ["a whole one"]
    assert "tool_started" not in lab.kinds()


async def test_a_stream_that_ends_early_runs_nothing_and_is_asked_again(tmp_path: Path) -> None:
    cut = Reply(text="I set it.", tools=[SET], fault="eof")
    async with llm_lab(tmp_path, [cut, Reply(text="again")]) as lab:
        await lab.session.go_on()
    assert len(lab.stub.requests) == 2
    assert "tool_started" not in lab.kinds()
    assert lab.session.state.draft == {}


@pytest.mark.parametrize("stop", ["max_tokens", "tool_use", "model_context_window_exceeded", "pause_turn"])
async def test_arguments_that_were_cut_off_never_run(tmp_path: Path, stop: str) -> None:
    cut = {"name": "set_slot", "raw": '{"path": "training.num_steps", "reason": "r", "value": 1'}
    async with llm_lab(tmp_path, [Reply(tools=[cut], stop=stop), Reply(text="I see.")]) as lab:
        await lab.session.go_on()
    assert lab.session.state.draft == {}
    assert not lab.result("toolu_1_0").ok
    assert lab.stub.refused == []
    if stop == "model_context_window_exceeded":
        assert len(lab.stub.requests[1]["messages"]) == 1
    else:
        assert "nothing was run" in results(lab, 1)[0]["content"]
        assert results(lab, 1)[0]["is_error"] is True


async def test_whole_calls_of_a_turn_that_was_cut_off_do_not_run_either(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, [Reply(tools=[SET], stop="max_tokens"), Reply(text="ok")]) as lab:
        await lab.session.go_on()
    assert lab.session.state.draft == {}


async def test_a_proxy_that_says_end_turn_with_calls_is_understood(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, [Reply(tools=[SET], stop="end_turn"), Reply(text="ok")]) as lab:
        await lab.session.go_on()
    assert lab.session.state.draft["training.num_steps"].value == 300


async def test_a_turn_that_keeps_being_cut_off_is_given_up(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, lambda _: Reply(text="so much to say", stop="max_tokens")) as lab:
        await lab.session.go_on()
    assert "planner.max_output_tokens" in handed_over(lab)
    assert len(lab.stub.requests) == 3
    assert "cut off" in json.dumps(lab.stub.requests[1]["messages"][-1])


async def test_arguments_that_are_no_json_are_asked_for_again_with_the_reason(tmp_path: Path) -> None:
    bad = Reply(thinking="hm", tools=[{"name": "set_slot", "raw": '{"path": }'}])
    async with llm_lab(tmp_path, [bad, Reply(thinking="oh", tools=[SET]), Reply(text="ok")]) as lab:
        await lab.session.go_on()
    assert "not valid JSON" in json.dumps(lab.stub.requests[1]["messages"][-1])
    assert lab.session.state.draft["training.num_steps"].value == 300
    assert lab.stub.refused == [], "what was sent is what is recorded, the note included"


@pytest.mark.parametrize(
    "raw", ["[1]", '"x"', '{"path": "goal", "path": "method"}', '{"value": NaN}', '{"a": "\\ud800"}']
)
async def test_json_that_is_not_one_plain_object_is_refused(tmp_path: Path, raw: str) -> None:
    async with llm_lab(tmp_path, [Reply(tools=[{"name": "set_slot", "raw": raw}]), Reply(text="ok")]) as lab:
        await lab.session.go_on()
    assert lab.session.state.draft == {}
    assert all(not isinstance(e, ToolStarted) or e.arguments == {} for e in lab.entries)


async def test_a_server_that_is_not_anthropics_kind_is_named_so(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, lambda _: Reply(text="hello", fault="no_event_lines")) as lab:
        await lab.session.go_on()
    assert "not an Anthropic stream" in handed_over(lab)
    assert "planner.base_url" in handed_over(lab)


async def test_a_refusal_is_dropped_explained_and_handed_over(tmp_path: Path) -> None:
    details = {"type": "refusal", "category": "frontier_llm", "explanation": "no"}
    refusal = Reply(text="I cannot", stop="refusal", stop_details=details, usage={"output_tokens": 9})
    async with llm_lab(tmp_path, [Reply(tools=[SET]), refusal, Reply(text="Hello again.")]) as lab:
        await lab.session.say("the budget is $5")
        why = handed_over(lab)
        assert "competing model" in why
        assert "planner.model" in why
        assert "I cannot" not in [e.text for e in lab.entries if isinstance(e, Said)]
        assert lab.session.state.draft["training.num_steps"].value == 300
        assert [e.usage["output_tokens"] for e in lab.entries if isinstance(e, ModelTurn) and e.usage] == [20, 9]
        lab.session.switch_planner("llm")
        await lab.session.go_on()
    afresh = lab.stub.requests[2]["messages"]
    assert len(afresh) == 1
    assert "training.num_steps" in json.dumps(afresh)


async def test_schemas_that_are_too_much_for_the_server_are_sent_without_strict_once(tmp_path: Path) -> None:
    error = {"type": "invalid_request_error", "message": "The compiled grammar is too large"}
    async with llm_lab(tmp_path, [Reply(status=400, error=error), Reply(text="a"), Reply(text="b")]) as lab:
        await lab.session.go_on()
        await lab.session.say("and now for the rest")
    strict = [[tool["name"] for tool in r["tools"] if tool.get("strict")] for r in lab.stub.requests]
    assert strict == [["propose_config"], [], []]


async def test_schemas_that_stay_too_much_are_handed_over(tmp_path: Path) -> None:
    error = {"type": "invalid_request_error", "message": "The compiled grammar is too large"}
    async with llm_lab(tmp_path, lambda _: Reply(status=400, error=error)) as lab:
        await lab.session.go_on()
    assert "planner.strict" in handed_over(lab)
    assert len(lab.stub.requests) == 2


async def test_a_request_that_is_refused_is_tried_once_in_a_fresh_conversation(tmp_path: Path) -> None:
    refused = Reply(status=400, error={"type": "invalid_request_error", "message": "prompt is too long"})
    script = [Reply(text="one"), refused, Reply(text="two"), Reply(text="three")]
    async with llm_lab(tmp_path, script) as lab:
        await lab.session.say("the budget is $5")
        await lab.session.say("rank 16, please")
        await lab.session.say("and thank you")
    assert [len(request["messages"]) for request in lab.stub.requests] == [1, 3, 1, 3]
    assert lab.rules.turns == 0


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (400, "planner.strict"),
        (401, "ANTHROPIC_API_KEY"),
        (402, "billing"),
        (403, "planner.model"),
        (404, "planner.model"),
    ],
)
async def test_what_a_person_must_mend_is_handed_over_with_the_fix(tmp_path: Path, status: int, step: str) -> None:
    async with llm_lab(tmp_path, lambda _: Reply(status=status)) as lab:
        await lab.session.go_on()
    assert step in handed_over(lab)
    assert len(lab.stub.requests) == 1


async def test_an_empty_place_for_the_key_is_handed_over(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, [], environ={"LAB_KEY": ""}) as lab:
        await lab.session.go_on()
    assert "environment variable LAB_KEY" in handed_over(lab)


@pytest.mark.parametrize(
    ("tool", "told"),
    [
        (call("start_run", max_cost_usd=100), "there is no such tool: start_run"),
        (call("set_slot", path="training.num_steps", value=300), "Field required"),
        (call("set_slot", path="training.num_step", value=300, reason="r"), "did you mean training.num_steps?"),
        (call("set_slot", path="training.num_steps", value="many", reason="r"), "valid integer"),
        (call("set_slot", path="training.num_steps", value=-1, reason="r"), "greater than or equal to 1"),
        (call("set_slot", path="training.num_steps", value=1, reason="r", force=True), "Extra inputs"),
        (call("propose_config", changes=[]), "at least 1 item"),
        (call("inspect_data", path="/etc/passwd"), "may not be read"),
        (call("set_slot", path="training.train_file", value="/etc/passwd", reason="r"), "may not be read"),
        (call("set_slot", path="data.train_file", value="0" * 64, reason="r"), "the plan has no data.train_file"),
    ],
)
async def test_a_call_that_is_wrong_is_answered_with_path_and_fix(
    tmp_path: Path, tool: dict[str, Any], told: str
) -> None:
    async with llm_lab(tmp_path, [Reply(tools=[tool]), Reply(text="I see.")]) as lab:
        await lab.session.go_on()
    ended = lab.result("toolu_1_0")
    assert not ended.ok
    assert set(ended.result["errors"][0]) == {"path", "got", "expected", "fix"}
    assert told in json.dumps(ended.result)
    assert results(lab, 1)[0]["is_error"] is True
    assert lab.session.state.draft == {}


async def test_two_calls_under_one_id_each_get_their_own_result(tmp_path: Path) -> None:
    rank = call("set_slot", path="training.lora_rank", value=16, reason="r")
    twice = Reply(thinking="hm", tools=[{**SET, "id": "same"}, {**rank, "id": "same"}])
    async with llm_lab(tmp_path, [twice, twice, Reply(text="ok")]) as lab:
        await lab.session.go_on()
    assert [e.call_id for e in lab.entries if isinstance(e, ToolStarted)] == ["same", "same-2", "same-3", "same-4"]
    assert lab.stub.refused == []


async def test_a_call_that_repeats_itself_is_pointed_out_then_stopped(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, lambda _: Reply(tools=[call("check_plan")])) as lab:
        await lab.session.go_on()
    assert len(lab.stub.requests) == 4
    assert "same call with the same result" in json.dumps(lab.stub.requests[3]["messages"][-1])
    assert [e.text for e in lab.entries if isinstance(e, Said)] == [
        "The model kept repeating one call and was stopped."
    ]
    assert lab.rules.turns == 0


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"max_requests": 2}, "planner.max_requests is 2"),
        ({"max_tokens": 200}, "planner.max_tokens is 200"),
        ({"max_cost_usd": 0.001}, "planner.max_cost_usd"),
    ],
)
async def test_an_interview_has_limits_of_requests_tokens_and_cost(tmp_path: Path, limits: Any, told: str) -> None:
    replies = [Reply(tools=[call("set_slot", path="training.num_steps", value=n, reason="r")]) for n in range(1, 9)]
    async with llm_lab(tmp_path, replies, **limits) as lab:
        await lab.session.go_on()
    assert told in handed_over(lab)
    assert len(lab.stub.requests) == 2


async def test_a_turn_without_a_word_is_kept_so_that_the_next_one_is_accepted(tmp_path: Path) -> None:
    async with llm_lab(tmp_path, [Reply(), Reply(text="\n", stop="end_turn"), Reply(text="Hello.")]) as lab:
        for words in ("hello there", "are you there", "please answer"):
            await lab.session.say(words)
    assert lab.stub.refused == []
    assert [e.text for e in lab.entries if isinstance(e, Said) and e.who == "planner"] == ["Hello."]
