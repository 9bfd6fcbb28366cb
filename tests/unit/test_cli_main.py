from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from tcao_tui import __version__
from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.cli.crash import without_secrets
from tcao_tui.errors import BackendError, ExitCode

KEY = "tml-abcdefghijklmnop"


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliContext:
    monkeypatch.setenv("TCAO_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("TCAO_CONFIG_DIR", str(tmp_path / "config"))
    return CliContext(runs_root=tmp_path / "runs", environ={"HOME": str(tmp_path), "LAB_KEY": KEY})


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("tcao_tui.cli.commands.ls.print_runs", lambda *_, **__: fail())


def test_every_command_of_the_table_can_be_loaded_and_explains_itself() -> None:
    context = click.Context(main.tcao)
    for name in main.COMMANDS:
        command = main.tcao.get_command(context, name)
        assert command is not None
        assert command.help, name


def test_version_and_help_end_well(console: CliContext, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"], console) == ExitCode.OK
    assert __version__ in capsys.readouterr().out
    assert main.run(["--help"], console) == ExitCode.OK
    shown = capsys.readouterr().out
    assert all(name in shown for name in main.COMMANDS)


def test_a_wrong_command_is_answered_with_the_nearest(console: CliContext, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["shwo"], console) == ExitCode.USAGE
    assert "did you mean `show`" in capsys.readouterr().err


def test_a_wrong_option_ends_with_the_usage_code(console: CliContext) -> None:
    assert main.run(["ls", "--nope"], console) == ExitCode.USAGE


def test_without_a_terminal_and_without_runs_the_way_in_is_told(
    console: CliContext, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run([], console) == ExitCode.OK
    told = capsys.readouterr()
    assert told.out == ""
    assert "tcao demo" in told.err


def test_an_empty_list_is_valid_json(console: CliContext, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["ls", "--output", "json"], console) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == []


def test_an_error_says_what_where_and_next_and_ends_with_its_code(
    console: CliContext, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, BackendError("it is\x1b[31m down", where="port 1", next_step="tcao engine start"))
    assert main.run(["ls"], console) == ExitCode.BACKEND
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "Backend: it is down\n  where: port 1\n  next: tcao engine start\n"


def test_an_error_of_a_json_command_is_json_too(
    console: CliContext, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, BackendError("down"))
    assert main.run(["ls", "--output", "json"], console) == ExitCode.BACKEND
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 7


def test_a_crash_leaves_a_report_without_secrets(
    console: CliContext, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    failing(monkeypatch, ZeroDivisionError(f"with {KEY}"))
    assert main.run(["ls"], console) == ExitCode.FAILED
    [report] = (tmp_path / "state" / "crashes").iterdir()
    assert "ZeroDivisionError" in report.read_text()
    assert str(report) in (told := capsys.readouterr().err)
    assert KEY not in told + report.read_text()


def test_an_interrupt_ends_with_130(console: CliContext, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    assert main.run(["ls"], console) == ExitCode.INTERRUPTED


def test_secrets_are_blotted_out_by_shape_and_by_value() -> None:
    text = "a tml-local-abc_DEF-123456 b hunter2hunter2 c sk-ant-0123456789 d"
    assert without_secrets(text, {"LAB_PASSWORD": "hunter2hunter2"}) == "a <secret> b <secret> c <secret> d"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script(console: CliContext, capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert main.run(["completion", shell], console) == ExitCode.OK
    assert "_TCAO_COMPLETE" in capsys.readouterr().out


def test_commands_complete_without_being_imported() -> None:
    found = main.tcao.shell_complete(click.Context(main.tcao), "re")
    assert [item.value for item in found] == ["resume", "replay"]


def test_a_broken_settings_file_is_told_before_anything_is_started(
    console: CliContext, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.yaml").write_text("backends: tinker\n")
    plan = tmp_path / "plan.yaml"
    plan.write_text("training: {base_model: m, run_name: n, train_file: t.jsonl, learning_rate: 0.1}\n")
    assert main.run(["run", str(plan)], console) == ExitCode.PLAN_INVALID
    assert "did you mean backend?" in capsys.readouterr().err
