"""The view of a cookbook directory: what is said of it, and what is left unsaid because nobody knows it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.events import LogLine
from tcao_tui.domain.run_view import RunStatus, RunView
from tcao_tui.store.cookbook import CookbookSource
from tests.fakes.cookbook_dirs import LoaderNever, metrics_file, write_rows

SFT_CONFIG = {"model_name": "Qwen/Qwen3-8B", "learning_rate": 1e-4, "lr_schedule": "linear", "base_url": None}

type Opener = Callable[..., CookbookSource]


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Opener]:
    opened: list[CookbookSource] = []

    def open_source(**options: Any) -> CookbookSource:
        opened.append(CookbookSource(tmp_path, metrics=metrics_file(tmp_path, **options), clock=clock))
        return opened[-1]

    now = iter(range(1_000, 100_000, 10))

    def clock() -> float:
        return float(next(now))

    yield open_source
    for source in opened:
        source.close()


def rows(first: int, stop: int, total: int = 100) -> list[dict[str, Any]]:
    return [{"step": i, "train_mean_nll": 1.0, "progress": (i + 1) / total} for i in range(first, stop)]


def checkpoint(directory: Path, **row: Any) -> None:
    with (directory / "checkpoints.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")


def settled(source: CookbookSource) -> RunView:
    for _ in range(20):
        view = source.poll()
        if source.caught_up:
            return view
    raise AssertionError("the source never caught up")


def test_a_directory_without_rows_is_created_and_nothing_more(tmp_path: Path, watch: Opener) -> None:
    view = settled(watch())
    assert (view.status, view.step, view.phase_detail) == (RunStatus.CREATED, 0, "no rows yet")


def test_step_and_total_come_from_rows_and_their_progress(tmp_path: Path, watch: Opener) -> None:
    (tmp_path / "config.json").write_text(json.dumps(SFT_CONFIG))
    write_rows(tmp_path, rows(0, 40))
    view = settled(watch())
    assert (view.step, view.total_steps) == (40, 100)
    assert (view.base_model, view.method, view.name) == ("Qwen/Qwen3-8B", "sft", tmp_path.name)
    assert set(view.series) == {"train_mean_nll", "progress"}


def test_the_total_of_a_resumed_run_does_not_depend_on_where_it_resumed(tmp_path: Path, watch: Opener) -> None:
    write_rows(tmp_path, [{"step": i, "progress/done_frac": i / 250} for i in range(50, 60)])
    assert settled(watch()).total_steps == 250


def test_an_old_run_without_a_final_checkpoint_is_never_called_lost(tmp_path: Path, watch: Opener) -> None:
    write_rows(tmp_path, rows(0, 40))
    os.utime(tmp_path / "metrics.jsonl", (1.0, 1.0))
    view = settled(watch())
    assert view.status is RunStatus.RUNNING
    assert view.phase_detail.startswith("last row at 19")
    assert any("no lease" in note for note in view.notes)
    assert view.eta_seconds is None


def test_a_final_checkpoint_says_completed_until_further_rows_come(tmp_path: Path, watch: Opener) -> None:
    write_rows(tmp_path, rows(0, 100))
    checkpoint(tmp_path, name="final", batch=0, epoch=1, final=True, state_path="tinker://a/weights/final")
    source = watch()
    view = settled(source)
    assert view.status is RunStatus.COMPLETED
    assert [(c.name, c.step, c.reason) for c in view.checkpoints] == [("final", 100, "final")]
    write_rows(tmp_path, rows(100, 101))
    assert source.poll().status is RunStatus.RUNNING


def test_checkpoints_keep_keys_that_are_not_ours(tmp_path: Path, watch: Opener) -> None:
    write_rows(tmp_path, rows(0, 30))
    checkpoint(tmp_path, name="000020", batch=20, epoch=0, state_path="tinker://s", sampler_path="t", elapsed_tokens=9)
    (record,) = settled(watch()).checkpoints
    assert (record.step, record.cursor.batch, record.sampler_path) == (20, 20, "t")
    assert record.model_extra == {"elapsed_tokens": 9}


def test_a_damaged_checkpoint_row_does_not_hide_the_others(tmp_path: Path, watch: Opener) -> None:
    (tmp_path / "checkpoints.jsonl").write_text('{"name": 5, "epoch": "x"}\nnonsense\n[1]\n{"batch": 3}\n')
    checkpoint(tmp_path, name="000010", state_path="tinker://s")
    assert [c.name for c in settled(watch()).checkpoints] == ["000010"]


def test_rolling_checkpoints_but_the_newest_are_gone_from_the_server(tmp_path: Path, watch: Opener) -> None:
    for step in (1, 2, 3):
        checkpoint(tmp_path, name=f"{step:06d}", batch=step, state_path="tinker://s", rolling=True)
    source = watch()
    assert [c.step for c in settled(source).checkpoints] == [3]
    checkpoint(tmp_path, name="final", final=True, state_path="tinker://f")
    assert [c.name for c in source.poll().checkpoints] == ["final"]


def test_the_end_of_the_log_is_shown_with_its_levels(tmp_path: Path, watch: Opener) -> None:
    (tmp_path / "logs.log").write_text("x" * 100_000 + "\nmod:1 [INFO] started\nmod:2 [WARNING] slow\n")
    events = [event.event for event in settled(watch()).events]
    assert events == [LogLine(message="mod:1 [INFO] started"), LogLine(level="warning", message="mod:2 [WARNING] slow")]


def test_cost_comes_from_the_newest_of_row_and_summary_and_is_unknown_otherwise(tmp_path: Path, watch: Opener) -> None:
    write_rows(tmp_path, rows(0, 3))
    source = watch()
    assert settled(source).cost_usd is None
    write_rows(tmp_path, [{"step": 3, "cost/cumulative_usd": 1.0}, {"cost/cumulative_usd": 1.25}])
    assert source.poll().cost_usd == 1.25


def test_the_time_left_follows_the_pace_at_which_rows_arrive(tmp_path: Path, watch: Opener) -> None:
    write_rows(tmp_path, rows(0, 10))
    source = watch()
    assert settled(source).eta_seconds is None
    write_rows(tmp_path, rows(10, 11))
    source.poll()
    write_rows(tmp_path, rows(11, 12))
    assert source.poll().eta_seconds == pytest.approx((100 - 12) * 10, rel=0.5)


def test_the_very_same_view_is_given_when_nothing_changed(tmp_path: Path, watch: Opener) -> None:
    write_rows(tmp_path, rows(0, 10))
    source = watch()
    view = settled(source)
    assert source.poll() is view
    write_rows(tmp_path, rows(10, 11))
    assert source.poll() is not view


def test_a_sample_and_unreadable_lines_are_said(tmp_path: Path, watch: Opener) -> None:
    write_rows(tmp_path, rows(0, 5_000))
    assert any(note.startswith("sampled: ") for note in watch(loader=LoaderNever, here=1_000).poll().notes)
    (tmp_path / "metrics.jsonl").write_bytes(b'garbage\n{"step": 0, "a": 1}\n')
    assert any("line 1" in note for note in settled(watch()).notes)


def test_a_config_that_is_no_object_only_leaves_labels_empty(tmp_path: Path, watch: Opener) -> None:
    (tmp_path / "config.json").write_text('["not", "an", "object"')
    write_rows(tmp_path, rows(0, 2))
    view = settled(watch())
    assert (view.base_model, view.method, view.backend) == ("", "cookbook", "")
