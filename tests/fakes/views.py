"""Views of one demo-like run of 80 steps at a pinned clock, in every state that a screen has to show."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from tcao_tui.domain.checkpoints import CheckpointReason, CheckpointRecord, DataCursor, checkpoint_name
from tcao_tui.domain.events import (
    CheckpointSaved,
    ControlHandled,
    DataLoaded,
    Finished,
    Launched,
    LogLine,
    MetricRow,
    Outcome,
    PhaseChanged,
    Resumed,
    RunEvent,
    Sample,
    SamplesTaken,
    Scored,
    Spend,
    StoredEvent,
    UnknownEvent,
    Waiting,
)
from tcao_tui.domain.run_state import RunState
from tcao_tui.domain.run_view import LeaseState, RunStatus, RunSummary, RunView

STARTED_AT = 1_795_600_000.0
STEP_SECONDS = 0.8
TOTAL_STEPS = 80
RUN_ID = "20261125-094640-tickets-3f2a"
DEAD = LeaseState(held=False, heartbeat_age_seconds=31.0, pid=4242, host="lab", fence=1)
ALIVE = LeaseState(held=True, heartbeat_age_seconds=1.0, pid=4242, host="lab", fence=1)

_PROMPTS = (
    ("The checkout page shows a blank screen after I pay.", "billing/high"),
    ("How do I change the language of the app?", "howto/low"),
)
_EARLY = ("The the is a ticket of the page page", "I is to the app language the")


def a_summary(**changes: object) -> RunSummary:
    row = RunSummary(
        run_id=RUN_ID,
        name="tickets",
        method="sft",
        base_model="tcao/tiny-qwen3",
        backend="local",
        recorded_status=RunStatus.RUNNING,
        status=RunStatus.RUNNING,
        step=52,
        total_steps=TOTAL_STEPS,
        train_loss=0.4213,
        val_loss=0.5127,
        tokens=66_560,
        cost_usd=0.0,
        attempt=1,
        created_at=STARTED_AT - 3.0,
        updated_at=STARTED_AT + 42.0,
    )
    return replace(row, **changes)  # type of each change is checked by the dataclass's users


class RunStory:
    """Tells a run event by event; `view` folds what was told."""

    def __init__(self, *, total_steps: int = TOTAL_STEPS) -> None:
        self.state = RunState(a_summary(total_steps=total_steps))
        self.at = STARTED_AT
        self.attempt = 1
        self._seq = 0
        self._random = random.Random(7)

    def tell(self, *events: RunEvent | UnknownEvent) -> None:
        for event in events:
            self._seq += 1
            self.state.apply(StoredEvent(seq=self._seq, run_id=RUN_ID, attempt=self.attempt, at=self.at, event=event))

    def launch(self) -> None:
        self.tell(Launched(fence=self.attempt, pid=4242, host="lab"), PhaseChanged(phase="loading"))
        self.at += 2.0
        self.tell(
            DataLoaded(train_rows=640, val_rows=64, batches_per_epoch=20, train_tokens=102_400, loss_tokens=9_600),
            PhaseChanged(phase="training"),
        )
        self.evaluate(0)

    def train(self, first: int, last: int) -> None:
        for step in range(first, last + 1):
            self.at += STEP_SECONDS
            self.state.apply_metrics(self._row(step))
            self.state.apply_spend(Spend(kind="train", step=step, tokens=1_280, usd=0.0))
            if step % 20 == 0:
                self.evaluate(step)
                self.save(step, "final" if step == TOTAL_STEPS else "periodic")

    def evaluate(self, step: int) -> None:
        nll = 0.35 + 3.4 * math.exp(-step / 16)
        values = {"val_mean_nll": nll, "val_perplexity": math.exp(nll)}
        self.state.apply_metrics(MetricRow(attempt=self.attempt, step=step, at=self.at, values=values))
        texts = _EARLY if step < 20 else tuple(answer for _prompt, answer in _PROMPTS)
        samples = tuple(Sample(prompt=p, text=t, reference=r) for (p, r), t in zip(_PROMPTS, texts, strict=True))
        self.tell(SamplesTaken(step=step, samples=samples))
        if step in (0, TOTAL_STEPS):
            self.tell(Scored(step=step, name="exact", correct=1 if step == 0 else 97, total=100))

    def save(self, step: int, reason: CheckpointReason) -> None:
        record = CheckpointRecord(
            name=checkpoint_name(self.attempt, step),
            attempt=self.attempt,
            step=step,
            cursor=DataCursor.after(step, 20),
            reason=reason,
            state_path=f"tinker://run-1/weights/{checkpoint_name(self.attempt, step)}",
            expires_at=None if reason == "final" else self.at + 7 * 86_400,
        )
        self.tell(CheckpointSaved(checkpoint=record))

    def view(self, lease: LeaseState = ALIVE, *, pending_verb: str = "") -> RunView:
        return self.state.view(lease, now=self.at + 0.5, pending_verb=pending_verb)

    def _row(self, step: int) -> MetricRow:
        noise = self._random.gauss(0, 0.12)
        epoch, batch = divmod(step - 1, 20)
        values = {
            "train_mean_nll": max(0.3 + 3.5 * math.exp(-step / 14) + noise * (0.3 + math.exp(-step / 20)), 0.02),
            "learning_rate": 1e-3 * (1 - step / (TOTAL_STEPS + 1)),
            "tokens_per_second": 1_600 + 80 * self._random.random(),
            "step_seconds": STEP_SECONDS + 0.05 * self._random.random(),
            "num_tokens": 1_280.0,
            "num_loss_tokens": 120.0,
            "epoch": float(epoch),
        }
        return MetricRow(attempt=self.attempt, step=step, at=self.at, epoch=epoch, batch=batch, values=values)


def running(last_step: int = 52) -> RunView:
    story = RunStory()
    story.launch()
    story.train(1, last_step)
    return story.view()


def completed() -> RunView:
    return ended("completed")


def ended(outcome: Outcome, *, what: str = "", next_step: str = "") -> RunView:
    story = RunStory()
    story.launch()
    story.train(1, TOTAL_STEPS if outcome == "completed" else 47)
    codes = {"completed": 0, "stopped": 75, "interrupted": 130}
    story.tell(Finished(outcome=outcome, exit_code=codes.get(outcome, 7), what=what, next_step=next_step))
    return story.view(DEAD)


def failed() -> RunView:
    return ended(
        "failed",
        what="the server answered 500 to forward_backward eight times: [bold]out of memory[/bold] \x1b[31mon device 0",
        next_step="lower train_batch_size, then: tcao resume " + RUN_ID,
    )


def lost() -> RunView:
    story = RunStory()
    story.launch()
    story.train(1, 47)
    return story.view(DEAD)


def waiting() -> RunView:
    story = RunStory()
    story.launch()
    story.train(1, 31)
    story.tell(Waiting(reason="capacity", since=story.at, detail="paused: not enough capacity for this model"))
    return story.view()


def sampled() -> RunView:
    return replace(running(), is_sampled=True, notes=("3 lines could not be read",))


def resumed() -> RunView:
    story = RunStory()
    story.launch()
    story.train(1, 47)
    story.attempt = 2
    story.at += 60
    story.tell(Launched(fence=2, pid=4343, host="lab", resume_step=40), Resumed(step=40, checkpoint="001-000040"))
    story.tell(PhaseChanged(phase="training"), LogLine(message="went on", level="warning"))
    story.tell(ControlHandled(request_id=1, verb="checkpoint", accepted=False, reason="one was just saved"))
    story.tell(UnknownEvent(kind="hologram"))
    story.train(41, 50)
    return story.view()


def _told(index: int, step: int, *, is_broken: bool) -> dict[str, object]:
    """Method and numbers of the run at a place of the list."""
    if step and index % 4 == 2:
        found = {"reward_mean": step / 90, "val_reward": step / 100}
        return {"method": "rl", "numbers": found, "train_loss": None, "val_loss": None}
    if step and index % 6 == 4:
        found = {"reward_margin": step / 40, "reward_accuracy": 0.9, "val_accuracy": 0.875}
        return {"method": "dpo", "numbers": found, "train_loss": None, "val_loss": None}
    train = None if step == 0 else math.nan if is_broken else 2.9 / (1 + step / 9)
    return {"train_loss": train, "val_loss": None if step < 20 else 3.1 / (1 + step / 9)}


def a_list_of_runs() -> list[RunSummary]:
    """One run in each state, newest first."""
    names = ["tickets", "gsm8k-rank64", "style-de", "router_v3", "日本語-要約", "[bold]brackets[/bold]"]
    rows: list[RunSummary] = []
    for index, status in enumerate(RunStatus):
        step = 80 if status is RunStatus.COMPLETED else 0 if status is RunStatus.CREATED else 7 * index % 80
        rows.append(
            a_summary(
                run_id=f"20261125-0946{40 - index:02d}-run-{index:04x}",
                name=names[index % len(names)],
                status=status,
                recorded_status=RunStatus.RUNNING if status is RunStatus.LOST else status,
                step=step,
                base_model="Qwen/Qwen3-8B-Base" if index % 3 == 1 else "tcao/tiny-qwen3",
                backend="tinker" if index % 3 == 1 else "local",
                cost_usd=None if index % 4 == 3 else 0.0 if index % 3 != 1 else 0.0421 * index,
                **_told(index, step, is_broken=status is RunStatus.FAILED),
                created_at=STARTED_AT - 40.0 - 7_000.0 * index,
            )
        )
    return rows
