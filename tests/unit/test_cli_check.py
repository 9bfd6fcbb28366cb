from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.errors import BackendError, ExitCode, PlanInvalid
from tcao_tui.services.check import examine_file
from tests.fakes import known_facts as known
from tests.fakes.known_facts import TRAIN
from tests.fakes.measured import LOCAL, Measured, free_facts


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    measured = Measured()
    monkeypatch.setattr("tcao_tui.services.facts.sources", measured.sources)
    return measured


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def written(folder: Path, changes: dict[str, Any] | None = None) -> str:
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(known.values(changes), sort_keys=False))
    return str(path)


def judged(console: CliContext, capsys: pytest.CaptureFixture[str], *arguments: str, code: int) -> dict[str, Any]:
    assert main.run(["check", *arguments, "--output", "json"], console) == code
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


@pytest.mark.usefixtures("measured")
def test_a_plan_in_order_ends_with_0_and_says_how_to_run_it(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plan = written(tmp_path)
    assert main.run(["check", plan, "--max-cost", "15"], console) == ExitCode.OK
    told = capsys.readouterr()
    for gate in ("schema", "combinations", "data", "capability", "evals", "cost"):
        assert f"✓ pass  {gate}" in told.out
    assert "? open  approval" in told.out
    assert "EXPECTED" in told.out
    approval_hash = judged(console, capsys, plan, "--max-cost", "15", code=0)["approval_hash"]
    assert f"tcao run {plan} --max-cost 15 --approve {approval_hash}" in told.err
    assert not console.has_store


@pytest.mark.usefixtures("measured")
def test_the_hash_of_check_is_the_one_that_run_takes(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plan = written(tmp_path)
    checked = judged(console, capsys, plan, code=0)["approval_hash"]
    assert main.run(["run", plan, "--output", "json"], console) == ExitCode.NEEDS_INPUT
    assert json.loads(capsys.readouterr().out)["approval_hash"] == checked


@pytest.mark.usefixtures("measured")
def test_a_problem_of_a_key_names_file_and_line(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plan = written(tmp_path, {"training.learning_rat": 0.1})
    lines = Path(plan).read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "learning_rat:" in text)
    told = judged(console, capsys, plan, code=3)
    [finding] = told["gates"][0]["findings"]
    assert finding == {
        "severity": "error",
        "path": "training.learning_rat",
        "got": "unknown key",
        "expected": "the key learning_rate",
        "fix": "rename it to learning_rate",
        "where": f"{plan}:{line}",
    }
    assert told["ready"] is False
    assert told["approval_hash"] is None
    assert main.run(["check", plan], console) == ExitCode.PLAN_INVALID
    assert f"          at        {plan}:{line}\n" in capsys.readouterr().out


def test_a_problem_of_a_config_beside_the_plan_names_the_config(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path, measured: Measured
) -> None:
    plan = known.values()
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(plan["training"] | {"num_steps": 3}, sort_keys=False))
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan | {"training": "config.yaml"}))
    told = judged(console, capsys, str(tmp_path / "plan.yaml"), code=0)
    [warning] = told["gates"][1]["findings"]
    assert warning["where"] == f"{tmp_path / 'config.yaml'}:9"
    assert "inspect train.jsonl by lab/small-1b" in measured.asked


@pytest.mark.usefixtures("measured")
def test_a_config_alone_lacks_an_eval_and_that_is_told(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(known.values()["training"]))
    told = judged(console, capsys, str(tmp_path / "config.yaml"), code=3)
    evals = next(gate for gate in told["gates"] if gate["gate"] == "evals")
    assert [finding["path"] for finding in evals["findings"]] == ["evals.score"]


def test_a_bad_row_names_the_data_file_and_its_line(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path, measured: Measured
) -> None:
    bad = [{"line": n, "what": "no field 'output'", "fix": "add it"} for n in range(1, 31)]
    broken = known.profile(TRAIN, 2000, tokens=known.tokens(), bad_rows=30, problems=bad)
    measured.facts = measured.facts.with_fact(broken)
    told = judged(console, capsys, written(tmp_path), code=3)
    *rows, all_of_them = told["gates"][2]["findings"]
    assert [f["where"] for f in rows] == [f"{TRAIN}:{n}" for n in range(1, 31)]
    assert "tcao data clean" in all_of_them["fix"]
    assert main.run(["check", written(tmp_path)], console) == ExitCode.PLAN_INVALID
    assert "... and 11 more; --output json lists all" in capsys.readouterr().out


def test_missing_data_and_a_server_that_is_away_leave_what_they_must_open(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path, measured: Measured
) -> None:
    measured.away = BackendError("the local engine is not running")
    measured.facts = known.facts(profiles=())
    told = judged(console, capsys, written(tmp_path, {"training.num_steps": 3}), code=3)
    status = {gate["gate"]: gate["status"] for gate in told["gates"]}
    assert status == {
        **{"schema": "pass", "combinations": "warn", "data": "fail", "capability": "open"},
        **{"evals": "fail", "cost": "open", "approval": "open"},
    }
    assert "the local engine is not running" in told["gates"][3]["why_open"]


def test_what_is_no_yaml_is_told_with_its_line(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "plan.yaml").write_text("goal: [\n")
    assert main.run(["check", str(tmp_path / "plan.yaml")], console) == ExitCode.PLAN_INVALID
    assert "plan.yaml:2" in capsys.readouterr().err


def test_what_is_free_says_so_and_unknown_prices_are_never_zero(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path, measured: Measured
) -> None:
    measured.facts = free_facts()
    assert main.run(["check", written(tmp_path)], console) == ExitCode.OK
    assert "local engine: free" in capsys.readouterr().out
    measured.facts = known.facts(capabilities=known.capabilities(known.model(price=known.UNKNOWN)))
    assert main.run(["check", written(tmp_path, {"budget.max_cost_usd": None})], console) == ExitCode.OK
    told = capsys.readouterr().out
    assert "$?" in told
    assert "approve by hand" in told


@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=120) | TEXT.map(lambda text: b"training: {base_model: m}\n" + text.encode()))
def test_any_bytes_are_judged_or_told(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "plan.yaml"
    path.write_bytes(raw)
    # Nothing but a told error may come out of any bytes.
    with suppress(PlanInvalid):
        assert not examine_file(path, LOCAL, measure=Measured().sources()).sheet.is_ready
