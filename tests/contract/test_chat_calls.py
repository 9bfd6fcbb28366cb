"""Contenders answer through the helper process, by the real SDK from the engine."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui import paths
from tcao_tui.cli.main import run
from tcao_tui.clients.chat_calls import Answered, Ask, ChatReply
from tcao_tui.domain.chat import ChatSettings, Contender, Message, Reply
from tcao_tui.errors import ExitCode, UsageError
from tcao_tui.probes.chat_voice import chosen_renderer, open_voice
from tcao_tui.probes.cookbook_facts import cookbook_facts
from tcao_tui.probes.server import Server
from tcao_tui.probes.tokenizers import load_tokenizer
from tcao_tui.services.backend_helper import BackendHelper, GivenUp, Ticket
from tcao_tui.store.chats import ChatFiles
from tests.fakes.engine_process import EngineProcess
from tests.fakes.own_places import use_places

TINY = Contender(source=paths.TINY_MODEL_NAME, label="tiny")
RANDOM = Contender(source="random", label="random")
HELLO = (Message(role="user", content="Hello, who are you?"),)


@pytest.fixture(scope="module")
def helper(engine_places: Path) -> Iterator[BackendHelper]:
    with BackendHelper("local", purpose="chat") as running:
        yield running


def replies(
    helper: BackendHelper, *contenders: Contender, asks: tuple[Ask, ...] = (), **settings: object
) -> list[Reply]:
    found: dict[int, Reply] = {}

    def take(answered: Answered) -> None:
        found[answered.ask] = answered.reply

    everyone = tuple(Ask(contender=place, messages=HELLO) for place in range(len(contenders)))
    chosen = ChatSettings.model_validate({"max_tokens": 12, "temperature": 0.0, **settings})
    helper.call(ChatReply(contenders=contenders, settings=chosen, asks=asks or everyone), take)
    return [found[place] for place in sorted(found)]


def test_each_contender_answers_in_its_own_chat_format_with_tokens_seconds_and_prices(helper: BackendHelper) -> None:
    tiny, random = replies(helper, TINY, RANDOM)
    assert (tiny.base_model, tiny.renderer) == (paths.TINY_MODEL_NAME, "qwen3_instruct")
    assert (random.base_model, random.renderer) == ("random", "role_colon")
    for reply in (tiny, random):
        assert not reply.error
        assert reply.prompt_tokens > 0
        assert 0 < reply.tokens <= 12
        assert reply.seconds > 0
        assert (reply.prices.prefill_usd, reply.prices.sample_usd) == (0, 0)


def test_an_answer_at_the_limit_of_tokens_says_that_it_was_cut(helper: BackendHelper) -> None:
    (reply,) = replies(helper, TINY, max_tokens=2)
    assert (reply.is_cut, reply.tokens, reply.problem) == (True, 2, "")


def test_the_same_seed_gives_the_same_answer(helper: BackendHelper) -> None:
    asks = tuple(Ask(contender=0, messages=HELLO) for _ in range(2))
    one, other = replies(helper, RANDOM, asks=asks, temperature=1.0, seed=7)
    assert one.text == other.text


def test_a_contender_that_is_gone_fails_alone_and_says_why(helper: BackendHelper) -> None:
    gone = Contender(source="tinker://nobody:train:0/sampler_weights/x", label="gone")
    lost, there = replies(helper, gone, TINY)
    assert "nobody" in lost.error
    assert not there.error


def test_a_system_prompt_and_earlier_turns_are_read_too(helper: BackendHelper) -> None:
    turns = (
        Message(role="system", content="Be brief."),
        *HELLO,
        Message(role="assistant", content="A model."),
        Message(role="user", content="Whose?"),
    )
    (longer,) = replies(helper, TINY, asks=(Ask(contender=0, messages=turns),))
    (shorter,) = replies(helper, TINY)
    assert longer.prompt_tokens > shorter.prompt_tokens


def test_thinking_that_no_chat_format_of_the_model_has_is_refused_in_words(helper: BackendHelper) -> None:
    (reply,) = replies(helper, TINY, thinking=True)
    assert "no chat format with thinking" in reply.error


def test_a_server_that_answers_again_after_all_failed_gets_a_new_session(helper: BackendHelper) -> None:
    (failed,) = replies(helper, Contender(source="nobody/nothing", label="x"))
    assert failed.error
    (there,) = replies(helper, TINY)
    assert not there.error


def test_the_stop_key_ends_the_waiting(helper: BackendHelper) -> None:
    ticket, ended = Ticket(), list[str]()
    first = threading.Event()
    asks = tuple(Ask(contender=0, messages=HELLO) for _ in range(200))
    call = ChatReply(contenders=(TINY,), settings=ChatSettings(max_tokens=200), asks=asks, at_once=1)

    def ask() -> None:
        try:
            helper.call(call, lambda answered: first.set(), ticket)
        except GivenUp as error:
            ended.append(error.what)

    thread = threading.Thread(target=ask)
    thread.start()
    assert first.wait(60)
    ticket.cancel()
    thread.join(60)
    assert ended


@pytest.fixture
def places(engine: EngineProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_places(monkeypatch, tmp_path, engine)
    return tmp_path


@pytest.mark.slow
def test_the_command_asks_once_keeps_the_answer_as_a_row_and_goes_on_later(
    places: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = places / "rows.jsonl"
    asking = ["--backend", "local", "--max-tokens", "8", "--temperature", "0", "--save-as", f"rows:{rows}"]
    assert run(["chat", paths.TINY_MODEL_NAME, "-p", "Hello?", *asking, "--output", "json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    (answer,) = told["rounds"][0]["exchanges"][0]["answers"]
    assert answer["tokens"] <= 8
    assert answer["usd"] == 0
    assert run(["data", "inspect", str(rows)]) == ExitCode.OK
    capsys.readouterr()
    monkeypatch.setattr("sys.stdin", io.StringIO("And you?\n"))
    assert run(["chat", "--continue", told["chat"]]) == ExitCode.OK
    assert len(ChatFiles(places / "state" / "chats").find("latest").rounds[0].exchanges) == 2


def test_the_command_asks_every_prompt_of_a_file_and_says_what_failed(
    places: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = places / "prompts.txt"
    prompts.write_text("One?\nTwo?\n", encoding="utf-8")
    asking = ["--prompts", str(prompts), "--backend", "local", "--max-tokens", "4", "--output", "stream-json"]
    gone = "tinker://nobody:train:0/sampler_weights/x"
    assert run(["chat", paths.TINY_MODEL_NAME, gone, *asking]) == ExitCode.FAILED
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted((line["line"], bool(line["error"])) for line in lines) == [
        (1, False),
        (1, True),
        (2, False),
        (2, True),
    ]


@pytest.mark.parametrize(
    ("trained", "thinking", "expected"),
    [
        ("", None, "qwen3_5"),
        ("", False, "qwen3_5_disable_thinking"),
        ("qwen3_5_disable_thinking", None, "qwen3_5_disable_thinking"),
        ("qwen3_5_disable_thinking", True, "qwen3_5"),
        ("role_colon", None, "role_colon"),
    ],
)
def test_a_model_that_may_think_does_so_by_the_choice_of_its_chat_format(
    trained: str, thinking: bool | None, expected: str
) -> None:
    recommended = cookbook_facts("Qwen/Qwen3.6-35B-A3B").renderers
    assert chosen_renderer("Qwen/Qwen3.6-35B-A3B", trained, recommended, thinking) == expected


def test_a_model_without_a_known_chat_format_is_refused_with_what_to_say() -> None:
    with pytest.raises(UsageError, match="no chat format is known") as refused:
        chosen_renderer("acme/odd", "", (), None)
    assert "--renderer" in refused.value.next_step


def test_answers_that_cannot_be_read_are_shown_as_written_with_the_reason(places: Path) -> None:
    voice = open_voice(Server("local", "test"), paths.TINY_MODEL_NAME, "qwen3", None)
    tokenizer = load_tokenizer(str(paths.TINY_MODEL))

    def read(text: str, *, is_cut: bool = False) -> tuple[str, str, str]:
        said = voice.read(tokenizer.encode(text), is_cut=is_cut)
        return said.text.strip(), said.thinking.strip(), said.problem

    assert read("<think>\nHm.\n</think>\n\nYes.<|im_end|>") == ("Yes.", "Hm.", "")
    text, _, problem = read("No end")
    assert text == "No end"
    assert "did not terminate cleanly" in problem
    assert read("No end", is_cut=True)[2] == ""
    assert "unterminated" in read('A<tool_call>{"name"<|im_end|>')[2]
    call = '<tool_call>\n{"name": "look", "arguments": {}}\n</tool_call><|im_end|>'
    assert read(call)[2] == "calls a tool, and none is offered here: look"
