from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from tcao_tui.domain.events import Resumed, StoredEvent
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.errors import Refused, TcaoError, UsageError
from tcao_tui.sinks import SINKS, feed
from tcao_tui.sinks.kept import only_one
from tcao_tui.sinks.port import SinkOptions
from tcao_tui.store.memory import MemoryStore
from tests.fakes.run_records import finish, launch, new_run, train


class Kept:
    """A sink that keeps what it was told; dies at its `die_at`th row."""

    errors: tuple[type[Exception], ...] = (ConnectionError,)

    def __init__(self, die_at: int = 0) -> None:
        self.told: list[tuple[int, float]] = []
        self.resumed: list[int] = []
        self.outcome = ""
        self._die_at = die_at

    def open(self, run: RunSummary, plan: Plan | None) -> None:
        pass

    def write(self, step: int, values: Mapping[str, float], at: float) -> None:
        if len(self.told) + 1 == self._die_at:
            raise KeyboardInterrupt
        self.told.append((step, values["attempt"]))

    def event(self, stored: StoredEvent) -> None:
        if isinstance(stored.event, Resumed):
            self.resumed.append(len(self.told))

    def flush(self) -> None:
        pass

    def close(self, outcome: str) -> None:
        self.outcome = outcome


def trained(store: MemoryStore, last: int) -> MemoryStore:
    store.create_run(new_run())
    writer = store.writer("run-1")
    launch(writer)
    train(writer, 1, last)
    return store


def resumed(store: MemoryStore) -> None:
    writer = store.writer("run-1")
    launch(writer, Resumed(step=3, checkpoint="c"))
    train(writer, 4, 6)
    finish(writer, 6)


def test_a_second_feed_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    store = trained(MemoryStore(), 5)
    first, second = Kept(), Kept()
    assert feed.feed(store, tmp_path, "run-1", "kept", first) == 5
    resumed(store)
    assert feed.feed(store, tmp_path, "run-1", "kept", second) == 3
    assert [step for step, _ in first.told + second.told] == [1, 2, 3, 4, 5, 4, 5, 6]
    assert second.outcome == "completed"


def test_a_killed_feed_tells_whole_batches_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "BATCH_ROWS", 2)
    store = trained(MemoryStore(), 5)
    first, second = Kept(die_at=3), Kept()
    with pytest.raises(KeyboardInterrupt):
        feed.feed(store, tmp_path, "run-1", "kept", first)
    feed.feed(store, tmp_path, "run-1", "kept", second)
    assert [step for step, _ in first.told + second.told] == [1, 2, 3, 4, 5]


def test_steps_that_were_trained_anew_are_told_once_as_the_later_attempt_has_them(tmp_path: Path) -> None:
    store = trained(MemoryStore(), 5)
    resumed(store)
    sink = Kept()
    feed.feed(store, tmp_path, "run-1", "kept", sink)
    assert sink.resumed == [3]
    assert sink.told == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0), (5, 2.0), (6, 2.0)]


def test_superseded_steps_stay_out_also_when_a_feed_was_killed_between_events_and_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "BATCH_ROWS", 4)
    store = trained(MemoryStore(), 5)
    resumed(store)
    told: list[tuple[int, float]] = []
    for die_at in (4, 0):
        sink = Kept(die_at)
        with suppress(KeyboardInterrupt):
            feed.feed(store, tmp_path, "run-1", "kept", sink)
        told += sink.told
    assert [step for step, _ in told] == [1, 2, 3, 4, 5, 6]


def test_an_attempt_that_began_anew_without_a_checkpoint_supersedes_all_of_the_one_before(tmp_path: Path) -> None:
    store = trained(MemoryStore(), 3)
    writer = store.writer("run-1")
    launch(writer)
    train(writer, 1, 4)
    sink = Kept()
    feed.feed(store, tmp_path, "run-1", "kept", sink)
    assert sink.told == [(1, 2.0), (2, 2.0), (3, 2.0), (4, 2.0)]


def test_a_program_that_refuses_is_a_plain_error_and_the_place_stays(tmp_path: Path) -> None:
    class Away(Kept):
        def flush(self) -> None:
            raise ConnectionError("no\x1b[2J route")

    with pytest.raises(TcaoError, match="away: no route") as caught:
        feed.feed(trained(MemoryStore(), 2), tmp_path, "run-1", "away", Away())
    assert "goes on from here" in caught.value.next_step
    assert not (tmp_path / "sink-away.json").exists()


def test_two_feeds_of_one_sink_are_refused(tmp_path: Path) -> None:
    with only_one(tmp_path / "sink-kept.lock", "x"), pytest.raises(Refused, match="runs already"):
        feed.feed(trained(MemoryStore(), 1), tmp_path, "run-1", "kept", Kept())


@pytest.mark.parametrize("name", ["wandb", "trackio", "mlflow"])
def test_a_missing_sdk_says_what_to_install(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tcao_tui.sinks.port.import_module", MagicMock(side_effect=ImportError))
    with pytest.raises(TcaoError) as caught:
        feed.feed(trained(MemoryStore(), 1), tmp_path, "run-1", name, SINKS.load(name)(SinkOptions(tmp_path)))
    assert caught.value.next_step == f"pip install {name}"
    assert not (tmp_path / f"sink-{name}.json").exists()


def test_an_unknown_sink_names_those_that_exist() -> None:
    with pytest.raises(UsageError, match="tensorboard, wandb, trackio, mlflow"):
        SINKS.load("excel")


def fed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    """The calls that a resumed run makes of a sink's SDK."""
    sdk = MagicMock()
    sdk.MlflowClient.return_value.search_runs.return_value = []
    sdk.MlflowClient.return_value.create_run.return_value = SimpleNamespace(info=SimpleNamespace(run_id="m1"))
    monkeypatch.setattr("tcao_tui.sinks.port.import_module", lambda _: sdk)
    store = trained(MemoryStore(), 5)
    resumed(store)
    feed.feed(store, tmp_path, "run-1", name, SINKS.load(name)(SinkOptions(tmp_path, offline=True)))
    return sdk


def test_wandb_goes_on_with_the_run_of_our_id_and_its_own_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sdk = fed("wandb", tmp_path, monkeypatch)
    opened = sdk.init.call_args.kwargs
    assert (opened["id"], opened["resume"], opened["mode"]) == ("run-1", "allow", "offline")
    assert [c.args[0]["step"] for c in sdk.init.return_value.log.call_args_list] == [1, 2, 3, 4, 5, 6]
    sdk.init.return_value.finish.assert_called_once_with(exit_code=0)


def test_trackio_is_told_each_row_and_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sdk = fed("trackio", tmp_path, monkeypatch)
    assert [c.kwargs["step"] for c in sdk.log.call_args_list] == [1, 2, 3, 4, 5, 6]
    sdk.finish.assert_called_once_with()


def test_mlflow_points_carry_the_time_of_their_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = fed("mlflow", tmp_path, monkeypatch).MlflowClient.return_value
    client.log_metric.assert_any_call("m1", "train_mean_nll", 1.0, timestamp=1000, step=1)
    client.set_terminated.assert_called_once_with("m1", status="FINISHED")
