"""Groups of answers between their sampling and their training, and what of them is kept for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import tinker
from tinker_cookbook.completers import TokensWithLogprobs
from tinker_cookbook.rl.types import Env, EnvGroupBuilder, Metrics, Trajectory, Transition

from tcao_tui.methods.loops import groups as kept
from tcao_tui.methods.loops.groups import Groups, SampledGroup, as_rollouts, group_values


def decode(tokens: Sequence[int]) -> str:
    return "".join(map(chr, tokens))


def turn(prompt: str, answer: str, *, stop: Any = "stop", reward: float = 0.0) -> Transition:
    action = TokensWithLogprobs([ord(c) for c in answer], [0.0] * len(answer), stop_reason=stop)
    ob = tinker.ModelInput.from_ints([ord(c) for c in prompt])
    return Transition(ob, action, reward, episode_done=True, metrics={"seen": len(prompt)})


def answered(*turns: Transition) -> Trajectory:
    return Trajectory(list(turns), tinker.ModelInput.empty())


def sampled(*rewards: float, text: str = "yes") -> SampledGroup:
    return SampledGroup("r", [answered(turn("q", text)) for _ in rewards], rewards, [{} for _ in rewards])


class Fixed(EnvGroupBuilder):
    reference = "wanted"

    async def make_envs(self) -> Sequence[Env]:
        return []

    async def compute_group_rewards(
        self, trajectory_group: list[Trajectory], env_group: Sequence[Env]
    ) -> list[tuple[float, Metrics]]:
        return [(0.5, {"final": 1.0}) for _ in trajectory_group]


def exported(*trajectories: Trajectory) -> list[dict[str, Any]]:
    """What a loop exports of trained answers, as far as it is looked at."""
    return [{"steps": [{"logs": trajectory.transitions[0].logs}]} for trajectory in trajectories]


async def test_trained_groups_are_found_again_in_the_order_in_which_they_were_trained() -> None:
    groups = Groups()
    first, second = [answered(turn("a", "x", reward=1.0))], [answered(turn("b", "y"))]
    for trajectories in (first, second):
        await groups.watched(Fixed()).compute_group_rewards(trajectories, [])
    found = groups.take(exported(*second, *first))
    assert [(group.reference, list(group.rewards)) for group in found] == [("wanted", [0.5]), ("wanted", [1.5])]
    assert groups.take(exported(*second)) == []


async def test_groups_stand_in_the_order_of_their_batch_whichever_was_answered_first() -> None:
    groups = Groups()
    batch = [groups.watched(Fixed()) for _ in range(2)]
    await batch[1].compute_group_rewards([answered(turn("b", "y"))], [])
    await batch[0].compute_group_rewards([answered(turn("a", "x", reward=1.0))], [])
    assert [list(group.rewards) for group in groups.take_all()] == [[1.5], [0.5]]
    assert groups.take_all() == []


async def test_groups_that_will_never_be_trained_are_forgotten() -> None:
    groups = Groups()
    trajectory = answered(turn("a", "x"))
    await groups.watched(Fixed()).compute_group_rewards([trajectory], [])
    groups.forget()
    assert groups.take(exported(trajectory)) == []


def test_values_say_what_was_earned_and_what_teaches_nothing() -> None:
    cut = SampledGroup("", [answered(turn("q", "long", stop="length"))], [0.0], [{}])
    assert group_values([sampled(1.0, 0.0, 0.0), sampled(1.0, 1.0), cut]) == {
        "reward_mean": 0.5,
        "reward_std": 0.5,
        "zero_advantage_share": pytest.approx(2 / 3),
        "truncated_share": pytest.approx(1 / 6),
        "answer_tokens": pytest.approx(19 / 6),
    }
    assert group_values([]) == {}


def test_of_several_turns_the_text_holds_what_was_said_in_between() -> None:
    game = answered(turn("guess>", "5"), turn("guess>5 higher>", "7"))
    [group] = as_rollouts(3, [SampledGroup("7", [game], [1.0], [{"won": 1.0}])], decode)
    [answer] = group.answers
    assert (group.prompt, answer.text, answer.tokens) == ("guess>", "5 higher>7", 2)
    assert answer.numbers == {"seen": 15.0, "won": 1.0}


def test_what_is_kept_of_a_step_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [sampled(*([0.0] * 40), text="a" * 5000) for _ in range(3)]
    [first, *_] = as_rollouts(1, many, decode)
    assert (len(first.answers), len(first.answers[0].text)) == (kept.MOST_ANSWERS, kept.MOST_TEXT)
    monkeypatch.setattr(kept, "MOST_CHARACTERS", 2 * kept.MOST_ANSWERS * kept.MOST_TEXT + 10)
    assert len(as_rollouts(1, many, decode)) == 2
    monkeypatch.setattr(kept, "MOST_CHARACTERS", 1)
    assert len(as_rollouts(1, many, decode)) == 1
