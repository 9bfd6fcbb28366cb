from __future__ import annotations

import json
import math
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tinker_cookbook.stores.storage import LocalStorage
from tinker_cookbook.stores.training_store import TrainingRunStore

from tcao_tui.domain.events import CheckpointDeleted, CheckpointSaved, MetricRow, Resumed
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.errors import UsageError
from tcao_tui.store.plan_file import write_plan
from tcao_tui.store.run_dir import Mirror, RunDir
from tests.fakes.run_records import checkpoint, row, validation


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    directory = RunDir(tmp_path / "runs", "run-1")
    directory.create()
    return directory


def steps(run_dir: RunDir) -> list[int]:
    return [json.loads(line)["step"] for line in run_dir.metrics_mirror.read_text().splitlines()]


@pytest.mark.parametrize("run_id", ["", ".", "..", "../x", "a/b", "a\nb", ".hidden", "a" * 200])
def test_an_id_that_is_no_path_segment_is_refused(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(UsageError, match="cannot be the id"):
        RunDir(tmp_path, run_id)


def test_run_directories_are_for_the_user_only(run_dir: RunDir) -> None:
    assert stat.S_IMODE(run_dir.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(run_dir.path.parent.stat().st_mode) == 0o700
    with pytest.raises(FileExistsError):
        run_dir.create()


def test_the_cookbook_opens_our_runs(run_dir: RunDir) -> None:
    config = TrainingConfig(
        base_model="tiny", run_name="demo", train_file=Path("/data/train.jsonl"), learning_rate=1e-4
    )
    write_plan(run_dir.path, Plan(training=config))
    mirror = Mirror(run_dir)
    mirror.write(events=[], metrics=[validation(0, 2.5), row(1), row(2, train_mean_nll=math.nan)])
    final = checkpoint(2, reason="final")
    mirror.write(events=[CheckpointSaved(checkpoint=final)], metrics=[])
    cookbook = TrainingRunStore(LocalStorage(run_dir.path))
    shown = cookbook.read_config()
    assert shown is not None
    assert (shown["base_model"], shown["method"], shown["run_id"]) == ("tiny", "sft", "run-1")
    first, second, third = cookbook.read_metrics()
    assert (first["step"], first["val_mean_nll"]) == (0, 2.5)
    assert (second["step"], second["epoch"], second["batch"], second["train_mean_nll"]) == (1, 0, 0, 1.0)
    assert math.isnan(third["train_mean_nll"])
    [record] = cookbook.read_checkpoints()
    assert record["state_path"] == final.state_path
    assert record["sampler_path"] == final.sampler_path
    assert (record["name"], record["batch"], record["epoch"], record["final"]) == (final.name, 2, 0, True)


@pytest.mark.slow
def test_the_cookbooks_own_record_type_reads_our_checkpoints(run_dir: RunDir) -> None:
    Mirror(run_dir).write(events=[CheckpointSaved(checkpoint=checkpoint(2))], metrics=[])
    code = (
        "import sys; from tinker_cookbook.stores.storage import LocalStorage; "
        "from tinker_cookbook.stores.training_store import TrainingRunStore; "
        "[r] = TrainingRunStore(LocalStorage(sys.argv[1])).read_checkpoint_records(); "
        "print(r.batch, r.epoch, r.final, r.extra['step'])"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(run_dir.path)], capture_output=True, text=True, check=True)
    assert ran.stdout == "2 0 False 2\n"


def test_a_resume_drops_what_is_trained_anew(run_dir: RunDir) -> None:
    Mirror(run_dir).write(events=[], metrics=[validation(0, 1.0), *[row(step) for step in range(1, 8)]])
    later = Mirror(run_dir)
    later.write(events=[Resumed(step=5, checkpoint="c")], metrics=[])
    later.write(events=[], metrics=[row(6, attempt=2)])
    assert steps(run_dir) == [0, 1, 2, 3, 4, 5, 6]
    assert json.loads(run_dir.metrics_mirror.read_text().splitlines()[-1])["attempt"] == 2
    assert [path.name for path in run_dir.path.iterdir()] == ["metrics.jsonl"]


@pytest.mark.parametrize("half", ['{"step": 3, "tr', "{", "x" * 200_000])
def test_half_a_line_of_a_killed_worker_is_not_welded_to_the_next(run_dir: RunDir, half: str) -> None:
    Mirror(run_dir).write(events=[], metrics=[row(1), row(2)])
    with run_dir.metrics_mirror.open("a") as file:
        file.write(half)
    Mirror(run_dir).write(events=[], metrics=[row(3, attempt=2)])
    assert steps(run_dir) == [1, 2, 3]


def test_a_deleted_checkpoint_leaves_the_mirror(run_dir: RunDir) -> None:
    mirror = Mirror(run_dir)
    saved = [CheckpointSaved(checkpoint=checkpoint(step)) for step in (2, 4)]
    mirror.write(events=[*saved, CheckpointDeleted(name=checkpoint(2).name)], metrics=[])
    [line] = run_dir.checkpoints_mirror.read_text().splitlines()
    assert json.loads(line)["name"] == checkpoint(4).name


def test_a_metric_that_is_called_step_does_not_hide_the_step(run_dir: RunDir) -> None:
    Mirror(run_dir).write(events=[], metrics=[MetricRow(attempt=1, step=7, at=1.0, values={"step": 99.0, "a": 1.0})])
    assert steps(run_dir) == [7]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full stands in for a full disk")
def test_a_mirror_that_cannot_be_written_says_so_and_goes_on_later(run_dir: RunDir) -> None:
    mirror = Mirror(run_dir)
    run_dir.metrics_mirror.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        mirror.write(events=[], metrics=[row(1)])
    run_dir.metrics_mirror.unlink()
    mirror.write(events=[], metrics=[row(2)])
    assert steps(run_dir) == [2]
