"""Sets of cases: representative, distinct, free of what is trained on, tagged, known by their hash."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.data.evalset import chosen_cases, read_set
from tcao_tui.domain.chat import Contender, Conversation, Exchange, Reply, Round
from tcao_tui.domain.evalset import failure_kind
from tcao_tui.domain.transcript import Transcript, Turn
from tcao_tui.errors import ExitCode, PlanInvalid
from tcao_tui.services import eval_failures
from tcao_tui.services.eval_examples import ReadTranscript
from tcao_tui.services.evalset import failed_cases, fill, voted_cases
from tcao_tui.store.sqlite import open_store
from tests.fakes.evaluated_run import evaluated_run, transcript

LABELS = {"refund": 60, "technical": 30, "other": 10}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    rows = [
        {"input": f"Ticket {label} number {n}: please help me with matter {n * 7}", "output": label}
        for label, count in LABELS.items()
        for n in range(count)
    ]
    return write(tmp_path / "tickets.jsonl", rows)


def console(tmp_path: Path) -> CliContext:
    return CliContext(runs_root=tmp_path / "runs", environ={"HOME": str(tmp_path)})


def run(tmp_path: Path, *arguments: str) -> int:
    return main.run(["evalset", *arguments], console(tmp_path))


def test_a_choice_of_rows_has_the_proportions_of_the_file(tickets: Path) -> None:
    found = Counter(case.output for case in chosen_cases(tickets, 20, seed=1))
    assert found == {"refund": 12, "technical": 6, "other": 2}


def test_the_same_seed_chooses_the_same_rows_and_another_one_others(tickets: Path) -> None:
    first, again, other = (chosen_cases(tickets, 20, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_what_is_trained_on_or_known_is_left_out_and_counted(tickets: Path, tmp_path: Path) -> None:
    target = tmp_path / "set.jsonl"
    cases = chosen_cases(tickets, 20, seed=1)
    training = write(
        tmp_path / "train.jsonl", [{"input": str(case.input).upper(), "output": "x"} for case in cases[:5]]
    )
    first = fill(target, cases, against=[training], tags=["format"])
    assert (first.added, first.known, first.leaked) == (15, 0, {training: 5})
    again = fill(target, cases, against=[training])
    assert (again.added, again.known) == (0, 15)
    summary = read_set(target)
    assert summary.rows == 15
    assert summary.tags == {"format": 15}
    assert summary.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("wanted", "given", "kind"),
    [
        ("Paris", "I'm sorry, but I can't help with that.", "refusal"),
        ("I can't help with that.", "Sure! First you", "safety"),
        ('{"queue": "refunds"}', "The queue is refunds.", "format"),
        ('{"queue": "refunds"}', '{"queue": "sales"}', "wrong"),
        ('<tool_call>{"name": "f"}</tool_call>', "I would call f.", "tool_call"),
        ("Paris", "Lyon", "wrong"),
    ],
)
def test_the_form_of_an_answer_suggests_the_kind_of_failure(wanted: str, given: str, kind: str) -> None:
    assert failure_kind(wanted, given) == kind


def test_wrong_answers_become_cases_with_what_was_asked_and_wanted() -> None:
    turns = (
        Turn(role="system", text="Be brief."),
        Turn(role="user", text="2 + 2?"),
        Turn(role="assistant", text="5"),
    )
    one = Transcript(item="7", epoch=1, target="4", turns=turns, scores=())
    [case] = failed_cases([one, one.model_copy(update={"epoch": 2})], "eval e1")
    assert case.input == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}]
    assert (case.output, case.tags, case.source) == ("4", ("wrong",), "eval e1 item 7")


def test_the_command_builds_shows_and_tags(tickets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = str(tmp_path / "set.jsonl")
    assert run(tmp_path, "build", target, "--from-data", str(tickets), "--rows", "30") == ExitCode.OK
    captured = capsys.readouterr()
    assert "30 cases added" in captured.out
    assert "--against" in captured.err
    assert run(tmp_path, "tag", target, "1", "2", "--as", "hallucination") == ExitCode.OK
    capsys.readouterr()
    assert run(tmp_path, "show", target, "--output", "json") == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["tags"], told["untagged"]) == (30, {"hallucination": 2}, 28)
    assert run(tmp_path, "show", target, "--against", str(tickets)) == ExitCode.PLAN_INVALID
    assert "30 cases" in capsys.readouterr().out


def test_a_line_that_is_not_there_is_refused_and_nothing_changes(tickets: Path, tmp_path: Path) -> None:
    before = tickets.read_bytes()
    assert run(tmp_path, "tag", str(tickets), "1", "101", "--as", "format") == ExitCode.USAGE
    assert tickets.read_bytes() == before


def test_tagging_keeps_tags_in_words_and_answers_with_any_line_break(tmp_path: Path) -> None:
    target = tmp_path / "set.jsonl"
    row = {"input": "a", "output": "one\u2028two", "tags": "refusal, tone"}
    target.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    assert read_set(target).tags == {"refusal": 1, "tone": 1}
    assert run(tmp_path, "tag", str(target), "1", "--as", "format") == ExitCode.OK
    assert json.loads(target.read_bytes()) == {**row, "tags": ["refusal", "tone", "format"]}


def test_what_holds_no_rows_is_not_tagged(tmp_path: Path) -> None:
    target = tmp_path / "set.jsonl"
    target.write_text("[1, 2]\n", encoding="utf-8")
    assert run(tmp_path, "tag", str(target), "1", "--as", "format") == ExitCode.USAGE
    assert target.read_text(encoding="utf-8") == "[1, 2]\n"


def test_rows_without_answers_are_no_cases(tmp_path: Path) -> None:
    source = write(tmp_path / "prompts.jsonl", [{"prompt": f"Question {n}?"} for n in range(4)])
    with pytest.raises(PlanInvalid, match="wanted answer"):
        chosen_cases(source, 2, seed=0)


def test_only_rounds_with_a_vote_for_an_answer_become_cases() -> None:
    def spoken(vote: Any) -> Round:
        replies = (Reply(text="better"), Reply(text="worse"))
        return Round(order=(0, 1), exchanges=(Exchange(prompt=f"asked {vote}", replies=replies),), vote=vote)

    contenders = (Contender(label="a", source="m"), Contender(label="b", source="n"))
    chat = Conversation(
        chat_id="c1",
        created_at=0.0,
        backend="local",
        contenders=contenders,
        rounds=(spoken(0), spoken("tie"), spoken(None)),
    )
    [case] = voted_cases(chat)
    assert (case.input, case.output, case.source) == ("asked 0", "better", "chat c1")


def test_an_eval_set_grows_from_what_the_furthest_checkpoint_got_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def reading(_root: Path) -> Generator[ReadTranscript]:
        yield transcript

    monkeypatch.setattr(eval_failures, "transcripts_below", reading)
    store = open_store(tmp_path)
    evaluated_run(tmp_path, store)
    found = eval_failures.failures_of(store, tmp_path, "r", most=5)
    store.close()
    assert len(found) == 5
    assert {case.source.rsplit(" item ")[0] for case in found} == {"eval of r@60"}
    assert all(case.output.startswith("wanted ") for case in found)
