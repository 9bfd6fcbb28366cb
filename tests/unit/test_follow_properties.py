"""However a run went, a long one shows what it shows when each of its rows is folded."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcao_tui.domain.run_view import RunView
from tcao_tui.services import follow_long
from tests.fakes.cookbook_dirs import LoaderHere, content
from tests.fakes.followed_runs import FollowedRun

happenings = st.lists(
    st.tuples(st.just("train"), st.integers(1, 30))
    | st.tuples(st.just("more keys"), st.integers(1, 5))
    | st.tuples(st.just("validate"), st.just(0))
    | st.tuples(st.just("resume"), st.integers(0, 20))
    | st.tuples(st.just("restart"), st.just(0))
    | st.tuples(st.just("open"), st.just(0)),
    max_size=8,
)


def carry_out(run: FollowedRun, history: list[tuple[str, int]]) -> None:
    run.attempt()
    run.train(1, 4)
    step = 3
    for what, number in history:
        if what in ("train", "more keys"):
            run.train(step + 1, step + 1 + number, keys=("train_mean_nll", *(["lr"] if what == "more keys" else [])))
            step += number
        elif what == "validate":
            run.validate(step)
        elif what == "resume":
            step = max(0, step - number)
            run.attempt(resume_step=step)
        elif what == "restart":
            run.attempt()
            step = 0
        else:
            whole(run, long_run_steps=0)


def whole(run: FollowedRun, long_run_steps: int) -> RunView:
    follower = run.follower(long_run_steps=long_run_steps, loader=LoaderHere)
    for _ in range(50):
        view = follower.poll()
        if follower.caught_up:
            return view
    raise AssertionError("the follower never caught up")


@settings(max_examples=30, deadline=None)
@given(happenings)
def test_a_long_run_shows_what_row_by_row_reading_shows(history: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(follow_long, "_ROWS_READ_ROW_BY_ROW", 5)
        run = FollowedRun(Path(directory))
        carry_out(run, history)
        long, plain = whole(run, 0), whole(run, 1 << 60)
        run.close()
    assert content(dict(long.series)) == content(dict(plain.series))
    assert (long.step, long.superseded_rows) == (plain.step, plain.superseded_rows)
    assert (long.tokens, long.cost_usd, long.updated_at) == (plain.tokens, plain.cost_usd, plain.updated_at)
