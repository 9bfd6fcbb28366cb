"""`tcao ckpt` as a person and a script see it: the table, what is said before an action, consent, JSON."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.domain.checkpoint_listing import CheckpointNote, ServerCheckpoint
from tcao_tui.errors import ExitCode
from tcao_tui.services import backend_helper, backends
from tcao_tui.store.sqlite import open_store
from tests.fakes.checkpoint_server import CheckpointServer
from tests.fakes.own_places import use_places
from tests.fakes.run_records import checkpoint, record_resumed_run

DAY_SECONDS = 86400
OTHERS = "tinker://foreign/weights/v1\x1b[31m"


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliContext:
    use_places(monkeypatch, tmp_path)
    store = open_store(tmp_path / "runs")
    record_resumed_run(store)
    store.close()
    return CliContext(runs_root=tmp_path / "runs", environ={"HOME": str(tmp_path), "NO_COLOR": "1"})


def reached(profile: backends.Profile) -> None:
    """The server is there and takes the key."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> CheckpointServer:
    """Steps 5 and 10 of the recorded run, each with both halves, and one of somebody else."""
    now, found = time.time(), list[ServerCheckpoint]()
    for step, attempt in ((10, 2), (5, 1)):
        record = checkpoint(step, attempt=attempt)
        told = {"tcao_run": "run-1", "attempt": str(attempt), "step": str(step)}
        more: dict[str, Any] = {"training_run": "lora", "name": record.name, "metadata": told, "size_bytes": 1_000_000}
        more |= {"created_at": now - 3600 * (20 - step), "public": False}
        found.append(ServerCheckpoint(path=record.state_path, kind="training", **more))
        found.append(ServerCheckpoint(path=record.sampler_path or "", kind="sampler", **more))
    found.append(ServerCheckpoint(path=OTHERS, training_run="foreign", name="v1", kind="training"))
    serving = CheckpointServer(found)
    monkeypatch.setattr(backend_helper, "BackendHelper", serving)
    monkeypatch.setattr(backends, "connection", reached)
    return serving


def asked(console: CliContext, capsys: pytest.CaptureFixture[str], *argv: str, code: int = 0) -> Any:
    assert main.run(["ckpt", *argv, "--output", "json"], console) == code
    return json.loads(capsys.readouterr().out)


def notes(console: CliContext) -> dict[str, CheckpointNote]:
    with console.store() as store:
        return dict(store.checkpoint_notes.all())


def test_the_table_has_units_and_unknown_values_are_dashes(
    console: CliContext, server: CheckpointServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["ckpt", "ls"], console) == 0
    shown = capsys.readouterr()
    header, first, *_, last = shown.out.splitlines()
    assert header.split()[:7] == ["RUN", "STEP", "KIND", "MODEL", "RANK", "SIZE", "AGE"]
    assert first.split()[:9] == ["demo", "10", "training", "tiny", "16", "1.0", "MB", "10h00m", "-"]
    assert "final" in first
    assert last.split()[:9] == ["foreign", "-", "training", "tiny", "16", "-", "-", "-", "-"]
    assert "\x1b" not in shown.out
    assert "5 checkpoints, 4.0 MB and 1 of unknown size, storage $0 a month" in shown.err


def test_filters_order_and_tree_choose_and_group(
    console: CliContext, server: CheckpointServer, capsys: pytest.CaptureFixture[str]
) -> None:
    told = asked(console, capsys, "ls", "--run", "demo", "--kind", "sampler", "--sort", "step")
    assert [c["run"]["step"] for c in told["checkpoints"]] == [10, 5]
    assert [c["path"] for c in asked(console, capsys, "ls", "--older-than", "12h")["checkpoints"]] == [
        checkpoint(5).state_path,
        checkpoint(5).sampler_path,
    ]
    assert main.run(["ckpt", "ls", "--tree", "--ours"], console) == 0
    group, *members = capsys.readouterr().out.splitlines()[1:]
    assert group == "demo  run-1  completed  4 checkpoints, 4.0 MB, $0 a month"
    assert all(member.startswith("  demo") for member in members)


def test_what_the_server_lacks_is_told_with_the_reason(
    console: CliContext, server: CheckpointServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.missing = ("ttl",)
    assert asked(console, capsys, "ls")["missing"] == {"ttl": "this server has no TTL"}
    assert main.run(["ckpt", "ttl", "demo:5", "7d"], console) == ExitCode.BACKEND
    assert "this server has no TTL" in capsys.readouterr().err


def test_one_checkpoint_is_shown_with_weights_and_lineage(
    console: CliContext, server: CheckpointServer, capsys: pytest.CaptureFixture[str]
) -> None:
    told = asked(console, capsys, "show", "demo:10")
    assert told["path"] == checkpoint(10, attempt=2).state_path
    assert told["weights"]["train_mlp"] is True
    assert told["lineage"][:2] == [
        "step 10 of demo (run-1), attempt 2",
        f"attempt 2 went on from {checkpoint(5).state_path}",
    ]
    differences = asked(console, capsys, "diff", "demo:5", "demo:10")["differences"]
    assert {d["setting"]: d["values"] for d in differences} == {
        "checkpoint.step": [5, 10],
        "checkpoint.attempt": [1, 2],
    }


def test_a_step_means_both_halves_and_a_path_only_itself(
    console: CliContext, server: CheckpointServer, capsys: pytest.CaptureFixture[str]
) -> None:
    both = {checkpoint(5).state_path, checkpoint(5).sampler_path}
    assert {*asked(console, capsys, "ttl", "demo:5", "7d")["done"]} == both
    expires = [server.checkpoints[path].expires_at or 0 for path in both if path]
    assert all(at == pytest.approx(time.time() + 7 * DAY_SECONDS, abs=60) for at in expires)
    assert asked(console, capsys, "keep", checkpoint(5).state_path)["done"] == [checkpoint(5).state_path]
    assert server.checkpoints[checkpoint(5).state_path].expires_at is None


def test_pins_and_labels_are_kept_here_and_a_pinned_one_is_not_deleted(
    console: CliContext, server: CheckpointServer, capsys: pytest.CaptureFixture[str]
) -> None:
    path = checkpoint(5).state_path
    asked(console, capsys, "pin", path)
    asked(console, capsys, "label", path, "the good one")
    assert notes(console) == {path: CheckpointNote("the good one", pinned=True)}
    assert asked(console, capsys, "delete", path, "--confirm", "001-000005", code=ExitCode.REFUSED)
    asked(console, capsys, "unpin", path)
    assert asked(console, capsys, "delete", path, "--confirm", "001-000005")["done"] == [path]
    assert path not in server.checkpoints


@pytest.mark.parametrize(
    "argv", [["delete", "demo:10"], ["publish", "demo:10"], ["delete", "demo:10", "--confirm", "no"]]
)
def test_without_the_words_of_consent_nothing_is_done_and_the_consequence_is_said(
    console: CliContext, server: CheckpointServer, capsys: pytest.CaptureFixture[str], argv: list[str]
) -> None:
    before = dict(server.checkpoints)
    assert main.run(["ckpt", *argv], console) == ExitCode.NEEDS_INPUT
    said = capsys.readouterr().err
    assert "2 checkpoints" in said
    assert "delete 2" in said or "publish" in said
    assert server.checkpoints == before


def test_a_prune_shows_first_and_deletes_only_what_was_shown(
    console: CliContext, server: CheckpointServer, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = asked(console, capsys, "prune", "--keep-last", "0")
    assert {*shown["delete"]} == {checkpoint(5).state_path, checkpoint(5).sampler_path}
    assert {k["why"] for k in shown["keep"]} == {"final", "not of a run of ours"}
    assert len(server.checkpoints) == 5
    asked(console, capsys, "prune", "--keep-last", "0", "--confirm", "00000000", code=ExitCode.NEEDS_INPUT)
    done = asked(console, capsys, "prune", "--keep-last", "0", "--confirm", shown["digest"])["done"]
    assert {*done} == {*shown["delete"]}
    assert len(server.checkpoints) == 3


def test_nothing_to_guard_is_said(
    console: CliContext, server: CheckpointServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["ckpt", "guard"], console) == 0
    assert "is about to expire" in capsys.readouterr().err


def test_names_that_mean_nothing_are_told(
    console: CliContext, server: CheckpointServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["ckpt", "show", "demo:7"], console) == ExitCode.USAGE
    assert main.run(["ckpt", "show", "tinker://lora/weights/none", "--backend", "local"], console) == ExitCode.REFUSED
    assert main.run(["ckpt", "ttl", "demo:5", "soon"], console) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert "there are those of steps 5, 10" in said
    assert "is not on the server" in said
    assert "is no duration" in said


def test_checkpoints_complete_by_run_and_step_and_by_path(console: CliContext) -> None:
    from tcao_tui.services.checkpoint_names import completions

    with console.store() as store:
        assert [name for name, _ in completions(store, "demo:")] == ["demo:10", "demo:5"]
        assert [name for name, _ in completions(store, "demo:1")] == ["demo:10"]
        paths = [name for name, _ in completions(store, "tinker://lora/weights/")]
    assert paths == [checkpoint(10, attempt=2).state_path, checkpoint(5).state_path]
