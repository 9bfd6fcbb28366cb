"""Proof of runs of several stages, and of runs whose resume repeats something otherwise than before."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tcao_tui.domain.checkpoints import CheckpointReason, CheckpointRecord, DataCursor, checkpoint_name
from tcao_tui.domain.events import (
    CheckpointSaved,
    DataLoaded,
    Finished,
    Launched,
    MetricRow,
    PhaseChanged,
    Resumed,
    RunEvent,
    Spend,
)
from tcao_tui.domain.proof import Outside, Record, VerifyReport
from tcao_tui.domain.training_events import ArtefactWritten, StageEnded, StageStarted
from tcao_tui.domain.verify import verify
from tcao_tui.store.memory import MemoryStore
from tcao_tui.store.port import Cursor, NewRun, RunWriter

FIRST_STEPS, SECOND_STEPS = 5, 4
TOTAL = FIRST_STEPS + SECOND_STEPS
PER_EPOCH = {0: 4, FIRST_STEPS: 3}
"""Batches of an epoch of each stage's data, by the updates before it."""


@dataclass
class Writing:
    """Two stages, written as a worker would."""

    store: MemoryStore
    writer: RunWriter
    attempt: int = 1

    def say(self, *events: RunEvent) -> None:
        self.writer.commit(events=events, metrics=(), spends=())

    def begin(self, first_step: int, *, batches: int | None = None) -> None:
        name, steps = ("imitate", FIRST_STEPS) if first_step == 0 else ("prefer", SECOND_STEPS)
        started = StageStarted(
            index=int(first_step > 0), name=name, method="sft", first_step=first_step, num_steps=steps, stages=2
        )
        loaded = DataLoaded(
            first_step=first_step,
            train_rows=9,
            val_rows=0,
            batches_per_epoch=batches or PER_EPOCH[first_step],
            train_tokens=1,
            loss_tokens=1,
        )
        self.say(started, loaded, PhaseChanged(phase="training"))

    def train(self, *steps: int) -> None:
        for step in steps:
            first = FIRST_STEPS if step > FIRST_STEPS else 0
            at = DataCursor.after(step - 1 - first, PER_EPOCH[first])
            row = MetricRow(attempt=self.attempt, step=step, at=0.0, epoch=at.epoch, batch=at.batch, values={"x": 1.0})
            self.writer.commit(events=(), metrics=(row,), spends=(Spend(kind="train", step=step, tokens=1, usd=0),))

    def save(self, step: int, reason: CheckpointReason) -> CheckpointRecord:
        first = FIRST_STEPS if step > FIRST_STEPS else 0
        name = checkpoint_name(self.attempt, step)
        record = CheckpointRecord(
            name=name,
            attempt=self.attempt,
            step=step,
            cursor=DataCursor.after(step - first, PER_EPOCH[first]),
            reason=reason,
            state_path=f"tinker://{self.attempt}/weights/{name}",
            sampler_path=f"tinker://{self.attempt}/sampler_weights/{name}",
        )
        self.say(CheckpointSaved(checkpoint=record))
        return record

    def resume(self, point: CheckpointRecord | None, replays: str = "") -> None:
        self.writer, self.attempt = self.store.writer("run-1"), self.attempt + 1
        self.say(Launched(fence=self.writer.fence, pid=1, host="h"))
        step, path = (0, "") if point is None else (point.step, point.state_path)
        self.say(Resumed(step=step, checkpoint=path, replays=replays))

    def finish(self) -> None:
        self.say(Finished(outcome="completed", exit_code=0))

    def proof(self, **changes: object) -> VerifyReport:
        batch = self.store.read("run-1", Cursor(), limit=10_000)
        summary = self.store.run("run-1")
        record = Record(summary, list(batch.events), list(batch.metrics), list(batch.spends), ("aa",))
        return verify(replace(record, **changes), Outside(now=0.0, plan_hash="aa"))


def written() -> Writing:
    store = MemoryStore()
    store.create_run(NewRun("run-1", "two", "pipeline", "tiny", "local", TOTAL, 1.0))
    writing = Writing(store, store.writer("run-1"))
    writing.say(Launched(fence=writing.writer.fence, pid=1, host="h"))
    return writing


def evidence(report: VerifyReport) -> str:
    assert report.ok, report.checks
    return next(check.evidence for check in report.checks if check.name == "lineage")


def failures(report: VerifyReport) -> dict[str, str]:
    return {check.name: check.evidence for check in report.checks if check.verdict == "failed"}


def test_batches_are_counted_in_each_stages_own_data() -> None:
    run = written()
    run.begin(0)
    run.train(*range(1, FIRST_STEPS + 1))
    run.save(FIRST_STEPS, "stage")
    run.begin(FIRST_STEPS)
    run.train(*range(FIRST_STEPS + 1, TOTAL + 1))
    run.save(TOTAL, "final")
    run.finish()
    assert evidence(run.proof()) == "steps 1 to 9 of 9; stage imitate from step 1; stage prefer from step 6"


def test_a_resume_within_the_second_stage_is_whole() -> None:
    run = written()
    run.begin(0)
    run.train(*range(1, FIRST_STEPS + 1))
    run.save(FIRST_STEPS, "stage")
    run.begin(FIRST_STEPS)
    run.train(6, 7)
    point = run.save(7, "periodic")
    run.train(8)
    run.resume(point)
    run.begin(FIRST_STEPS)
    run.train(8, 9)
    run.save(TOTAL, "final")
    run.finish()
    assert "1 more were trained and superseded" in evidence(run.proof())


def test_a_stage_whose_data_changed_between_attempts_is_caught() -> None:
    run = written()
    run.begin(0)
    run.train(1, 2)
    point = run.save(2, "periodic")
    run.resume(point)
    run.begin(0, batches=7)
    run.train(3)
    assert "epochs of [4, 7] batches" in failures(run.proof())["lineage"]


def test_a_second_stage_that_goes_on_in_the_order_of_the_first_is_caught() -> None:
    run = written()
    run.begin(0)
    run.train(*range(1, FIRST_STEPS + 1))
    run.begin(FIRST_STEPS)
    wrong = MetricRow(attempt=1, step=6, at=0.0, epoch=1, batch=1, values={"x": 1.0})
    run.writer.commit(events=(), metrics=(wrong,), spends=(Spend(kind="train", step=6, tokens=1, usd=0),))
    assert "step 6 trained epoch 1 batch 1, planned were 0 and 0" in failures(run.proof())["lineage"]


def test_a_run_that_ends_with_a_stage_before_the_last_is_not_completed() -> None:
    run = written()
    run.begin(0)
    run.train(*range(1, FIRST_STEPS + 1))
    run.save(FIRST_STEPS, "stage")
    run.finish()
    assert "it ends at step 5 of 9" in failures(run.proof())["completed"]


def test_what_a_resume_does_not_repeat_is_stated_and_not_failed() -> None:
    run = written()
    run.begin(0)
    run.train(1, 2)
    point = run.save(2, "stop")
    run.resume(point, replays="answers are drawn anew; up to 2 batches are trained twice or left out")
    run.begin(0)
    run.train(3)
    assert "attempt 2: answers are drawn anew; up to 2 batches are trained twice or left out" in evidence(run.proof())


def answered(sha256: str) -> ArtefactWritten:
    return ArtefactWritten(file="stages/imitate/teacher_answers.jsonl", sha256=sha256, rows=9)


def test_answers_that_were_drawn_anew_after_updates_had_learned_from_them_are_stated() -> None:
    run = written()
    run.begin(0)
    run.say(answered("a"))
    run.train(1, 2)
    point = run.save(2, "periodic")
    run.resume(point)
    run.begin(0)
    run.say(answered("b"))
    run.train(3)
    told = "attempt 2 wrote stages/imitate/teacher_answers.jsonl anew; steps 1 to 2 learned from the former"
    assert told in evidence(run.proof())


def test_answers_that_nothing_had_learned_from_may_be_drawn_anew_without_a_word() -> None:
    run = written()
    run.begin(0)
    run.say(answered("a"))
    run.resume(None)
    run.begin(0)
    run.say(answered("b"))
    run.train(1)
    assert "anew" not in evidence(run.proof())


def ended_early(run: Writing, step: int) -> None:
    ended = StageEnded(index=0, name="imitate", first_step=0, step=step, last_step=FIRST_STEPS)
    run.save(step, "stage")
    run.say(ended)
    run.begin(FIRST_STEPS)


def test_steps_that_an_early_end_left_out_are_no_gap() -> None:
    run = written()
    run.begin(0)
    run.train(1, 2, 3)
    ended_early(run, 3)
    run.train(*range(FIRST_STEPS + 1, TOTAL + 1))
    run.save(TOTAL, "final")
    run.finish()
    assert evidence(run.proof()).endswith("; stage imitate ended early at step 3 of 5")


def test_a_gap_after_another_step_than_that_of_the_early_end_is_caught() -> None:
    run = written()
    run.begin(0)
    run.train(1, 2, 3)
    ended_early(run, 3)
    run.resume(None)
    run.begin(0)
    run.train(1, 2)
    run.begin(FIRST_STEPS)
    run.train(6)
    assert "step 6 of attempt 2 was reached from step 2" in failures(run.proof())["lineage"]
