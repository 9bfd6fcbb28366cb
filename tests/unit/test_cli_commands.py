from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.domain.events import Finished, Launched, MetricRow, PhaseChanged
from tcao_tui.errors import ExitCode
from tcao_tui.store.port import NewRun
from tcao_tui.store.sqlite import SqliteStore
from tests.fakes import known_facts as known
from tests.fakes.measured import Measured, free_facts


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    measured = Measured(free_facts())
    monkeypatch.setattr("tcao_tui.services.facts.sources", measured.sources)
    return measured


@pytest.fixture
def plan(tmp_path: Path, measured: Measured) -> str:
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(known.values()))
    return str(tmp_path / "plan.yaml")


def add(store: SqliteStore, run_id: str, name: str, *, at: float = 0.0, outcome: str | None = None) -> None:
    store.create_run(
        NewRun(run_id=run_id, name=name, method="sft", base_model="m", backend="local", total_steps=4, created_at=at)
    )
    if outcome is None:
        return
    writer = store.writer(run_id)
    writer.commit(events=[Launched(fence=writer.fence, pid=1, host="h"), PhaseChanged(phase="training")])
    row = MetricRow(attempt=1, step=1, at=at + 1, epoch=0, batch=0, values={"train_mean_nll": 0.5})
    writer.commit(metrics=[row])
    if outcome != "killed":
        writer.commit(events=[Finished.model_validate({"outcome": outcome, "exit_code": 0})])


def asked(console: CliContext, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> object:
    assert main.run([*arguments, "--output", "json"], console) == code
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def three_runs(store: SqliteStore) -> None:
    add(store, "run-1", "beta", at=1.0, outcome="completed")
    add(store, "run-2", "alpha", at=2.0, outcome="killed")
    add(store, "run-3", "beta", at=3.0)


@pytest.mark.parametrize(
    ("options", "listed"),
    [
        ([], ["run-3", "run-2", "run-1"]),
        (["--sort", "name"], ["run-2", "run-3", "run-1"]),
        (["--sort", "loss"], ["run-2", "run-1", "run-3"]),
        (["--status", "completed", "--status", "lost"], ["run-2", "run-1"]),
        (["--name", "b*"], ["run-3", "run-1"]),
        (["--limit", "1"], ["run-3"]),
    ],
)
@pytest.mark.usefixtures("three_runs")
def test_runs_are_filtered_and_sorted(
    console: CliContext, capsys: pytest.CaptureFixture[str], options: list[str], listed: list[str]
) -> None:
    told = asked(console, capsys, "ls", *options)
    assert isinstance(told, list)
    assert [run["run_id"] for run in told] == listed


@pytest.mark.usefixtures("three_runs")
def test_a_killed_run_is_shown_as_lost(console: CliContext, capsys: pytest.CaptureFixture[str]) -> None:
    told = asked(console, capsys, "show", "alpha")
    assert isinstance(told, dict)
    assert (told["status"], told["step"], told["worker_pid"]) == ("lost", 1, None)
    assert told["run_dir"] == str(console.runs_root / "run-2")


@pytest.mark.usefixtures("three_runs")
def test_a_run_is_watched_in_lines_to_its_end(console: CliContext, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["watch", "run-1", "--lines"], console) == ExitCode.OK
    assert "completed" in capsys.readouterr().out


@pytest.mark.usefixtures("three_runs")
def test_a_name_that_nobody_has_is_answered_with_the_nearest(
    console: CliContext, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["show", "bete"], console) == ExitCode.USAGE
    assert "beta" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["stop", "pause", "checkpoint"])
@pytest.mark.usefixtures("three_runs")
def test_a_run_that_is_over_takes_no_requests(
    console: CliContext, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    assert main.run([verb, "run-1"], console) == ExitCode.REFUSED
    assert "completed" in capsys.readouterr().err


@pytest.mark.usefixtures("three_runs")
def test_a_setting_of_a_run_that_is_over_cannot_be_changed_and_others_are_not_settings(
    console: CliContext, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["set", "run-1", "learning_rate=1e-4"], console) == 8
    assert "cannot change run-1: not running: completed" in capsys.readouterr().err
    for setting, said in (("lora_rank=8", "Input should be"), ("learning_rate=7", "at most 1"), ("eval_every", "")):
        assert main.run(["set", "run-1", setting], console) == 2
        assert said in capsys.readouterr().err


@pytest.mark.usefixtures("three_runs")
def test_a_run_is_explained_in_words_and_as_fields(console: CliContext, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["diagnose", "run-2"], console) == 0
    text = capsys.readouterr().out
    assert "Its worker is gone" in text
    assert "  tcao resume run-2" in text
    told = asked(console, capsys, "diagnose", "run-1")
    assert isinstance(told, dict)
    assert {"status", "state", "facts", "findings", "missing", "next_commands"} <= told.keys()


@pytest.mark.usefixtures("three_runs")
def test_run_ids_complete_with_the_newest_first(console: CliContext) -> None:
    from tcao_tui.cli.commands.show import show
    from tcao_tui.cli.options import complete_runs

    context = show.make_context("show", ["x"], obj=console)
    assert [item.value for item in complete_runs(context, show.params[0], "run-")] == ["run-3", "run-2", "run-1"]


def test_without_a_terminal_the_hash_and_the_command_are_told(
    console: CliContext, capsys: pytest.CaptureFixture[str], plan: str
) -> None:
    assert main.run(["run", plan, "--max-cost", "2"], console) == ExitCode.NEEDS_INPUT
    told = capsys.readouterr()
    assert told.out == ""
    approve = told.err.rpartition("next: ")[2].strip()
    assert approve.startswith(f"tcao run {plan} --max-cost 2 --approve ")
    assert f"hash     {approve.split()[-1]}" in told.err
    assert not console.has_store


def test_without_a_terminal_a_script_gets_hash_and_cost_as_fields_of_their_own(
    console: CliContext, capsys: pytest.CaptureFixture[str], plan: str
) -> None:
    told = asked(console, capsys, "run", plan, code=4)
    assert isinstance(told, dict)
    assert told["error"]["next_step"].endswith(f"--approve {told['approval_hash']}")
    assert told["cost"]["total"]["expected_usd"] == 0


def test_auto_is_refused_where_money_can_be_spent(
    console: CliContext, capsys: pytest.CaptureFixture[str], plan: str, measured: Measured
) -> None:
    measured.facts = known.facts()
    told = asked(console, capsys, "run", plan, "--approve", "auto", code=4)
    assert "auto approves only what costs nothing" in str(told)
    told = asked(console, capsys, "run", plan, "--max-cost", "0.000001", code=6)
    assert "below the estimate" in str(told)


def test_every_problem_of_a_plan_is_told(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = "training: {base_model: m, run_name: n, train_file: x, learning_rate: 0.001, num_step: 2, lora_rank: 3}\n"
    (tmp_path / "bad.yaml").write_text(text)
    assert main.run(["run", str(tmp_path / "bad.yaml")], console) == ExitCode.PLAN_INVALID
    told = capsys.readouterr().err
    assert "rename it to num_steps" in told
    assert "power of two" in told


def test_a_method_without_a_worker_is_refused_before_anybody_is_asked(
    console: CliContext, capsys: pytest.CaptureFixture[str], plan: str, measured: Measured
) -> None:
    measured.facts = measured.facts.model_copy(update={"methods": ("distill",)})
    assert main.run(["run", plan, "--approve", "auto"], console) == ExitCode.REFUSED
    assert "no worker here can carry out method sft yet" in capsys.readouterr().err
    assert not console.has_store


def test_playing_a_record_takes_no_approval(console: CliContext, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["replay", "x", "--speed", "2", "--approve", "auto"], console) == ExitCode.USAGE
    assert "leave out --approve" in capsys.readouterr().err


def test_the_doctor_says_where_a_key_is_and_never_the_key(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.yaml").write_text(
        "profiles: {lab: {key_env: LAB_KEY}, away: {key_file: no-file}}\n"
    )
    console.environ = {**console.environ, "TINKER_API_KEY": "tml-very-secret", "LAB_KEY": "tml-lab-secret"}
    told = asked(console, capsys, "doctor", code=ExitCode.FAILED)
    assert isinstance(told, list)
    found = {check["name"]: (check["state"], check["found"]) for check in told}
    assert found["tinker key"] == ("ok", "found: TINKER_API_KEY")
    assert found["backend"][1].startswith("tinker")
    assert found["profile lab"] == ("ok", "Tinker, key found: environment variable LAB_KEY")
    assert found["profile away"][0] == "fail"
    assert "secret" not in json.dumps(told)
