"""`tcao eval verdict`, `report` and `choose`: what they print, what they refuse, and what a build learns of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.errors import ExitCode
from tcao_tui.store.sqlite import SqliteStore
from tests.fakes.evaluated_run import evaluated_run


@pytest.fixture
def store(root: Path, store: SqliteStore) -> SqliteStore:
    evaluated_run(root, store)
    return store


def said(
    console: CliContext, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = ExitCode.OK
) -> tuple[str, str]:
    assert main.run(["eval", *arguments], console) == code
    found = capsys.readouterr()
    return found.out, found.err


@pytest.mark.usefixtures("store")
def test_the_verdict_says_what_to_use_and_why_not_the_others(
    console: CliContext, capsys: pytest.CaptureFixture[str]
) -> None:
    text, _ = said(console, capsys, "verdict", "r")
    for wanted in ("use r@40, +0.739", "cannot be told from it: r@60", "- Goal: tickets", "the earliest of those"):
        assert wanted in text, wanted
    told: dict[str, Any] = json.loads(said(console, capsys, "verdict", "e", "--output", "json")[0])
    assert told["selection"]["recommended"] == told["judged"] == "r@40"
    assert told["failed"] == []


@pytest.mark.usefixtures("store")
def test_a_build_fails_under_a_score_and_where_it_is_clearly_worse(
    console: CliContext, capsys: pytest.CaptureFixture[str]
) -> None:
    under = said(console, capsys, "verdict", "r", "--fail-under", "tickets=0.9", code=ExitCode.FAILED)[1]
    assert "tickets: 0.804 (0.743 to 0.853) of r@40 is under 0.9" in under
    above = ("verdict", "r", "--fail-under", "loss on held-out rows=1.5")
    assert "of r@40 is above 1.5" in said(console, capsys, *above, code=ExitCode.FAILED)[1]
    worse = ("verdict", "r", "--checkpoint", "20", "--fail-if-worse-than", "40")
    assert "tickets: r@20 is clearly worse than r@40: -0.352" in said(console, capsys, *worse, code=ExitCode.FAILED)[1]


@pytest.mark.usefixtures("store")
def test_what_cannot_be_told_apart_fails_no_build(console: CliContext, capsys: pytest.CaptureFixture[str]) -> None:
    said(console, capsys, "verdict", "r", "--checkpoint", "r@60", "--fail-if-worse-than", "r@40")
    said(console, capsys, "verdict", "r", "--fail-if-worse-than", "base", "--fail-under", "mmlu_0_shot=0.4")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fail-under", "tickets"], "is not TASK=NUMBER"),
        (["--fail-under", "tikets=0.5"], "tikets is not one of the tasks that were evaluated"),
        (["--accept", "tikets"], "tikets is not one of the tasks that were evaluated"),
        (["--weigh", "tickets=-1"], "a weight is above zero"),
        (["--checkpoint", "99"], "99 is none of what was evaluated"),
    ],
)
@pytest.mark.usefixtures("store")
def test_names_that_are_none_are_refused_with_those_there_are(
    console: CliContext, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert words in said(console, capsys, "verdict", "r", *arguments, code=ExitCode.USAGE)[1]


def test_a_choice_overrules_and_its_reason_is_kept(
    console: CliContext, store: SqliteStore, capsys: pytest.CaptureFixture[str]
) -> None:
    text, more = said(console, capsys, "choose", "r", "20", "--reason", "kinder")
    assert (text, "the rule would take r@40" in more) == ("r@20\n", True)
    assert [choice.reason for choice in store.evaluations.choices("r")] == ["kinder"]
    assert "chose r@20: kinder" in said(console, capsys, "verdict", "r")[0]


@pytest.mark.usefixtures("store")
def test_a_report_is_written_also_where_the_logs_are_gone(
    console: CliContext, capsys: pytest.CaptureFixture[str]
) -> None:
    text, _ = said(console, capsys, "report", "r")
    files = [Path(line) for line in text.splitlines()]
    assert [file.name for file in files] == ["eval-report.md", "eval-report.html"]
    assert "Use r@40" in files[0].read_text()
    assert said(console, capsys, "report", "r", "--html")[0].startswith("<!doctype html>")
