"""Parts of the LLM planner without a network: secrets, waiting, prompts, and what the meter says."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from tcao_tui import paths
from tcao_tui.clients.llm_anthropic import LOGGERS, log_to
from tcao_tui.clients.llm_port import LlmFailure
from tcao_tui.domain.interview import ModelTurn, StoredEntry
from tcao_tui.domain.interview_state import InterviewState, fold
from tcao_tui.domain.slots import SLOTS
from tcao_tui.planner import plan_keys
from tcao_tui.planner.llm.meter import LlmMeter, llm_meter, over_limit
from tcao_tui.planner.llm.retry import Patience, ask_patiently
from tcao_tui.planner.llm.turn import strict_json
from tcao_tui.planner.port import Countdown
from tcao_tui.planner.prompts import Prompt, read_prompt, system_prompt
from tcao_tui.planner.scrubber import Scrubber
from tcao_tui.settings import PlannerSettings


@pytest.mark.parametrize(
    "secret",
    [
        "sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWx",
        "tml-0123456789abcdefghij",
        "hf_AbCdEfGhIjKlMnOpQrStUv",
        "ghp_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\ncut off he",
    ],
)
def test_what_looks_like_a_key_is_cut_out_wherever_it_stands(secret: str) -> None:
    cleaned = Scrubber({}).clean_json({"row": [f"before {secret} after"], secret: 1})
    assert secret not in str(cleaned)
    assert "before [secret]" in str(cleaned)


def test_secret_variables_are_cut_out_by_value_and_others_are_not() -> None:
    environ = {"DB_PASSWORD": "correct horse battery", "MY_TOKEN": "short", "HOME": "a-long-home-folder", "X_KEY": ""}
    scrubber = Scrubber(environ)
    assert scrubber.clean("it is correct horse battery, at a-long-home-folder, short") == (
        "it is [secret], at a-long-home-folder, short"
    )


def test_ordinary_words_are_left_alone() -> None:
    text = "key points: a risk-averse sk-learn user, tokens 0.5, skeleton-like, sha256 0123456789abcdef0123456789abcdef"
    assert Scrubber({}).clean(text) == text


def test_waits_double_up_to_the_cap_and_end_with_the_last_failure() -> None:
    told: list[float] = []

    async def away() -> None:
        raise LlmFailure("away", "busy")

    async def no_time(seconds: float) -> None:
        pass

    def listen(piece: object) -> None:
        if isinstance(piece, Countdown):
            told.append(piece.seconds)

    with pytest.raises(LlmFailure, match="busy"):
        asyncio.run(ask_patiently(away, Patience(4, 3.0, no_time), listen))
    assert told == [1, 0, 2, 1, 0, 3, 2, 1, 0, 3, 2, 1, 0]


def test_failures_that_waiting_does_not_mend_are_raised_at_once() -> None:
    attempts: list[int] = []

    async def refused() -> None:
        attempts.append(1)
        raise LlmFailure("key", "no key")

    with pytest.raises(LlmFailure):
        asyncio.run(ask_patiently(refused, Patience(4, 3.0), lambda _: None))
    assert len(attempts) == 1


@pytest.mark.parametrize("text", ["", "1", "[]", "{", '{"a":1}{"b":2}', '{"a":1,"a":2}', '{"a":Infinity}', "[" * 9_999])
def test_only_one_whole_plain_object_is_taken(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        strict_json(text)


def test_the_prompt_holds_every_slot_and_every_key_and_nothing_that_changes() -> None:
    prompt = system_prompt(can_ask=True)
    assert all(f"| {slot.name} |" in prompt and slot.question in prompt for slot in SLOTS)
    assert all(f"- `{path}`: " in prompt for path in plan_keys.known_paths())
    assert "{slots}" not in prompt
    assert "{keys}" not in prompt
    assert prompt == system_prompt(can_ask=True)
    assert len(prompt) < 14_000, "about 3,500 tokens, paid with every interview"


def test_every_prompt_has_its_file_and_every_file_its_name() -> None:
    files = {path.stem for path in paths.prompts_dir().glob("*.md")} - {"README"}
    assert files == {prompt.value for prompt in Prompt}
    assert "ask_user" in read_prompt(Prompt.ASKING)
    assert "`ask_user`" not in system_prompt(can_ask=False)


def turn(**changes: object) -> ModelTurn:
    usage = {"input_tokens": 100, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 3, "output_tokens": 7}
    return ModelTurn.model_validate({"message": {}, "usage": usage, "model": "m", "usd": 0.5, **changes})


def state_after(*turns: ModelTurn) -> InterviewState:
    state = InterviewState("i")
    for seq, entry in enumerate(turns, 1):
        state = fold(state, StoredEntry(seq=seq, interview_id="i", at=0.0, entry=entry))
    return state


def test_the_meter_counts_the_models_turns_and_says_when_a_price_is_missing() -> None:
    assert llm_meter(state_after()) == LlmMeter()
    meter = llm_meter(state_after(turn(usage={}), turn(), turn(usd=None, model="n")))
    assert (meter.requests, meter.context_tokens, meter.used.all_tokens) == (2, 123, 260)
    assert (meter.usd, meter.has_unknown_cost, meter.model) == (0.5, True, "n")


def test_limits_are_named_when_they_are_reached() -> None:
    state = state_after(turn(), turn())
    assert over_limit(state, PlannerSettings()) is None
    assert "planner.max_cost_usd is $0.75" in (over_limit(state, PlannerSettings(max_cost_usd=0.75)) or "")


def test_what_the_sdk_logs_goes_to_a_file_and_never_to_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).propagate) for name in LOGGERS}
    try:
        for name in LOGGERS:
            logging.getLogger(name).handlers = []
        log_to(tmp_path / "state" / "planner.log")
        log_to(tmp_path / "state" / "planner.log")
        logging.getLogger("anthropic").warning("both keys are set")
        logging.getLogger("httpx2").info("HTTP Request: POST")
        assert capsys.readouterr().err == ""
        written = (tmp_path / "state" / "planner.log").read_text()
        assert written.count("both keys are set") == 1
        assert "HTTP Request" not in written
    finally:
        for name, (handlers, propagate) in before.items():
            for handler in logging.getLogger(name).handlers:
                handler.close()
            logging.getLogger(name).handlers, logging.getLogger(name).propagate = handlers, propagate
