from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tcao_tui.cli.render.events import event_line
from tcao_tui.cli.render.json import to_json, view_dict
from tcao_tui.cli.render.live import JsonReporter, LiveLineReporter, TextReporter, follow, outcome_code
from tcao_tui.cli.render.text import progress_line, runs_table, view_lines
from tcao_tui.domain.checkpoints import CheckpointRecord, DataCursor
from tcao_tui.domain.events import (
    CheckpointSaved,
    ControlHandled,
    DataLoaded,
    Finished,
    Launched,
    LogLine,
    MetricRow,
    PhaseChanged,
    Resumed,
    RunEvent,
    Sample,
    SamplesTaken,
    Scored,
    StoredEvent,
    UnknownEvent,
    Waiting,
)
from tcao_tui.domain.run_state import RunState
from tcao_tui.domain.run_view import LeaseState, RunStatus, RunSummary, RunView
from tcao_tui.domain.training_events import Alert
from tcao_tui.errors import ExitCode

SUMMARY = RunSummary(
    run_id="20261123-120000-demo-ab12",
    name="demo",
    method="sft",
    base_model="tcao/tiny-qwen3",
    backend="local",
    recorded_status=RunStatus.RUNNING,
    status=RunStatus.RUNNING,
    step=2,
    total_steps=4,
    train_loss=1.25,
    val_loss=None,
    tokens=2048,
    cost_usd=0.0,
    attempt=1,
    created_at=1000.0,
    updated_at=1010.0,
)
HELD = LeaseState(held=True, heartbeat_age_seconds=1.0, pid=77, host="here", fence=1)
FREE = replace(HELD, held=False)
SAVED = CheckpointRecord(
    name="001-000002",
    attempt=1,
    step=2,
    cursor=DataCursor(epoch=0, batch=2),
    reason="periodic",
    state_path="tinker://run/weights/001-000002",
)

ALERT = Alert(rule="entropy_collapse", severity="critical", step=9, evidence="entropy 0.01")


class Recorded:
    """A source that plays facts in given portions."""

    def __init__(self, *portions: Sequence[RunEvent | UnknownEvent | MetricRow]) -> None:
        self._state = RunState(SUMMARY)
        self._portions = list(portions)
        self._seq = 0
        self.caught_up = False

    def poll(self) -> RunView:
        for fact in self._portions.pop(0) if self._portions else ():
            self._seq += 1
            if isinstance(fact, MetricRow):
                self._state.apply_metrics(fact)
            else:
                at = 1000.0 + self._seq
                self._state.apply(StoredEvent(seq=self._seq, run_id="r", attempt=1, at=at, event=fact))
        self.caught_up = True
        return self._state.view(HELD if self._portions else FREE, now=1010.0)

    def close(self) -> None:
        pass


def row(step: int, loss: float, attempt: int = 1) -> MetricRow:
    return MetricRow(
        attempt=attempt, step=step, at=1000.0 + step, epoch=0, batch=step - 1, values={"train_mean_nll": loss}
    )


def launched() -> Launched:
    return Launched(fence=1, pid=77, host="here")


def ended(outcome: Any = "completed", code: int = 0) -> Finished:
    return Finished(outcome=outcome, exit_code=code)


def played(*facts: RunEvent | UnknownEvent | MetricRow) -> RunView:
    return Recorded(facts).poll()


def plain(text: str, *_: object, **__: object) -> str:
    return text


def no_wait(_: float) -> None:
    pass


def test_a_followed_run_is_told_once_per_event_and_ends_with_its_last_step() -> None:
    source = Recorded([launched()], [PhaseChanged(phase="training"), row(1, 2.0)], [row(2, 1.5)], [ended()])
    lines: list[str] = []
    ticks: Iterator[float] = iter(range(100))
    view = follow(source, TextReporter(lines.append, clock=lambda: float(next(ticks))), sleep=no_wait)
    told = [line[10:] for line in lines]
    assert told[0] == "worker 77 on here took the run"
    assert sum("worker 77" in line for line in told) == 1
    assert told[-2:] == ["completed", "step 2/4  50%  loss 1.5  completed"]
    assert view.status is RunStatus.COMPLETED


def test_progress_is_told_about_once_a_second() -> None:
    views = [played(launched(), *[row(i, 2.0) for i in range(1, step + 1)]) for step in (1, 2, 3)]
    lines: list[str] = []
    clock = iter([0.0, 0.0, 0.4, 1.1, 1.1])
    reporter = TextReporter(lines.append, skip_history=True, clock=lambda: next(clock))
    for view in views:
        reporter.show(view)
    assert [line.split("  ")[1] for line in lines] == ["step 1/4", "step 3/4"]


def test_joining_late_does_not_repeat_what_happened_before() -> None:
    lines: list[str] = []
    reporter = TextReporter(lines.append, skip_history=True)
    reporter.show(played(launched(), LogLine(message="long ago")))
    assert not [line for line in lines if "long ago" in line]


def test_the_stream_has_every_event_and_step_and_a_rewind_after_a_resume() -> None:
    source = Recorded(
        [launched(), row(1, 2.0), row(2, 1.5)],
        [MetricRow(attempt=1, step=2, at=1003.0, values={"val_mean_nll": math.nan})],
        [Resumed(step=1, checkpoint="001-000001"), row(2, 1.4)],
        [ended()],
    )
    lines: list[str] = []
    follow(source, JsonReporter(lines.append), sleep=no_wait)
    stream = [json.loads(line) for line in lines]
    steps = [(item["step"], item["values"]) for item in stream if item["type"] == "step"]
    assert steps == [
        (1, {"train_mean_nll": 2.0}),
        (2, {"train_mean_nll": 1.5}),
        (2, {"val_mean_nll": None}),
        (2, {"train_mean_nll": 1.4}),
    ]
    assert [item["kind"] for item in stream if item["type"] == "event"] == ["launched", "resumed", "finished"]


def test_the_live_line_is_drawn_over_and_left_at_the_end() -> None:
    written: list[str] = []
    source = Recorded([launched(), row(1, 2.0)], [row(2, 1.5)], [ended()])
    follow(source, LiveLineReporter(written.append, lambda: 60), sleep=no_wait)
    screen = "".join(written)
    assert screen.count("worker 77 on here took the run\n") == 1
    assert screen.endswith("\n")
    assert all(len(piece) < 60 for piece in screen.replace("\x1b[K", "").replace("\r", "\n").split("\n"))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ([ended()], ExitCode.OK),
        ([ended("stopped", 75)], ExitCode.RESUMABLE),
        ([ended("stopped", 0)], ExitCode.OK),
        ([ended("stopped", 8)], ExitCode.REFUSED),
        ([ended("interrupted")], ExitCode.RESUMABLE),
        ([ended("budget")], ExitCode.BUDGET),
        ([ended("failed", 7)], ExitCode.BACKEND),
        ([ended("failed", 0)], ExitCode.FAILED),
        ([ended("failed", 99)], ExitCode.FAILED),
        ([], ExitCode.RESUMABLE),
    ],
)
def test_waiting_for_a_run_ends_with_the_code_of_its_outcome(facts: list[Finished], code: ExitCode) -> None:
    assert outcome_code(played(launched(), PhaseChanged(phase="training"), *facts)) is code


def test_show_has_the_keys_that_scripts_rely_on() -> None:
    told = json.loads(to_json(view_dict(played(launched(), row(1, math.inf), CheckpointSaved(checkpoint=SAVED)), None)))
    wanted = "run_id name status step total_steps attempt worker_pid last_heartbeat_seconds checkpoints tokens cost_usd"
    wanted += " train_loss val_loss scores eta_seconds run_dir"
    assert set(wanted.split()) <= set(told)
    assert told["train_loss"] is None
    assert told["checkpoints"][0]["cursor"] == {"epoch": 0, "batch": 2}


def test_show_names_checkpoints_scores_and_how_it_ended() -> None:
    score = Scored(step=0, name="exact", correct=3, total=4)
    view = played(
        launched(),
        score,
        CheckpointSaved(checkpoint=SAVED),
        ended("failed", 7).model_copy(update={"what": "no server"}),
    )
    shown = "\n".join(view_lines(view, None, plain))
    assert "step 0: exact 75.0% (3 of 4)" in shown
    assert "tinker://run/weights/001-000002" in shown
    assert "no server" in shown
    assert "none" in shown


def test_a_run_list_lines_up_and_says_unknown_costs() -> None:
    lines = runs_table([SUMMARY, replace(SUMMARY, run_id="x", cost_usd=None, status=RunStatus.LOST)], 1090.0, plain)
    assert [line.index(word) for line, word in zip(lines[1:], ("running", "lost"), strict=True)] == [
        lines[0].index("STATUS")
    ] * 2
    assert "$?" in lines[2]
    assert lines[1].endswith("1m30s")


def test_progress_says_what_is_waited_for() -> None:
    view = played(launched(), PhaseChanged(phase="training"), Waiting(reason="outage", since=1.0, detail="engine gone"))
    live = replace(view, status=RunStatus.WAITING)
    assert progress_line(live).endswith("waiting: waiting for outage engine gone")


def test_a_paused_run_says_how_it_goes_on() -> None:
    view = replace(played(launched(), PhaseChanged(phase="training")), status=RunStatus.PAUSED)
    assert progress_line(view).endswith(f"paused  to go on: tcao resume {view.run_id}")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Resumed(step=3, checkpoint="001-000003"), "resumed from step 3 (001-000003)"),
        (PhaseChanged(phase="training"), None),
        (PhaseChanged(phase="paused", detail="pilot"), "paused: pilot"),
        (Waiting(reason="rate_limit", since=1.0, detail="again in 8s"), "waiting: rate limit: again in 8s"),
        (Waiting(reason="capacity", since=1.0, over=True), "waiting is over"),
        (CheckpointSaved(checkpoint=SAVED), f"checkpoint of step 2 saved ({SAVED.reason}): {SAVED.state_path}"),
        (
            SamplesTaken(step=4, samples=(Sample(prompt="a\nb", text="\x1b[31mc"),)),
            '1 sample taken at step 4: "a b" -> "c"',
        ),
        (ControlHandled(request_id=1, verb="pause", accepted=False, reason="ends now"), "pause: refused: ends now"),
        (LogLine(message="hello"), "hello"),
        (LogLine(level="error", message="x\u202ey"), "error: xy"),
        (ALERT, "critical: entropy collapse at step 9: entropy 0.01"),
        (
            ALERT.model_copy(update={"severity": "note", "suggestion": "rl.kl_penalty_coef: 0.05"}),
            "entropy collapse at step 9: entropy 0.01; suggested: rl.kl_penalty_coef: 0.05",
        ),
        (UnknownEvent(kind="new"), "new: an event of another version"),
        (
            DataLoaded(
                train_rows=64, val_rows=8, batches_per_epoch=2, train_tokens=1500, loss_tokens=1, truncated_rows=3
            ),
            "data loaded: 64 training and 8 validation rows, 1.50k tokens, 3 cut, 2 batches per epoch",
        ),
    ],
)
def test_events_are_told_in_one_safe_line(event: RunEvent | UnknownEvent, line: str | None) -> None:
    assert event_line(event) == line
