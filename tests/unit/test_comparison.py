from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.cli.render.chart import chart_lines
from tcao_tui.domain.comparison import ABSENT, AXES, Comparison, Difference, differences
from tcao_tui.domain.events import Finished, Launched, MetricRow, Resumed, Scored, Spend
from tcao_tui.errors import ExitCode, UsageError
from tcao_tui.services.compare import compare_runs, settings_of
from tcao_tui.store.plan_file import write_plan
from tcao_tui.store.port import Cursor
from tcao_tui.store.sqlite import SqliteStore
from tests.fakes import run_records
from tests.fakes.cookbook_dirs import write_rows
from tests.fakes.run_lab import Lab


def record(store: SqliteStore, run_id: str, *, steps: int = 4, usd: float | None = 0.5, end: float = 0.0) -> None:
    """A run whose step n takes 2 s and 10 tokens and has the loss end + 1/n."""
    store.create_run(run_records.new_run(run_id, total_steps=steps, name=run_id))
    writer = store.writer(run_id)
    run_records.launch(writer)
    [launched, *_] = store.read(run_id, Cursor()).events
    for step in range(1, steps + 1):
        row = run_records.row(step, at=launched.at + 2 * step, train_mean_nll=end + 1 / step)
        writer.commit(metrics=[row], spends=[Spend(kind="train", step=step, tokens=10, usd=usd)])
    writer.commit(events=[Scored(step=steps, name="exact", correct=8, total=10)])
    writer.commit(events=[Finished(outcome="completed", exit_code=0)])


def compared(store: SqliteStore, root: Path, *references: str, **options: Any) -> Comparison:
    return compare_runs(store, root, references, **options)


def test_curves_run_along_steps_tokens_seconds_or_cost(store: SqliteStore, root: Path) -> None:
    record(store, "one")
    wanted = {"step": [1, 2, 3, 4], "tokens": [10, 20, 30, 40], "seconds": [2, 4, 6, 8], "cost": [0.5, 1.0, 1.5, 2.0]}
    for axis in AXES:
        [track] = compared(store, root, "one", axis=axis, metric="train_mean_nll").tracks
        assert list(track.x) == pytest.approx(wanted[axis]), axis
        assert list(track.y) == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])


def test_what_superseded_attempts_used_counts_and_the_gap_between_attempts_does_not(
    store: SqliteStore, root: Path
) -> None:
    store.create_run(run_records.new_run("one", total_steps=4, name="one"))
    first = store.writer("one")
    run_records.launch(first)
    [launched, *_] = store.read("one", Cursor()).events
    for step in (1, 2, 3):
        row = run_records.row(step, at=launched.at + 10 * step, train_mean_nll=5.0)
        first.commit(metrics=[row], spends=[Spend(kind="train", step=step, tokens=10, usd=1.0)])
    second = store.writer("one")
    second.commit(events=[Launched(fence=2, pid=1, host="h"), Resumed(step=1, checkpoint="tinker://c")])
    again = store.read("one", Cursor()).events[-1].at
    for step in (2, 3, 4):
        row = run_records.row(step, attempt=2, at=again + step, train_mean_nll=1.0)
        second.commit(metrics=[row], spends=[Spend(kind="train", step=step, tokens=10, usd=1.0)])
    [by_tokens] = compared(store, root, "one", axis="tokens").tracks
    assert list(by_tokens.x) == [10, 30, 50, 60]
    assert list(by_tokens.y) == [5.0, 1.0, 1.0, 1.0]
    [by_seconds] = compared(store, root, "one", axis="seconds").tracks
    assert list(by_seconds.x) == pytest.approx([10, 32, 33, 34], abs=0.5)


def test_an_unknown_price_leaves_no_curve_by_cost_and_says_so(store: SqliteStore, root: Path) -> None:
    record(store, "one", usd=None)
    [track] = compared(store, root, "one", axis="cost").tracks
    assert (list(track.x), track.why_empty) == ([], "no price is known")


def test_each_run_is_told_by_its_last_and_its_best_value(store: SqliteStore, root: Path) -> None:
    record(store, "one")
    record(store, "two", steps=3, end=1.0)
    found = compared(store, root, "one", "two")
    assert found.metric.key == "train_mean_nll"
    one, two = found.standings["train_mean_nll"]
    assert (one.last, one.last_step, one.best, one.best_step) == (0.25, 4, 0.25, 4)
    assert two.last == pytest.approx(4 / 3)
    assert [standing.last for standing in found.standings["score"]] == [0.8, 0.8]


def test_a_value_that_is_not_finite_is_no_best(store: SqliteStore, root: Path) -> None:
    store.create_run(run_records.new_run("one", name="one"))
    writer = store.writer("one")
    run_records.launch(writer)
    losses = [2.0, math.nan, -math.inf, 1.5]
    writer.commit(metrics=[run_records.row(step, train_mean_nll=loss) for step, loss in enumerate(losses, 1)])
    [standing] = compared(store, root, "one").standings["train_mean_nll"]
    assert (standing.best, standing.best_step) == (1.5, 4)


def test_only_settings_that_differ_are_told(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    plans = [lab.plan(learning_rate=1e-4, run_name="a"), lab.plan(learning_rate=3e-4, run_name="b", num_steps=9)]
    found = differences([settings_of(plan) for plan in plans])
    assert {d.path: d.values for d in found} == {
        "training.num_steps": (7, 9),
        "training.learning_rate": (1e-4, 3e-4),
    }


def test_data_is_told_by_its_content(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    before = settings_of(lab.plan())
    lab.data.write_text('{"input": "other", "output": "rows"}\n')
    [found] = differences([before, settings_of(lab.plan())])
    assert found.path == "training.train_file"
    assert all(value.startswith("train.jsonl (") for value in found.values)


def test_a_section_that_one_plan_lacks_is_absent_there() -> None:
    found = differences([{"a": 1, "b": 2}, {"a": 1}, {}])
    assert found == (Difference("b", (2, ABSENT, ABSENT)),)


def test_a_directory_of_the_cookbook_is_held_against_a_run(store: SqliteStore, root: Path, tmp_path: Path) -> None:
    record(store, "one")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "config.json").write_text(
        json.dumps({"model_name": "tiny", "learning_rate": 0.5, "lr_schedule": "linear"})
    )
    write_rows(theirs, [{"step": step, "train_mean_nll": 3.0 - step} for step in range(3)])
    found = compared(store, root, "one", str(theirs))
    assert list(found.tracks[1].y) == [3.0, 2.0, 1.0]
    by_tokens = compared(store, root, "one", str(theirs), axis="tokens")
    assert by_tokens.tracks[1].why_empty == "its record does not say tokens"


@pytest.mark.parametrize(
    ("references", "options", "said"),
    [
        (["one", "one"], {}, "named twice"),
        (["one"], {"metric": "nothing"}, "no run has the metric 'nothing'"),
        (["one"] * 9, {}, "too many"),
        (["./nowhere"], {}, "is no directory"),
        (["tow"], {}, "there is no run tow"),
    ],
)
def test_what_cannot_be_compared_is_a_plain_error(
    store: SqliteStore, root: Path, references: list[str], options: dict[str, Any], said: str
) -> None:
    record(store, "one")
    with pytest.raises(UsageError, match=said):
        compared(store, root, *references, **options)


def test_what_makes_numbers_less_than_like_for_like_is_said(store: SqliteStore, root: Path) -> None:
    record(store, "one")
    store.create_run(run_records.new_run("two", name="two"))
    writer = store.writer("two")
    run_records.launch(writer)
    run_records.train(writer, 1, 2)
    lab = Lab(root.parent / "lab")
    for run_id, val in (("one", "a.jsonl"), ("two", "b.jsonl")):
        file = root.parent / val
        file.write_text(json.dumps({"input": val, "output": "x"}) + "\n")
        (root / run_id).mkdir(exist_ok=True)
        write_plan(root / run_id, lab.plan(val_file=file))
    for run_id in ("one", "two"):
        store.writer(run_id).commit(metrics=[MetricRow(attempt=9, step=2, at=5.0, values={"val_mean_nll": 1.0})])
    assert "the runs validate on different rows" in compared(store, root, "one", "two", metric="val_mean_nll").notes


@example([[(358695653.0, 8e225), (489130435.0, 0.0)]], 20, 12)
@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 1e9), st.floats(allow_nan=True)), max_size=30).map(sorted),
        min_size=1,
        max_size=8,
    ),
    st.integers(20, 100),
    st.integers(3, 20),
)
def test_any_curves_make_lines_that_fit(curves: list[list[tuple[float, float]]], width: int, height: int) -> None:
    lines = chart_lines(curves, width=width, height=height, style=None)
    assert len(lines) in (0, height + 1)
    assert all(len(line) <= width for line in lines)


def test_curves_are_letters_where_there_is_no_colour() -> None:
    lines = chart_lines([[(0, 0), (10, 10)], [(0, 10), (10, 0)]], width=40, height=9, style=None)
    drawn = "".join(lines)
    assert "a" in drawn
    assert "b" in drawn
    assert "*" in drawn


def test_the_command_prints_chart_standings_and_differences(
    store: SqliteStore, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(store, "one")
    record(store, "two", end=1.0)
    console = CliContext(runs_root=root, environ={})
    assert main.run(["compare", "one", "two", "--x", "tokens"], console) == ExitCode.OK
    text = capsys.readouterr().out
    assert "train_mean_nll by tokens" in text
    assert "*0.25 @4" in text
    assert main.run(["compare", "one", "two", "--output", "json"], console) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert [run["label"] for run in told["runs"]] == ["one", "two"]
    assert told["runs"][0]["points"][-1] == [4.0, 0.25]
    assert told["standings"]["train_mean_nll"][0]["best"] == 0.25
