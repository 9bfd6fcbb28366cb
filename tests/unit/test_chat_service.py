"""Conversations that are led and kept, prompts of files, and who is meant by a word."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui.clients.chat_calls import Ask
from tcao_tui.data.append import append_rows
from tcao_tui.data.check import check_file
from tcao_tui.domain.chat import ChatSettings, Contender, Reply
from tcao_tui.domain.events import CheckpointSaved
from tcao_tui.errors import BackendError, PlanInvalid, Refused, TcaoError, UsageError
from tcao_tui.services.backend_helper import GivenUp
from tcao_tui.services.chat import ChatSession, new_conversation
from tcao_tui.services.chat_contenders import contenders_meant
from tcao_tui.services.chat_prompts import answer_prompts, read_prompts
from tcao_tui.store.chats import ChatFiles
from tcao_tui.store.port import RunStore
from tcao_tui.store.sqlite import open_store
from tests.fakes.chat_helper import BASE, TRAINED, ChatHelper, last_words
from tests.fakes.run_records import checkpoint, launch, new_run


@pytest.fixture
def files(tmp_path: Path) -> ChatFiles:
    return ChatFiles(tmp_path / "chats")


def session(files: ChatFiles, helper: ChatHelper, *contenders: Contender, blind: bool = False) -> ChatSession:
    chosen = contenders or (BASE, TRAINED)
    return ChatSession(helper, files, new_conversation(chosen, ChatSettings(), backend="local", is_blind=blind))


def quiet(contender: int, reply: Reply) -> None:
    pass


def test_answers_are_told_as_they_come_and_the_conversation_is_kept_after_each_turn(files: ChatFiles) -> None:
    helper = ChatHelper()
    talk = session(files, helper)
    told: list[tuple[int, str]] = []
    talk.ask("Hi", lambda contender, reply: told.append((contender, reply.text)))
    assert told == [(0, "base on Hi"), (1, "demo:80 on Hi")]
    assert files.find(talk.conversation.chat_id) == talk.conversation
    talk.ask("And?", quiet)
    assert helper.sent[1] == [["Hi", "base on Hi", "And?"], ["Hi", "demo:80 on Hi", "And?"]]
    (summary,) = files.summaries()
    assert (summary.title, summary.labels, summary.exchanges) == ("Hi", ("base", "demo:80"), 2)


def test_a_conversation_goes_on_where_it_was_left(files: ChatFiles) -> None:
    first = session(files, ChatHelper(), TRAINED)
    first.ask("Hi", quiet)
    helper = ChatHelper()
    again = ChatSession(helper, files, files.find("latest"))
    again.ask("And?", quiet)
    assert helper.sent == [[["Hi", "demo:80 on Hi", "And?"]]]
    with pytest.raises(UsageError, match="no conversation nowhere"):
        files.find("nowhere")


def test_a_file_that_is_no_conversation_is_left_out_of_the_list_and_named_when_asked_for(
    files: ChatFiles, tmp_path: Path
) -> None:
    session(files, ChatHelper(), TRAINED).ask("Hi", quiet)
    (tmp_path / "chats" / "broken.json").write_text("{", encoding="utf-8")
    assert len(files.summaries()) == 1
    with pytest.raises(UsageError, match="cannot be read") as refused:
        files.find("broken")
    assert refused.value.where.endswith("broken.json")


def test_a_stop_keeps_the_answers_that_are_there(files: ChatFiles) -> None:
    helper = ChatHelper(lambda contender, ask: last_words(contender, ask) if contender is BASE else None)
    talk = session(files, helper)
    asking = threading.Thread(target=talk.ask, args=("Hi", quiet))
    asking.start()
    assert helper.is_waiting.wait(30)
    with pytest.raises(Refused, match="another prompt"):
        talk.ask("Too soon", quiet)
    assert talk.stop()
    asking.join(30)
    assert [reply and reply.text for reply in talk.conversation.rounds[0].exchanges[0].replies] == ["base on Hi", None]
    assert not talk.stop()


def test_a_stop_before_any_answer_leaves_the_conversation_as_it_was(files: ChatFiles) -> None:
    helper = ChatHelper(lambda contender, ask: GivenUp("it was given up"))
    talk = session(files, helper)
    with pytest.raises(GivenUp):
        talk.ask("Hi", quiet)
    assert talk.conversation.rounds == ()
    assert files.summaries() == []


def test_votes_are_refused_when_there_is_nothing_to_choose_from(files: ChatFiles) -> None:
    helper = ChatHelper(lambda who, ask: last_words(who, ask) if who is BASE else Reply(error="gone"))
    talk = session(files, helper)
    with pytest.raises(Refused, match="nothing to vote on"):
        talk.vote(0)
    talk.ask("Hi", quiet)
    with pytest.raises(Refused, match="nothing to vote on"):
        talk.vote(0)


def test_a_vote_is_saved_as_a_pair_that_the_data_tools_read(files: ChatFiles, tmp_path: Path) -> None:
    talk = session(files, ChatHelper())
    path = tmp_path / "pairs.jsonl"
    for prompt in ("Hi", "Bye"):
        talk.ask(prompt, quiet)
        talk.vote(1)
        assert talk.save("pair", path) == f"1 preference pair appended to {path}"
    report = check_file(path, None, kind=None)
    assert (report.rows, report.kind, report.error_count) == (2, "preference", 0)
    assert report.fields is not None
    assert report.fields.data_format == "preference"


def test_rows_and_cases_are_read_as_what_they_are(files: ChatFiles, tmp_path: Path) -> None:
    talk = session(files, ChatHelper(), TRAINED)
    talk.ask("Hi", quiet)
    talk.save("rows", tmp_path / "rows.jsonl", 0)
    talk.save("case", tmp_path / "cases.jsonl", 0, wanted="Good day", tags=["manners"])
    rows, cases = (check_file(tmp_path / name, None, kind=None) for name in ("rows.jsonl", "cases.jsonl"))
    assert (rows.rows, rows.kind, cases.rows, cases.kind) == (1, "chat", 1, "chat")
    assert json.loads((tmp_path / "cases.jsonl").read_text())["tags"] == ["manners"]
    with pytest.raises(Refused, match="input_output"):
        talk.save("rows", tmp_path / "cases.jsonl", 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"input": "a", "output": "b"}\n', "the file holds rows of format input_output"),
        (b'{"question": "a", "answer": "b"}\n', "the file holds rows of format"),
        (b'[{"input": "a", "output": "b"}]\n', "JSONL files only"),
        (b"no json\n", "cannot be read"),
        (b'{"messages": [{"role": "user", "content": "a"}]}\n', "read as prompt"),
        (b'{"x": 1}\n', "cannot be read"),
    ],
)
def test_nothing_is_appended_to_a_file_of_another_format(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "there.jsonl"
    path.write_bytes(content)
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    with pytest.raises(Refused, match=said):
        append_rows(path, [{"messages": turns}])
    assert path.read_bytes() == content


def test_a_last_line_without_its_end_is_ended_first_and_writers_at_once_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "there.jsonl"
    row = {"input": "a" * 5000, "output": "b"}
    path.write_text(json.dumps(row), encoding="utf-8")
    writers = [threading.Thread(target=append_rows, args=(path, [row] * 3)) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [row] * 25


def test_rows_that_cannot_be_read_back_and_places_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    with pytest.raises(TcaoError, match="cannot be kept"):
        append_rows(tmp_path / "new.jsonl", [{"x": 1}])
    with pytest.raises(UsageError, match="cannot be written"):
        append_rows(tmp_path / "no" / "where.jsonl", [{"input": "a", "output": "b"}])


def test_prompts_are_read_from_any_data_format_with_their_wanted_answers(tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    cases.write_text('{"input": "2+2?", "output": "4"}\n{"input": "3+3?", "output": "6"}\n', encoding="utf-8")
    found = read_prompts(cases, system="Be brief.")
    assert [(each.line, each.text, each.reference) for each in found] == [(1, "2+2?", "4"), (2, "3+3?", "6")]
    assert [turn.role for turn in found[0].messages] == ["system", "user"]
    lines = tmp_path / "prompts.txt"
    lines.write_text("one\n\ntwo\n", encoding="utf-8")
    assert [(each.line, each.text) for each in read_prompts(lines)] == [(1, "one"), (3, "two")]
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"input": "a", "output": "b"}\n{"input": 1}\n', encoding="utf-8")
    with pytest.raises(PlanInvalid, match=r"bad\.jsonl:2"):
        read_prompts(bad)
    lines.write_text("\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no prompts"):
        read_prompts(lines)


def test_every_prompt_is_sent_to_every_contender(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("one\ntwo\n", encoding="utf-8")
    found: dict[tuple[int, int], str] = {}

    def take(prompt: int, contender: int, reply: Reply) -> None:
        found[prompt, contender] = reply.text

    helper = ChatHelper()
    answer_prompts(helper, (BASE, TRAINED), ChatSettings(), read_prompts(path), take, at_once=3)
    assert found == {
        (0, 0): "base on one",
        (0, 1): "demo:80 on one",
        (1, 0): "base on two",
        (1, 1): "demo:80 on two",
    }
    assert helper.calls[0].at_once == 3


def test_a_server_that_cannot_be_asked_is_an_error(files: ChatFiles) -> None:
    def fail(contender: Contender, ask: Ask) -> Exception:
        return BackendError("the helper ended")

    with pytest.raises(BackendError, match="helper ended"):
        session(files, ChatHelper(fail)).ask("Hi", quiet)


def test_two_to_four_contenders_are_compared_and_blind_needs_two() -> None:
    with pytest.raises(UsageError, match="one to 4"):
        new_conversation([BASE] * 5, ChatSettings())
    with pytest.raises(UsageError, match="two contenders"):
        new_conversation([BASE], ChatSettings(), is_blind=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    opened = open_store(tmp_path / "runs")
    opened.create_run(new_run(name="demo"))
    writer = opened.writer("run-1")
    launch(writer)
    writer.commit(events=[CheckpointSaved(checkpoint=checkpoint(step)) for step in (40, 80)])
    yield opened
    opened.close()


def test_words_mean_runs_steps_paths_and_base_models(store: RunStore, tmp_path: Path) -> None:
    words = ("base", "latest", "demo:40", "tinker://lora/weights/001-000040")
    meant = contenders_meant(words, store, tmp_path / "runs")
    assert meant.backend == "local"
    assert [(each.label, each.source) for each in meant.contenders] == [
        ("base", "tiny"),
        ("demo:80", "tinker://lora/sampler_weights/001-000080"),
        ("demo:40", "tinker://lora/sampler_weights/001-000040"),
        ("demo:40 (2)", "tinker://lora/sampler_weights/001-000040"),
    ]
    foreign = contenders_meant(("acme/big-9B", "tinker://x/sampler_weights/y"), store, tmp_path, renderer="llama3")
    assert [(each.label, each.renderer) for each in foreign.contenders] == [
        ("big-9B", "llama3"),
        ("x/sampler_weights/y", "llama3"),
    ]
    assert foreign.backend is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nobody",), "no run nobody"),
        (("demo:60",), "no checkpoint 60"),
        (("demo:last",), "no checkpoint last"),
        (("base", "acme/big-9B"), "base is the base model"),
    ],
)
def test_words_that_mean_nobody_are_refused(store: RunStore, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(TcaoError, match=said):
        contenders_meant(words, store, tmp_path / "runs")


def test_without_any_run_only_models_and_paths_are_meant(tmp_path: Path) -> None:
    assert contenders_meant(("acme/big-9B",), None, tmp_path).backend is None
    with pytest.raises(UsageError, match="no runs yet"):
        contenders_meant(("latest",), None, tmp_path)
