"""`tcao chat`: lines and slash commands over a pipe, what it prints, and what does not go together."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from tcao_tui.cli import chat_request
from tcao_tui.cli.chatting import LineChat, changed_settings, save_target
from tcao_tui.cli.context import CliContext
from tcao_tui.cli.main import run
from tcao_tui.cli.render.chat import conversation_json, prompts_summary, prompts_table, reply_lines
from tcao_tui.domain.chat import ChatSettings, Message, Reply
from tcao_tui.errors import ExitCode, UsageError
from tcao_tui.services.chat import ChatSession, new_conversation
from tcao_tui.services.chat_prompts import FilePrompt
from tcao_tui.store.chats import ChatFiles
from tests.fakes.chat_helper import BASE, TRAINED, ChatHelper

Talk = Callable[..., ChatSession]


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Talk:
    def lead(
        lines: str, *, blind: bool = False, alone: bool = False, save_as: str = "", streams: bool = False
    ) -> ChatSession:
        chosen = [TRAINED] if alone else [BASE, TRAINED]
        session = ChatSession(
            ChatHelper(), ChatFiles(tmp_path / "chats"), new_conversation(chosen, ChatSettings(), is_blind=blind)
        )
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        console = CliContext(environ={"NO_COLOR": "1"}, output="stream-json" if streams else "text")
        LineChat(console, session, save_target(save_as or None)).talk()
        return session

    return lead


def test_each_line_is_a_prompt_and_answers_go_to_stdout(talk: Talk, capsys: pytest.CaptureFixture[str]) -> None:
    session = talk("Hi\n\nAnd?\n")
    out = capsys.readouterr().out
    assert "1 base  10 tokens · 1.5 s\nbase on Hi\n" in out
    assert "2 demo:80  13 tokens · 1.5 s\ndemo:80 on Hi\n" in out
    assert [each.prompt for each in session.conversation.rounds[0].exchanges] == ["Hi", "And?"]


def test_a_blind_round_names_nobody_before_its_vote(talk: Talk, capsys: pytest.CaptureFixture[str]) -> None:
    talk("Hi\n", blind=True)
    told = capsys.readouterr()
    assert "tokens" in told.out
    assert [line[:2] for line in told.out.splitlines() if " tokens" in line] == ["1 ", "2 "]
    assert "base  1" not in told.out
    session = talk("Hi\n/1\n/meter\n", blind=True)
    told = capsys.readouterr()
    winner = session.conversation.contenders[session.conversation.rounds[0].order[0]].label
    assert f"1 was {winner}" in told.err
    assert "cannot tell which is better" in told.err
    assert "read 20 · wrote 23" in told.err


def test_votes_are_kept_as_pairs_and_ties_are_not(talk: Talk, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    talk("Hi\n/2\nBye\n/tie\nMore\n/1\n", save_as=f"pair:{path}")
    chosen = [json.loads(line)["chosen"][0]["content"] for line in path.read_text().splitlines()]
    assert chosen == ["demo:80 on Hi", "base on More"]


def test_rounds_of_one_contender_are_kept_once_each_when_they_end(talk: Talk, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    talk("Hi\nAnd?\n/new\nBye\n/quit\nnever\n", save_as=f"rows:{path}", alone=True)
    rows = [[turn["content"] for turn in json.loads(line)["messages"]] for line in path.read_text().splitlines()]
    assert rows == [["Hi", "demo:80 on Hi", "And?", "demo:80 on And?"], ["Bye", "demo:80 on Bye"]]


def test_a_round_is_saved_by_hand_with_the_number_of_an_answer(
    talk: Talk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    talk(f"Hi\n/save case {tmp_path}/cases.jsonl 2\n/save rows {tmp_path}/rows.jsonl\n/save rows x y z\n")
    assert json.loads((tmp_path / "cases.jsonl").read_text()) == {"input": "Hi", "output": "demo:80 on Hi"}
    err = capsys.readouterr().err
    assert "there is no answer to keep" in err
    assert "say what, where, and whose" in err


def test_settings_and_system_prompt_change_between_prompts(talk: Talk, capsys: pytest.CaptureFixture[str]) -> None:
    session = talk("/set temperature 0\n/set seed 3\n/set thinking false\n/system Be brief.\nHi\n/set warmth 1\n/9\n")
    assert session.conversation.settings == ChatSettings(temperature=0, seed=3, thinking=False)
    assert session.conversation.rounds[0].system == "Be brief."
    err = capsys.readouterr().err
    assert "no setting 'warmth'" in err
    assert "there is no /9" in err


@pytest.mark.parametrize(("key", "value"), [("temperature", "hot"), ("max_tokens", "0"), ("top_p", "2")])
def test_values_that_make_no_sense_are_refused(key: str, value: str) -> None:
    with pytest.raises(UsageError, match=key):
        changed_settings(ChatSettings(), key, value)
    assert changed_settings(ChatSettings(seed=3), "seed", "none").seed is None


def test_answers_stream_as_json_lines(talk: Talk, capsys: pytest.CaptureFixture[str]) -> None:
    talk("Hi\n", streams=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["label"], line["text"], line["is_cut"]) for line in lines] == [
        ("base", "base on Hi", False),
        ("demo:80", "demo:80 on Hi", False),
    ]


def test_hostile_answers_are_printed_plain_with_all_that_is_wrong_with_them() -> None:
    def style(text: str, *_: object, **__: object) -> str:
        return text

    reply = Reply(text="\x1b[31mred\u202e", thinking="hm\x07", is_cut=True, problem="no end\x1b[2J", tokens=3)
    shown = "\n".join(reply_lines("a\x1b[1m", reply, style))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "cut off at the limit" in shown
    assert "not read as the chat format has it: no end" in shown
    assert "stopped" in reply_lines("a", None, style)[0]


def test_json_of_a_blind_conversation_does_not_name_who_answers_before_the_vote(talk: Talk) -> None:
    before = json.dumps(conversation_json(talk("Hi\n", blind=True).conversation)["rounds"])
    assert 'demo:80"' not in before
    assert TRAINED.source not in before
    after = conversation_json(talk("Hi\n/1\n", blind=True).conversation)
    assert after["rounds"][0]["vote"] in ("base", "demo:80")


def test_prompts_of_a_file_become_a_table_and_numbers_of_each_contender() -> None:
    prompts = [
        FilePrompt(1, (Message(role="user", content="2+2?"),), "4"),
        FilePrompt(2, (Message(role="user", content="x"),)),
    ]
    answers = {(0, 0): Reply(text="5", tokens=1), (0, 1): Reply(text="4 ", tokens=3), (1, 0): Reply(error="gone")}
    lines = prompts_table(prompts, ["base", "new"], answers)
    assert lines[1].split() == ["1", "2+2?", "5", "4"]
    assert lines[2].split() == ["2", "x", "failed:", "gone", "-"]
    base, new = prompts_summary(prompts, ["base", "new"], answers)
    assert (base["answers"], base["failed"], base["same"]) == (1, 1, 0)
    assert (new["answers"], new["mean_tokens"], new["same"]) == (1, 3, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name who is to answer"),
        (["a/b", "--continue", "latest"], "--continue goes on"),
        (["a/b", "--prompts", __file__, "--blind"], "--prompts goes with neither"),
        (["a/b", "-p", "x", "--save-as", "poem:x"], "'poem' cannot be kept"),
        (["a/b", "-p", "x", "--save-as", "pair"], "say what and where"),
    ],
)
def test_what_does_not_go_together_is_a_usage_error(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["chat", *arguments]) == ExitCode.USAGE
    assert said in capsys.readouterr().err


def test_a_conversation_goes_on_with_all_that_was_said_and_under_settings_that_were_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TCAO_STATE_DIR", str(tmp_path))
    helper = ChatHelper()
    monkeypatch.setattr(chat_request, "BackendHelper", lambda *_, **__: nullcontext(helper))
    monkeypatch.setattr(chat_request, "ensure_engine", lambda _: None)
    begun = ChatSession(helper, ChatFiles(tmp_path / "chats"), new_conversation([TRAINED], ChatSettings()))
    begun.ask("Hi", lambda *_: None)
    monkeypatch.setattr("sys.stdin", io.StringIO("And you?\n"))
    going_on = ["chat", "--continue", begun.conversation.chat_id, "--backend", "local", "--max-tokens", "9"]
    assert run(going_on) == ExitCode.OK
    assert "demo:80 on And you?" in capsys.readouterr().out
    assert helper.sent[-1] == [["Hi", "demo:80 on Hi", "And you?"]]
    assert helper.calls[-1].settings.max_tokens == 9
    assert len(ChatFiles(tmp_path / "chats").find("latest").rounds[0].exchanges) == 2


def test_conversations_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TCAO_STATE_DIR", str(tmp_path))
    assert run(["chat", "--list"]) == 0
    assert "no conversations yet" in capsys.readouterr().out
    session = ChatSession(ChatHelper(), ChatFiles(tmp_path / "chats"), new_conversation([TRAINED], ChatSettings()))
    session.ask("Where is it?", lambda *_: None)
    assert run(["chat", "--list"]) == 0
    assert "Where is it?" in capsys.readouterr().out
    assert run(["chat", "--list", "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["exchanges"] == 1
