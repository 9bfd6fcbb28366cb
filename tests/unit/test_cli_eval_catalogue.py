"""`tcao eval tasks` and `tcao eval check`: what people read, and what scripts read."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.services.benchmark_list import described
from tests.fakes.offered_models import quote


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliContext:
    monkeypatch.setenv("TCAO_CONFIG_DIR", str(tmp_path / "config"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        dead_hub = f"http://127.0.0.1:{taken.getsockname()[1]}"
    environ = {"HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": dead_hub, "NO_COLOR": "1"}
    return CliContext(runs_root=tmp_path / "runs", environ=environ)


def test_a_suite_is_shown_with_what_counts_what_it_needs_and_what_it_costs(
    console: CliContext, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["eval", "tasks", "--suite", "general", "--model", "tcao/tiny-qwen3", "--backend", "local"]
    assert main.run(asked, console) == 0
    shown = capsys.readouterr()
    header, *_ = lines = shown.out.splitlines()
    assert header.split() == ["TASK", "SAMPLES", "TOKENS", "COUNTS", "BETTER", "COST"]
    gsm8k = next(line for line in lines if line.startswith("gsm8k"))
    assert gsm8k.split() == ["gsm8k", "1,319", "1,720", "accuracy", "higher", "$0"]
    assert "needs the extra inspect-evals[ifeval], part of which only git has" in shown.out
    assert shown.err == ""


def test_words_search_all_of_inspect_evals(console: CliContext, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["eval", "tasks", "pronoun resolution", "--output", "json"], console) == 0
    told = json.loads(capsys.readouterr().out)
    assert [task["name"] for task in told["tasks"]] == ["inspect_evals/winogrande"]
    [task] = told["tasks"]
    assert (task["is_known"], task["higher_is_better"], task["usd"], task["answers"]) == (False, None, None, 100)
    assert "multilingual" in told["suites"]
    assert main.run(["eval", "tasks", "no such words anywhere"], console) == 0
    assert "no task" in capsys.readouterr().out


def test_a_suite_that_does_not_exist_is_answered_with_those_that_do(
    console: CliContext, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["eval", "tasks", "--suite", "maths"], console) == 2
    assert "safeguards" in capsys.readouterr().err


def test_cost_follows_prices_and_limit() -> None:
    [full, _] = described(suite_name="multilingual", quote=quote(1.0, 2.0, 3.0))
    [some, _] = described(suite_name="multilingual", quote=quote(1.0, 2.0, 3.0), limit=10)
    assert full.usd == pytest.approx(2750 * (250 * 2.0 + 260 * 3.0) / 1e6)
    assert some.usd == pytest.approx(full.usd / 275)
    assert "multilingual" in full.suites


def test_what_is_missing_is_told_with_its_fix_and_an_exit_code(
    console: CliContext, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["eval", "check", "gsm8k", "agent_threat_bench_memory_poison"], console) == 1
    blocked, what, fix, ready, *notes = capsys.readouterr().out.splitlines()
    assert (blocked, ready) == (
        "blocked  inspect_evals/gsm8k",
        "ready    inspect_evals/agent_threat_bench_memory_poison",
    )
    assert "does not answer, and openai/gsm8k is not in the cache" in what
    assert "fix: connect, or set HF_ENDPOINT" in fix
    assert [line.split()[0] for line in notes] == ["note:"]


def test_a_task_that_has_all_passes_and_scripts_read_why_not(
    console: CliContext, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["eval", "check", "agent_threat_bench_memory_poison"], console) == 0
    capsys.readouterr()
    assert main.run(["eval", "check", "tau2_airline", "--output", "json"], console) == 1
    told = json.loads(capsys.readouterr().out)
    assert [o["task"] for o in told["obstacles"] if o["blocks"]] == ["inspect_evals/tau2_airline"]
    assert main.run(["eval", "check", "tau2_airline", "--judge", "tcao/other"], console) == 0
    assert main.run(["eval", "check", "nothing_like_that"], console) == 2
