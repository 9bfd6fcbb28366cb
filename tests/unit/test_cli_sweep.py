from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.domain.events import Finished, MetricRow
from tcao_tui.errors import ExitCode
from tcao_tui.services import sweep_driver
from tcao_tui.services.launch import LaunchResult
from tcao_tui.store.lease import RunLock
from tcao_tui.store.port import RunStore
from tcao_tui.store.sweep_file import read_sweep, sweep_dir, write_sweep
from tests.fakes import known_facts as known
from tests.fakes import run_records
from tests.fakes.measured import Measured, free_facts


@pytest.fixture
def console(console: CliContext, monkeypatch: pytest.MonkeyPatch) -> CliContext:
    monkeypatch.setattr(sweep_driver, "ensure_engine", lambda _: None)
    monkeypatch.setattr(sweep_driver, "changed_data", lambda _: [])
    return console


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    measured = Measured(free_facts())
    monkeypatch.setattr("tcao_tui.services.facts.sources", measured.sources)
    monkeypatch.setattr("tcao_tui.services.sweep.sources", measured.sources)
    return measured


@pytest.fixture
def plan(tmp_path: Path, measured: Measured) -> str:
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(known.values()))
    return str(tmp_path / "plan.yaml")


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Workers that are done at once: the loss of a run falls faster, the higher its learning rate."""
    started: list[str] = []

    def starts(store: RunStore, root: Path, run_id: str, **options: Any) -> LaunchResult:
        started.append(run_id)
        index = int(run_id.split("-")[-2])
        writer = store.writer(run_id)
        run_records.launch(writer)
        rows = [run_records.row(step, train_mean_nll=4 / (1 + index * step)) for step in range(1, 11)]
        held_out = MetricRow(attempt=1, step=10, at=11.0, values={"val_mean_nll": 1 / index})
        writer.commit(metrics=[*rows, held_out])
        writer.commit(events=[Finished(outcome="completed", exit_code=0)])
        return LaunchResult(run_id, root, 1, 1, 1)

    monkeypatch.setattr(sweep_driver, "Sweeper", partial(sweep_driver.Sweeper, start_worker=starts))
    return started


def sweep(console: CliContext, *arguments: str, code: int = 0) -> None:
    assert main.run(["sweep", *arguments], console) == code


def test_without_consent_nothing_is_made_and_the_hash_the_cells_and_the_total_are_said(
    console: CliContext, plan: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(console, plan, "--set", "training.lora_rank=8,16", "--name", "ranks", code=ExitCode.NEEDS_INPUT)
    said = capsys.readouterr().err
    assert "ranks: 2 runs" in said
    assert "total" in said
    assert "--approve" in said
    assert "--set training.lora_rank=8,16 --name ranks" in said
    assert not (console.runs_root / "_sweeps").exists()


def test_the_hash_that_is_said_is_the_consent_that_is_taken(
    console: CliContext, plan: str, workers: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = [plan, "--set", "training.lora_rank=8,16", "--name", "ranks", "--output", "json"]
    given += ["--by", "val_mean_nll"]
    sweep(console, *given, code=ExitCode.NEEDS_INPUT)
    asked = json.loads(capsys.readouterr().out)
    assert asked["cells"] == 2
    sweep(console, *given, "--foreground", "--approve", asked["approval_hash"])
    told = json.loads(capsys.readouterr().out)
    assert told["best"] == [2]
    assert [cell["status"] for cell in told["cells"]] == ["completed", "completed"]
    assert [cell["overrides"] for cell in told["cells"]] == [{"training.lora_rank": 8}, {"training.lora_rank": 16}]
    approvals = [cell.approval for cell in read_sweep(console.runs_root, "ranks").cells]
    assert len({approval.approval_hash for approval in approvals}) == 2
    assert {approval.how for approval in approvals} == {"hash"}


def test_an_approval_of_another_sweep_is_none(console: CliContext, plan: str) -> None:
    given = [plan, "--set", "training.lora_rank=8,16", "--approve", "0" * 16]
    sweep(console, *given, code=ExitCode.NEEDS_INPUT)
    assert not (console.runs_root / "_sweeps").exists()


def test_where_money_is_spent_auto_approves_nothing(console: CliContext, plan: str, measured: Measured) -> None:
    measured.facts = known.facts()
    given = [plan, "--set", "training.lora_rank=8,16", "--approve", "auto"]
    sweep(console, *given, code=ExitCode.NEEDS_INPUT)
    assert not (console.runs_root / "_sweeps").exists()


def test_a_cap_holds_for_all_cells_together(
    console: CliContext,
    plan: str,
    measured: Measured,
    workers: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    measured.facts = known.facts()
    given = [plan, "--set", "training.num_steps=100,200", "--max-cost", "9", "--name", "capped", "--output", "json"]
    sweep(console, *given, code=ExitCode.NEEDS_INPUT)
    wanted = json.loads(capsys.readouterr().out)["approval_hash"]
    sweep(console, *given, "--foreground", "--approve", wanted)
    caps = [cell.plan.budget.max_cost_usd or 0.0 for cell in read_sweep(console.runs_root, "capped").cells]
    assert sum(caps) == pytest.approx(9)
    assert caps[0] < caps[1]


def test_a_cap_that_cannot_hold_the_cells_is_refused(console: CliContext, plan: str, measured: Measured) -> None:
    measured.facts = known.facts()
    sweep(console, plan, "--set", "training.seed=1,2", "--max-cost", "0.001", code=ExitCode.BUDGET)


def test_the_same_command_again_goes_on_and_runs_nothing_twice(
    console: CliContext, plan: str, workers: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = [plan, "--set", "training.lora_rank=8,16", "--name", "ranks", "--foreground", "--approve", "auto"]
    sweep(console, *given)
    assert len(workers) == 2
    sweep(console, *given)
    assert len(workers) == 2
    assert "going on with its unfinished cells" in capsys.readouterr().err


def test_another_sweep_of_a_taken_name_is_refused(console: CliContext, plan: str, workers: list[str]) -> None:
    given = ["--name", "ranks", "--foreground", "--approve", "auto"]
    sweep(console, plan, "--set", "training.lora_rank=8", *given)
    sweep(console, plan, "--set", "training.lora_rank=16", *given, code=ExitCode.REFUSED)


def test_cells_come_from_a_file_too(
    console: CliContext, plan: str, workers: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "cells.yaml"
    listed.write_text(
        "cells:\n  - {training.lora_rank: 8, training.learning_rate: 1e-4}\n  - training: {lora_rank: 16}\n"
    )
    sweep(console, plan, "--list", str(listed), "--name", "listed", "--foreground", "--approve", "auto")
    shown = capsys.readouterr().out
    assert "LORA_RANK" in shown
    assert "0.0001" in shown
    assert [cell.overrides for cell in read_sweep(console.runs_root, "listed").cells] == [
        (("training.lora_rank", 8), ("training.learning_rate", 1e-4)),
        (("training.lora_rank", 16),),
    ]


def test_a_range_test_says_which_rate_to_take(
    console: CliContext, plan: str, workers: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(console, plan, "--range-test", "--steps", "10", "--foreground", "--approve", "auto")
    shown = capsys.readouterr().out
    assert "falls furthest and stays stable" in shown
    record = read_sweep(console.runs_root, "tickets-range-test")
    assert record.purpose == "range_test"
    assert {cell.plan.training.num_steps for cell in record.cells} == {10}


def test_sweeps_are_listed_and_shown(
    console: CliContext, plan: str, workers: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(console, "--ls")
    assert "no sweeps yet" in capsys.readouterr().err
    sweep(console, plan, "--set", "training.lora_rank=8,16", "--name", "ranks", "--foreground", "--approve", "auto")
    capsys.readouterr()
    sweep(console, "--ls", "--output", "json")
    [listed] = json.loads(capsys.readouterr().out)
    assert (listed["name"], listed["is_over"], listed["is_driven"]) == ("ranks", True, False)
    sweep(console, "--show", "ranks")
    shown = capsys.readouterr().out
    assert "2 of 2 cells over" in shown
    assert "val_mean_nll" not in shown


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], ExitCode.USAGE),
        (["--show", "nowhere"], ExitCode.USAGE),
        (["--resume", "../x"], ExitCode.USAGE),
        (["--show", "a", "--resume", "b"], ExitCode.USAGE),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(console: CliContext, arguments: list[str], code: int) -> None:
    sweep(console, *arguments, code=code)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--range-test", "--set", "training.seed=1"],
        ["--set", "training.nothing=1"],
        ["--set", "training.seed=1", "--by", "entropy"],
        ["--set", "training.seed=1", "--name", "a/b"],
    ],
)
def test_what_cannot_be_swept_is_said_before_anything_is_measured(
    console: CliContext, plan: str, measured: Measured, arguments: list[str]
) -> None:
    sweep(console, plan, *arguments, code=ExitCode.USAGE)
    assert not [asked for asked in measured.asked if asked.startswith("inspect")]


def test_a_sweeper_that_is_at_work_is_not_joined_by_a_second_one(
    console: CliContext, plan: str, workers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep(console, plan, "--set", "training.lora_rank=8", "--name", "ranks", "--foreground", "--approve", "auto")
    sweep(console, "--resume", "ranks")
    record = read_sweep(console.runs_root, "ranks")
    fresh = record.cells[0].model_copy(update={"run_id": "", "claimed_at": None})
    write_sweep(console.runs_root, record.with_cell(fresh))
    monkeypatch.setattr(console, "environ", dict(os.environ))
    lock = RunLock(sweep_dir(console.runs_root, "ranks"))
    lock.acquire()
    sweep(console, "--resume", "ranks", code=ExitCode.REFUSED)
    lock.release()
    assert len(workers) == 1
