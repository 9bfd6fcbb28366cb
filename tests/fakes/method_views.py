"""Views of runs of other methods than SFT, with everything that may stand beside their curves."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

from tcao_tui.domain.events import Finished, Launched, MetricRow, PhaseChanged, RunEvent, StoredEvent
from tcao_tui.domain.rollouts import Rollout, RolloutGroup
from tcao_tui.domain.run_state import RunState
from tcao_tui.domain.run_view import RunView
from tcao_tui.domain.training_events import Alert, PilotEnded, RolloutsTaken, SettingChanged, StageStarted
from tests.fakes.views import ALIVE, DEAD, RUN_ID, STARTED_AT, a_summary

ROLLOUT_STEPS = (10, 20, 30, 40)


class Story:
    """Tells a run of any method step by step."""

    def __init__(self, method: str, total_steps: int) -> None:
        self.state = RunState(a_summary(method=method, name=f"{method}-demo", total_steps=total_steps))
        self.at = STARTED_AT
        self._seq = 0
        self.noise = random.Random(3)
        self.tell(Launched(fence=1, pid=4242, host="lab"), PhaseChanged(phase="training"))

    def tell(self, *events: RunEvent) -> None:
        for event in events:
            self._seq += 1
            self.state.apply(StoredEvent(seq=self._seq, run_id=RUN_ID, attempt=1, at=self.at, event=event))

    def row(self, step: int, values: Mapping[str, float]) -> None:
        self.at += 2.0
        common = {"learning_rate": 1e-4, "tokens_per_second": 900.0, "step_seconds": 2.0}
        self.state.apply_metrics(
            MetricRow(attempt=1, step=step, at=self.at, epoch=0, batch=step - 1, values={**values, **common})
        )

    def evaluate(self, step: int, values: Mapping[str, float]) -> None:
        self.state.apply_metrics(MetricRow(attempt=1, step=step, at=self.at, values=dict(values)))

    def view(self) -> RunView:
        return self.state.view(ALIVE, now=self.at + 0.5)


def dpo() -> RunView:
    story = Story("dpo", 60)
    for step in range(1, 46):
        rise = 1 - math.exp(-step / 15)
        margin = 2.2 * rise + story.noise.gauss(0, 0.15)
        values = {
            "reward_margin": margin,
            "reward_accuracy": 0.5 + 0.45 * rise,
            "dpo_loss": math.log1p(math.exp(-margin)),
            "chosen_reward": 0.8 * rise,
            "rejected_reward": -1.4 * rise,
            "kl_reference": 0.05 * rise,
            "chosen_mean_nll": 1.4 - 0.3 * rise,
        }
        story.row(step, values)
        if step % 15 == 0:
            held_out = {"val_margin": 1.8 * rise, "val_accuracy": 0.5 + 0.4 * rise, "val_dpo_loss": 0.69 - 0.3 * rise}
            story.evaluate(step, held_out)
    story.tell(SettingChanged(step=25, key="learning_rate", old=1e-4, value=5e-5, by="ada", why="noisy"))
    return story.view()


def _rl_row(story: Story, step: int, first: int = 0) -> None:
    rise = 1 - math.exp(-(step - first) / 20)
    values = {
        "reward_mean": 0.14 + 0.7 * rise + story.noise.gauss(0, 0.04),
        "reward_std": 0.4 - 0.2 * rise,
        "zero_advantage_share": 0.2 + 0.5 * rise,
        "entropy": 2.0 - 1.6 * rise,
        "kl_sample_train": 0.001,
        "kl_reference": 0.2 * rise,
        "truncated_share": 0.05,
        "answer_tokens": 12.0,
    }
    story.row(step, values | {f"env/all/by_group/frac_{number}": 0.1 for number in range(12)})


def rl() -> RunView:
    """With a pilot, two alerts of which one is critical, and rollouts."""
    story = Story("rl", 50)
    for step in range(1, 42):
        _rl_row(story, step)
        if step in ROLLOUT_STEPS:
            file = f"rollouts/step-{step:06d}.jsonl"
            story.tell(RolloutsTaken(step=step, file=file, groups=3, answers=12, mean_reward=0.1 + step / 60))
            story.evaluate(step, {"val_reward": step / 60})
        if step == 5:
            measured = {"projected_cost_usd": 1.2, "projected_hours": 0.5, "reward": 0.16}
            story.tell(PilotEnded(step=5, passed=True, measured=measured))
    story.tell(
        Alert(
            rule="zero_advantage",
            severity="warning",
            step=28,
            since=18,
            evidence="69% of the groups of the last 10 steps earned one reward, [bold]allowed[/bold] are 60%",
            suggestion="rl.group_size: 16, or harder prompts",
        ),
        Alert(
            rule="entropy_collapse",
            severity="critical",
            step=37,
            since=30,
            evidence="entropy 0.21 nats/token over 10 steps, it began at 1.92\x1b[2J",
            suggestion="rl.kl_penalty_coef: 0.05, or a lower learning rate",
            action="pause",
        ),
    )
    return story.view()


def _stage(index: int, name: str, method: str, first_step: int, num_steps: int) -> StageStarted:
    return StageStarted(index=index, name=name, method=method, first_step=first_step, num_steps=num_steps, stages=3)


def pipeline(*, ended: bool = False) -> RunView:
    """SFT, a preference model, and RL that is under way or over."""
    story = Story("rlhf", 100)
    story.tell(_stage(0, "sft", "sft", 0, 30))
    for step in range(1, 31):
        story.row(step, {"train_mean_nll": 0.4 + 3 * math.exp(-step / 8)})
    story.tell(_stage(1, "preference", "preference_model", 30, 20))
    for step in range(31, 51):
        story.row(step, {"train_mean_nll": 0.2 + 0.5 * math.exp(-(step - 30) / 8)})
    story.evaluate(50, {"val_accuracy": 0.91})
    story.tell(_stage(2, "rl", "rl", 50, 50))
    for step in range(51, 101 if ended else 72):
        _rl_row(story, step, 50)
    if ended:
        story.tell(Finished(outcome="completed", exit_code=0))
        return story.state.view(DEAD, now=story.at)
    return story.view()


def amid_a_pipeline() -> RunView:
    """In its first stage, with two to come."""
    story = Story("rlhf", 100)
    story.tell(_stage(0, "sft", "sft", 0, 30))
    for step in range(1, 13):
        story.row(step, {"train_mean_nll": 0.4 + 3 * math.exp(-step / 8)})
    return story.view()


def a_pilot_that_stopped_the_run() -> RunView:
    story = Story("rl", 50)
    for step in range(1, 6):
        _rl_row(story, step)
    finding = "all answers to each prompt earned the same in every step: easier prompts, or SFT first"
    story.tell(PilotEnded(step=5, passed=False, findings=(finding,)), Finished(outcome="stopped", exit_code=75))
    return story.state.view(DEAD, now=story.at)


def rollouts(step: int) -> list[RolloutGroup]:
    """What the files of `rl` hold: one group without signal, one with an answer cut off."""
    thought = "Let me think about this step by step. " * 4

    def answer(text: str, reward: float, tokens: int = 14, stop: str = "stop") -> Rollout:
        return Rollout(text=text, reward=reward, tokens=tokens, stop=stop, numbers={"correct": reward, "format": 1.0})

    apples = "Natalia had 3 apples and bought 4 more. How many apples does she have now?"
    groups = [
        (apples, "7", (answer(f"{thought}\n#### 7", 1.0, 42), answer("#### 12", 0.0), answer("#### 7", 1.0, 5))),
        ("What is 2 + 2?", "4", (answer("#### 4", 1.0), answer("#### 4", 1.0, 9))),
        (
            "日本語で答えて: 3 * 3?",
            "9",
            (answer("九です \x1b[31m[bold]9[/bold]", 0.0), answer("9 " * 90, 0.0, 256, "length")),
        ),
    ]
    return [
        RolloutGroup(step=step, group=number, prompt=prompt, reference=reference, answers=answers)
        for number, (prompt, reference, answers) in enumerate(groups)
    ]
