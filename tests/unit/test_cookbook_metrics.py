"""metrics.jsonl of the cookbook: every trap of the file, read live."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.store.cookbook_metrics import MetricsFile
from tests.fakes.cookbook_dirs import LoaderFails, LoaderNever, content, metrics_file, until_caught_up, write_rows


class Opened:
    """Opens the metrics of one directory, and closes what it opened."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: list[MetricsFile] = []

    def __call__(self, **options: Any) -> MetricsFile:
        self._files.append(metrics_file(self._directory, **options))
        return self._files[-1]

    def close(self) -> None:
        for file in self._files:
            file.close()


@pytest.fixture
def metrics_of(tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(tmp_path)
    yield opened
    opened.close()


def sft_rows(first: int, stop: int, **more: Any) -> list[dict[str, Any]]:
    return [{"step": i, "train_mean_nll": 2.0 / (i + 1), "num_tokens": 10, **more} for i in range(first, stop)]


def test_a_torn_last_line_waits_for_its_newline(tmp_path: Path, metrics_of: Opened) -> None:
    metrics = metrics_of()
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step": 0, "loss": 1.0}\n{"step": 1, "lo')
    assert content(until_caught_up(metrics).fold.columns) == {"loss": [(0, "1.0")]}
    with path.open("ab") as file:
        file.write(b'ss": 2.0}')
    metrics.poll()
    assert len(metrics.fold.columns["loss"]) == 1
    with path.open("ab") as file:
        file.write(b"\n")
    metrics.poll()
    assert content(metrics.fold.columns) == {"loss": [(0, "1.0"), (1, "2.0")]}
    assert metrics.fold.counts.bad_count == 0


def test_nan_and_infinities_are_kept(tmp_path: Path, metrics_of: Opened) -> None:
    (tmp_path / "metrics.jsonl").write_text(
        '{"step": 0, "loss": NaN}\n{"step": 1, "loss": -Infinity, "lr": Infinity}\n'
    )
    columns = until_caught_up(metrics_of()).fold.columns
    assert math.isnan(columns["loss"].values[0])
    assert (columns["loss"].last, columns["lr"].last) == (-math.inf, math.inf)


def test_a_key_that_appears_late_is_shown_from_there_on(tmp_path: Path, metrics_of: Opened) -> None:
    write_rows(tmp_path, [*sft_rows(0, 50), {"step": 50, "train_mean_nll": 0.1, "test/nll": 0.7}])
    assert content(until_caught_up(metrics_of()).fold.columns)["test/nll"] == [(50, "0.7")]


def test_rows_without_a_step_are_remembered_beside_the_history(tmp_path: Path, metrics_of: Opened) -> None:
    write_rows(tmp_path, [*sft_rows(0, 2), {"cost/cumulative_usd": 1.5}, {"cost/cumulative_usd": 2.5}])
    fold = until_caught_up(metrics_of()).fold
    assert (fold.counts.rows, fold.counts.summary_rows, fold.counts.latest) == (2, 2, {"cost/cumulative_usd": 2.5})
    assert "cost/cumulative_usd" not in fold.columns


def test_steps_that_come_again_after_a_resume_supersede_the_old_ones(tmp_path: Path, metrics_of: Opened) -> None:
    metrics = metrics_of()
    write_rows(tmp_path, [*sft_rows(0, 10), {"step": 9, "test/nll": 5.0}])
    until_caught_up(metrics)
    write_rows(tmp_path, [{"step": 6, "train_mean_nll": 7.0}])
    metrics.poll()
    columns = metrics.fold.columns
    assert list(columns["train_mean_nll"].steps) == list(range(7))
    assert columns["train_mean_nll"].last == 7.0
    assert len(columns["test/nll"]) == 0
    assert (metrics.fold.counts.superseded_rows, metrics.fold.counts.last_step) == (4, 6)


def test_an_evaluation_that_ends_late_does_not_rewind_the_run(tmp_path: Path, metrics_of: Opened) -> None:
    write_rows(
        tmp_path, [*sft_rows(0, 20), {"step": 10, "test/nll": 1.0}, *sft_rows(20, 22), {"step": 5, "test/nll": 2.0}]
    )
    fold = until_caught_up(metrics_of()).fold
    assert len(fold.columns["train_mean_nll"]) == 22
    assert content(fold.columns)["test/nll"] == [(5, "2.0"), (10, "1.0")]
    assert fold.counts.superseded_rows == 0


def test_a_truncated_file_is_read_anew(tmp_path: Path, metrics_of: Opened) -> None:
    metrics = metrics_of()
    write_rows(tmp_path, sft_rows(0, 10))
    until_caught_up(metrics)
    write_rows(tmp_path, sft_rows(0, 4), mode="w")
    (tmp_path / "metrics.jsonl.pre_resume_000004").write_text(json.dumps({"step": 99, "train_mean_nll": 1}) + "\n")
    assert list(until_caught_up(metrics).fold.columns["train_mean_nll"].steps) == [0, 1, 2, 3]
    assert metrics.rewrites == 1


def test_a_file_replaced_by_a_longer_one_is_read_anew(tmp_path: Path, metrics_of: Opened) -> None:
    metrics = metrics_of()
    write_rows(tmp_path, sft_rows(0, 10))
    until_caught_up(metrics)
    (tmp_path / "elsewhere").mkdir()
    write_rows(tmp_path / "elsewhere", sft_rows(5, 30))
    (tmp_path / "elsewhere" / "metrics.jsonl").replace(tmp_path / "metrics.jsonl")
    assert until_caught_up(metrics).fold.columns["train_mean_nll"].steps[0] == 5


def test_a_file_rewritten_in_place_with_more_bytes_is_read_anew(tmp_path: Path, metrics_of: Opened) -> None:
    metrics = metrics_of()
    write_rows(tmp_path, sft_rows(0, 10))
    until_caught_up(metrics)
    write_rows(tmp_path, [{"step": i, "other": 1.5} for i in range(100)], mode="w")
    assert set(content(until_caught_up(metrics).fold.columns)) == {"other"}


def test_garbage_between_rows_is_left_out_with_its_line_number(tmp_path: Path, metrics_of: Opened) -> None:
    (tmp_path / "metrics.jsonl").write_bytes(
        b'{"step": 0, "loss": 1}\n\n\xff\xfe{"step"\n[1, 2]\n"text"\n{"step": 1, "loss": 2}\n' + b"[" * 5_000 + b"\n"
    )
    fold = until_caught_up(metrics_of()).fold
    assert content(fold.columns) == {"loss": [(0, "1.0"), (1, "2.0")]}
    assert (fold.counts.bad_lines, fold.counts.bad_count, fold.counts.lines) == ([3, 4, 5, 7], 4, 7)


def test_text_nulls_and_lists_are_no_metrics_and_booleans_are_numbers(tmp_path: Path, metrics_of: Opened) -> None:
    row = {"step": 3, "name": "x", "none": None, "list": [1], "done": True, "big": 10**400}
    write_rows(tmp_path, [row])
    assert content(until_caught_up(metrics_of()).fold.columns) == {"done": [(3, "1.0")], "big": [(3, "inf")]}


def test_a_line_of_20_megabytes_is_skipped_and_counted(tmp_path: Path, metrics_of: Opened) -> None:
    (tmp_path / "metrics.jsonl").write_bytes(b'{"step": 0, "a": 1}\n' + b"x" * (20 << 20) + b'\n{"step": 1, "a": 2}\n')
    fold = until_caught_up(metrics_of()).fold
    assert content(fold.columns) == {"a": [(0, "1.0"), (1, "2.0")]}
    assert fold.counts.bad_lines == [2]


def test_more_keys_than_the_limit_are_counted_and_left_out(tmp_path: Path, metrics_of: Opened) -> None:
    write_rows(tmp_path, [{"step": 0, **{f"k{i}": i for i in range(5_000)}}])
    fold = until_caught_up(metrics_of()).fold
    assert (len(fold.columns), fold.counts.left_out_keys) == (4_096, 904)


def test_a_file_that_does_not_exist_yet_is_waited_for(tmp_path: Path, metrics_of: Opened) -> None:
    metrics = metrics_of()
    assert not metrics.poll()
    write_rows(tmp_path, sft_rows(0, 3))
    assert metrics.poll()
    assert len(metrics.fold.columns["train_mean_nll"]) == 3


def test_nothing_is_read_when_nothing_changed(
    tmp_path: Path, metrics_of: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_rows(tmp_path, sft_rows(0, 30))
    metrics = until_caught_up(metrics_of())
    monkeypatch.setattr("os.pread", None)
    assert not metrics.poll()


def test_a_long_file_shows_a_sample_of_its_whole_length_at_once(tmp_path: Path, metrics_of: Opened) -> None:
    write_rows(tmp_path, sft_rows(0, 20_000))
    metrics = metrics_of(loader=LoaderNever, here=10_000)
    metrics.poll()
    series = metrics.fold.columns["train_mean_nll"]
    assert metrics.is_sampled
    assert not metrics.caught_up
    assert (series.steps[0], series.steps[-1]) == (0, 19_999)
    assert 1_000 < len(series) < 5_000
    assert metrics.expected_rows == pytest.approx(20_000, rel=0.05)


def test_rows_written_while_the_helper_reads_show_up_in_the_sample(tmp_path: Path, metrics_of: Opened) -> None:
    write_rows(tmp_path, sft_rows(0, 5_000))
    metrics = metrics_of(loader=LoaderNever, here=10_000)
    metrics.poll()
    write_rows(tmp_path, sft_rows(5_000, 5_003))
    metrics.poll()
    assert metrics.fold.columns["train_mean_nll"].last_step == 5_002


def test_the_whole_takes_the_place_of_the_sample_and_the_tail_stays_live(tmp_path: Path, metrics_of: Opened) -> None:
    write_rows(tmp_path, sft_rows(0, 5_000))
    metrics = until_caught_up(metrics_of(here=10_000))
    assert len(metrics.fold.columns["train_mean_nll"]) == 5_000
    write_rows(tmp_path, sft_rows(5_000, 5_010))
    metrics.poll()
    assert len(metrics.fold.columns["train_mean_nll"]) == 5_010
    assert metrics.fold.counts.rows == 5_010


def test_without_a_usable_helper_the_file_is_read_here_and_that_is_said(tmp_path: Path, metrics_of: Opened) -> None:
    write_rows(tmp_path, sft_rows(0, 3_000))
    metrics = until_caught_up(metrics_of(loader=LoaderFails, here=10_000))
    assert len(metrics.fold.columns["train_mean_nll"]) == 3_000
    assert "helper" in metrics.trouble


def test_reopening_needs_no_helper_and_reads_only_what_is_new(tmp_path: Path, metrics_of: Opened) -> None:
    write_rows(tmp_path, sft_rows(0, 5_000))
    until_caught_up(metrics_of(here=10_000)).close()
    write_rows(tmp_path, sft_rows(5_000, 5_005))
    again = metrics_of(loader=LoaderFails, here=10_000)
    again.poll()
    assert (again.is_sampled, again.trouble) == (False, "")
    assert list(again.fold.columns["train_mean_nll"].steps) == list(range(5_005))
    assert again.fold.counts.tokens == 50_050


def test_a_cache_of_a_file_that_was_rewritten_since_is_not_used(tmp_path: Path, metrics_of: Opened) -> None:
    write_rows(tmp_path, sft_rows(0, 5_000))
    until_caught_up(metrics_of(here=10_000)).close()
    write_rows(tmp_path, sft_rows(0, 5_001, other=1), mode="w")
    assert len(until_caught_up(metrics_of(here=10_000)).fold.columns["other"]) == 5_001


@pytest.mark.parametrize("damage", ["data", "index"])
def test_a_damaged_cache_is_made_again(tmp_path: Path, metrics_of: Opened, damage: str) -> None:
    write_rows(tmp_path, sft_rows(0, 5_000))
    until_caught_up(metrics_of(here=10_000)).close()
    (found,) = (tmp_path / "cache").rglob("*.data" if damage == "data" else "index.json")
    found.write_bytes(found.read_bytes()[:100])
    assert len(until_caught_up(metrics_of(here=10_000)).fold.columns["train_mean_nll"]) == 5_000
