from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.clients.weight_calls import AskBackend, BuildExport, DownloadWeights, PushFolder
from tcao_tui.errors import ExitCode
from tcao_tui.store.plan_file import write_plan
from tcao_tui.store.sqlite import open_store
from tests.fakes.canned_weights import CannedWeights
from tests.fakes.run_records import record_resumed_run
from tests.unit.test_export_texts import PLAN

STATE = "tinker://lora/weights/002-000010"

type Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def weights() -> CannedWeights:
    return CannedWeights()


@pytest.fixture
def tcao(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: CannedWeights, capsys: pytest.CaptureFixture[str]
) -> Run:
    for place in ("STATE", "CONFIG", "CACHE", "EXPORTS"):
        monkeypatch.setenv(f"TCAO_{place}_DIR", str(tmp_path / place.lower()))
    monkeypatch.setattr("tcao_tui.cli.taking.helper", weights.helper)
    monkeypatch.setattr("tcao_tui.cli.commands.take_away.helper", weights.helper)
    monkeypatch.setattr("tcao_tui.services.backends.ensure_engine", lambda profile: None)
    store = open_store(tmp_path / "runs")
    record_resumed_run(store)
    store.close()
    (tmp_path / "runs" / "run-1").mkdir(exist_ok=True)
    write_plan(tmp_path / "runs" / "run-1", PLAN)

    def run(*arguments: str) -> tuple[int, str, str]:
        console = CliContext(runs_root=tmp_path / "runs", environ={"HOME": str(tmp_path)})
        code = main.run(arguments, console)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def asked[T](weights: CannedWeights, kind: type[T]) -> T:
    return next(call for call in weights.asked if isinstance(call, kind))


def test_a_download_lands_below_exports_and_says_what_it_costs(
    tcao: Run, weights: CannedWeights, tmp_path: Path
) -> None:
    code, out, err = tcao("download", "demo")
    assert (code, out.strip()) == (0, str(tmp_path / "exports" / "demo-000010-weights"))
    assert "costs nothing" in err
    assert "sha256sum -c" in err
    assert asked(weights, DownloadWeights).path == STATE


@pytest.mark.parametrize(
    ("reference", "path"),
    [("run-1:5", "tinker://lora/weights/001-000005"), ("tinker://lora/sampler_weights/002-000010", STATE)],
)
def test_weights_are_named_by_step_or_path(reference: str, path: str, tcao: Run, weights: CannedWeights) -> None:
    assert tcao("download", reference)[0] == 0
    assert asked(weights, DownloadWeights).path == path


def test_weights_for_sampling_that_are_nobodys_are_refused(tcao: Run, weights: CannedWeights) -> None:
    code, _, err = tcao("download", "tinker://other/sampler_weights/1")
    assert code == ExitCode.REFUSED
    assert "tinker://other/weights/1" in err
    assert weights.asked == []


def test_an_export_is_proved_and_its_commands_are_said(tcao: Run, weights: CannedWeights, tmp_path: Path) -> None:
    code, out, err = tcao("export", "latest", "--out", str(tmp_path / "mine"))
    assert (code, out.strip()) == (0, str(tmp_path / "mine"))
    assert "Ready to serve" in err
    assert "vllm serve tiny --enable-lora" in err
    assert "lm_head" in err
    assert asked(weights, AskBackend).path == "tinker://lora/sampler_weights/002-000010"
    assert asked(weights, BuildExport).form == "peft"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_export_that_differs_ends_with_code_1_and_says_where(tcao: Run, weights: CannedWeights) -> None:
    weights.off_by = 0.25
    code, out, _ = tcao("export", "latest", "--output", "json")
    assert code == ExitCode.FAILED
    told: dict[str, Any] = json.loads(out)
    assert told["ready_to_serve"] is False
    assert told["serve"] == {}
    assert told["parity"]["worst"]["nats"] == pytest.approx(0.25)
    assert (Path(told["folder"]) / "parity.json").exists()
    code, _, err = tcao("push", told["folder"], "--repo", "me/lamp")
    assert code == ExitCode.REFUSED
    assert "does not answer as the backend does" in err


def test_a_skipped_proof_ends_well_but_is_never_ready(tcao: Run, weights: CannedWeights) -> None:
    code, out, _ = tcao("export", "latest", "--no-parity", "--output", "json")
    assert code == 0
    told: dict[str, Any] = json.loads(out)
    assert (told["ready_to_serve"], told["parity"]) == (False, None)
    assert not any(isinstance(call, AskBackend) for call in weights.asked)


def test_what_may_be_billed_needs_consent(tcao: Run, weights: CannedWeights) -> None:
    code, _, err = tcao("download", "latest", "--backend", "tinker")
    assert code == ExitCode.NEEDS_INPUT
    assert "may be billed" in err
    assert weights.asked == []
    assert tcao("download", "latest", "--backend", "tinker", "--yes")[0] == 0
    assert tcao("download", "tinker://other/external_weights/1", "--backend", "tinker")[0] == 0


def test_a_folder_that_exists_is_left_alone(tcao: Run, weights: CannedWeights, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    code, _, err = tcao("export", "latest", "--out", str(tmp_path / "mine"))
    assert code == ExitCode.REFUSED
    assert "--out" in err
    assert weights.asked == []


def test_a_checkpoint_is_exported_and_then_pushed_privately(tcao: Run, weights: CannedWeights) -> None:
    code, out, err = tcao("push", "latest", "--repo", "me/lamp")
    assert (code, out.strip()) == (0, "https://hub.test/me/lamp")
    assert "you and those you let in" in err
    assert asked(weights, PushFolder).private
    assert tcao("push", "latest", "--repo", "me/lamp")[0] == 0
    assert sum(isinstance(call, BuildExport) for call in weights.asked) == 1


def test_an_export_of_another_run_of_the_same_name_is_not_pushed(tcao: Run, weights: CannedWeights) -> None:
    code, out, _ = tcao("export", "latest")
    about = Path(out.strip()) / "export.json"
    about.write_text(about.read_text().replace("lora", "other"))
    code, _, err = tcao("push", "latest", "--repo", "me/lamp")
    assert code == ExitCode.REFUSED
    assert "export of other weights" in err
    assert not any(isinstance(call, PushFolder) for call in weights.asked)


def test_publishing_needs_the_name_typed(tcao: Run, weights: CannedWeights) -> None:
    code, _, err = tcao("push", "latest", "--repo", "me/lamp", "--public")
    assert code == ExitCode.NEEDS_INPUT
    assert "everybody in the world" in err
    assert not any(isinstance(call, PushFolder) for call in weights.asked)
    assert tcao("push", "latest", "--repo", "me/lamp", "--public", "--confirm", "me/lamp")[0] == 0
    assert not asked(weights, PushFolder).private


def test_a_checkpoint_that_is_not_there_names_those_that_are(tcao: Run) -> None:
    code, _, err = tcao("export", "demo:7")
    assert code == ExitCode.USAGE
    assert "5, 10" in err
