"""Following a run of our store: liveness, rewinds, and long runs that are sampled first."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui.domain.run_view import RunStatus, RunView
from tcao_tui.errors import UsageError
from tcao_tui.services.follow import Follower
from tests.fakes.cookbook_dirs import LoaderFails, LoaderHere, LoaderNever
from tests.fakes.followed_runs import RUN_ID, FollowedRun


@pytest.fixture
def run(tmp_path: Path) -> Iterator[FollowedRun]:
    run = FollowedRun(tmp_path)
    yield run
    run.close()


def last_view(follower: Follower, polls: int = 50) -> RunView:
    for _ in range(polls):
        view = follower.poll()
        if follower.caught_up:
            follower.close()
            return view
    raise AssertionError("the follower never caught up")


def test_rows_show_up_as_they_are_committed(run: FollowedRun) -> None:
    follower = run.follower()
    assert follower.poll().status is RunStatus.CREATED
    run.attempt()
    run.train(1, 5)
    assert follower.poll().step == 4
    run.train(5, 7)
    view = follower.poll()
    assert list(view.series["train_mean_nll"].steps) == [1, 2, 3, 4, 5, 6]
    assert (view.tokens, view.cost_usd) == (6, 1.0)


def test_a_run_whose_worker_holds_no_lock_is_lost_and_never_running(run: FollowedRun) -> None:
    run.attempt()
    run.train(1, 5)
    assert run.follower().poll().status is RunStatus.LOST


def test_a_worker_that_comes_back_to_life_is_seen_without_any_new_row(run: FollowedRun) -> None:
    run.attempt()
    run.train(1, 5)
    follower = run.follower()
    assert follower.poll().status is RunStatus.LOST
    run.lock.acquire()
    assert follower.poll().status.is_live
    run.lock.release()


def test_a_run_that_rests_gives_the_very_same_view(run: FollowedRun) -> None:
    run.attempt()
    run.train(1, 5)
    run.finish()
    follower = run.follower()
    view = follower.poll()
    assert view.status is RunStatus.COMPLETED
    assert follower.poll() is view
    run.store.post_control(RUN_ID, "resume", by="me", at=1.0)
    assert follower.poll().pending_verb == "resume"


def test_a_run_that_does_not_exist_is_a_usage_error(run: FollowedRun) -> None:
    with pytest.raises(UsageError):
        Follower(run.store, "nothing-like-it")


def test_many_rows_take_several_polls_and_each_is_bounded(run: FollowedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tcao_tui.services.follow.POLL_SECONDS", 0.0)
    run.attempt()
    run.train(1, 2_501)
    follower = run.follower()
    assert follower.poll().step == 1_000
    assert not follower.caught_up
    assert last_view(follower).step == 2_500


def test_a_long_run_shows_a_labelled_sample_of_its_whole_length_first(run: FollowedRun) -> None:
    run.attempt()
    run.train(1, 3_001)
    follower = run.follower(long_run_steps=1_000, loader=LoaderNever)
    view = follower.poll()
    series = view.series["train_mean_nll"]
    assert view.is_sampled
    assert not follower.caught_up
    assert (series.steps[0], series.steps[-1], view.step, view.tokens) == (1, 3_000, 3_000, 3_000)
    assert len(series) < 1_100
    assert "sampled" in view.notes[-1]


def test_the_whole_of_a_long_run_takes_the_place_of_its_sample_and_stays_live(run: FollowedRun) -> None:
    run.attempt()
    run.train(1, 3_001)
    follower = run.follower(long_run_steps=1_000, loader=LoaderHere)
    follower.poll()
    run.train(3_001, 3_011)
    view = last_view(follower)
    assert not view.is_sampled
    assert list(view.series["train_mean_nll"].steps) == list(range(1, 3_011))
    assert (view.step, view.tokens, view.cost_usd) == (3_010, 3_010, 1.0)
    run.train(3_011, 3_013)
    assert follower.poll().step == 3_012


def test_a_long_run_is_reopened_from_its_cache_without_a_helper(run: FollowedRun) -> None:
    run.attempt()
    run.train(1, 3_001)
    last_view(run.follower(long_run_steps=1_000, loader=LoaderHere))
    run.train(3_001, 3_006)
    view = run.follower(long_run_steps=1_000, loader=LoaderFails).poll()
    assert not view.is_sampled
    assert list(view.series["train_mean_nll"].steps) == list(range(1, 3_006))


def test_a_resume_since_the_cache_was_written_is_taken_into_account(run: FollowedRun) -> None:
    run.attempt()
    run.train(1, 3_001)
    last_view(run.follower(long_run_steps=1_000, loader=LoaderHere))
    run.attempt(resume_step=2_000)
    run.train(2_001, 2_101)
    view = last_view(run.follower(long_run_steps=1_000, loader=LoaderHere))
    assert list(view.series["train_mean_nll"].steps) == list(range(1, 2_101))
    assert view.series["train_mean_nll"].last == 2_100 / 8 + 2
    assert view.superseded_rows == 1_000


def test_a_resume_while_the_helper_reads_is_taken_into_account(run: FollowedRun) -> None:
    run.attempt()
    run.train(1, 3_001)
    follower = run.follower(long_run_steps=1_000, loader=LoaderHere)
    follower.poll()
    assert follower._long is not None
    follower._long.poll()
    run.attempt(resume_step=2_000)
    run.train(2_001, 2_004)
    view = last_view(follower)
    assert list(view.series["train_mean_nll"].steps) == list(range(1, 2_004))
    assert (view.step, view.superseded_rows) == (2_003, 1_000)


def test_a_long_run_is_read_row_by_row_when_the_helper_fails(run: FollowedRun) -> None:
    run.attempt()
    run.train(1, 3_001)
    view = last_view(run.follower(long_run_steps=1_000, loader=LoaderFails))
    assert len(view.series["train_mean_nll"]) == 3_000


def test_the_real_helper_process_fills_the_cache(run: FollowedRun) -> None:
    run.attempt()
    run.train(1, 2_001)
    follower = run.follower(long_run_steps=1_000)
    deadline = time.monotonic() + 60
    while not follower.caught_up:
        assert time.monotonic() < deadline
        view = follower.poll()
    assert len(view.series["train_mean_nll"]) == 2_000
    assert list((run.root / "cache").rglob("index.json"))
    follower.close()
