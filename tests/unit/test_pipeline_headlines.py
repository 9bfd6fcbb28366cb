"""The numbers of a run of several stages are those of the stage that it is in."""

from __future__ import annotations

from tcao_tui.domain.events import MetricRow, Resumed, RunEvent, StoredEvent
from tcao_tui.domain.headlines import headline_texts
from tcao_tui.domain.run_state import FoldedMetrics, RunState
from tcao_tui.domain.run_view import LeaseState
from tcao_tui.domain.series import Series
from tcao_tui.domain.training_events import StageEnded, StageMeasured, StageStarted
from tcao_tui.store.memory import MemoryStore
from tests.fakes.run_records import new_run

NOBODY = LeaseState(False, None, None, "", 0)


class Told:
    """A run, told as it comes."""

    def __init__(self) -> None:
        store = MemoryStore()
        store.create_run(new_run())
        self.state = RunState(store.run("run-1"))

    def event(self, event: RunEvent) -> None:
        self.state.apply(StoredEvent(seq=1, run_id="run-1", attempt=1, at=0.0, event=event))

    def row(self, step: int, *, trained: bool = True, **values: float) -> None:
        place = {"epoch": 0, "batch": step} if trained else {}
        self.state.apply_metrics(MetricRow(attempt=1, step=step, at=0.0, values=values, **place))

    def curve(self, key: str) -> dict[int, float]:
        series = self.state.series[key]
        return dict(zip(series.steps, series.values, strict=True))

    def texts(self) -> list[str]:
        return headline_texts(self.state.view(NOBODY, now=0.0))


def stage(index: int, method: str, first_step: int) -> StageStarted:
    return StageStarted(index=index, name=method, method=method, first_step=first_step, num_steps=4, stages=2)


def test_a_later_stage_shows_nothing_of_the_one_before() -> None:
    told = Told()
    told.event(stage(0, "sft", 0))
    told.row(0, trained=False, val_mean_nll=3.0)
    assert told.texts() == ["val 3"], "what a first stage starts from is its own"
    told.row(4, train_mean_nll=1.0)
    told.row(4, trained=False, val_mean_nll=2.0)
    assert told.texts() == ["loss 1", "val 2"]
    told.event(stage(1, "distill", 4))
    assert told.texts() == []
    told.row(5, teacher_kl=0.5)
    assert told.texts() == ["teacher KL 0.5"]


def test_a_later_stage_is_told_with_what_it_was_before_its_first_update() -> None:
    told = Told()
    told.event(stage(0, "sft", 0))
    told.row(4, train_mean_nll=1.0)
    told.event(stage(1, "dpo", 4))
    told.event(StageMeasured(index=1, name="dpo", step=4, values={"val_accuracy": 0.5}))
    told.event(StageMeasured(index=1, name="dpo", step=4, values={"score": 0.25}))
    told.row(6, trained=False, val_accuracy=0.75)
    assert told.texts() == ["val accuracy 75.0% (before 50.0%)"]
    assert told.state.view(NOBODY, now=0.0).marks.baselines == {1: {"val_accuracy": 0.5, "score": 0.25}}


def test_what_a_later_stage_was_before_its_first_update_begins_its_curves() -> None:
    told = Told()
    told.event(stage(0, "sft", 0))
    told.event(stage(1, "dpo", 4))
    told.event(StageMeasured(index=1, name="dpo", step=4, values={"val_accuracy": 0.5, "val_mean_nll": 9.0}))
    told.event(StageMeasured(index=1, name="dpo", step=4, values={"score": 0.25}))
    # Of a batch that is read the events are folded first.
    told.row(4, trained=False, val_mean_nll=2.0)
    told.row(6, trained=False, val_accuracy=0.75, val_mean_nll=1.5)
    assert told.curve("val_accuracy") == {4: 0.5, 6: 0.75}
    assert told.curve("val_mean_nll") == {4: 2.0, 6: 1.5}, "the stage before ended with the row's weights"
    assert "score" not in told.state.series
    told.event(Resumed(step=4, checkpoint=""))
    assert told.curve("val_accuracy") == {4: 0.5}, "the attempt begins with the same weights"
    told.event(Resumed(step=3, checkpoint=""))
    assert told.curve("val_accuracy") == told.curve("val_mean_nll") == {}


def test_the_curves_of_a_long_run_that_was_read_elsewhere_begin_there_too() -> None:
    told = Told()
    told.event(stage(0, "sft", 0))
    told.event(stage(1, "dpo", 4))
    told.event(StageMeasured(index=1, name="dpo", step=4, values={"val_accuracy": 0.5}))
    read = Series()
    read.append(6, 0.75)
    told.state.adopt(
        FoldedMetrics(
            series={"val_accuracy": read},
            resumes=[],
            trained_by=1,
            step=6,
            superseded_rows=0,
            updated_at=0.0,
            pace=[],
            tokens=0,
            cost_usd=0.0,
        )
    )
    assert told.curve("val_accuracy") == {4: 0.5, 6: 0.75}


def test_an_early_end_is_shown_until_an_attempt_goes_back_behind_it() -> None:
    told = Told()
    told.event(stage(0, "sft", 0))
    told.row(2, train_mean_nll=1.0)
    told.event(StageEnded(index=0, name="sft", first_step=0, step=2, last_step=4))
    told.event(stage(1, "dpo", 4))
    for resumed, stages in ((2, [0, 1]), (1, [0])):
        told.event(Resumed(step=resumed, checkpoint=""))
        marks = told.state.view(NOBODY, now=0.0).marks
        assert [s.index for s in marks.stages] == stages
        assert bool(marks.ended) == (resumed == 2)
