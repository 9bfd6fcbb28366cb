"""Which answers an update learned from: every group of answers is watched from its sampling to its training.

The loops export no text. So a watched group leaves its number in the log of its answers, and the loop's own export of
what it has trained hands that number back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from statistics import fmean, pstdev
from typing import Any

import tinker
from tinker_cookbook.rl.types import Env, EnvGroupBuilder, Metrics, Trajectory

from tcao_tui.domain.rollouts import Rollout, RolloutGroup

_GROUP_KEY = "tcao_group"
MOST_GROUPS, MOST_ANSWERS = 64, 16
"""Groups of a step, and answers of a group, whose texts are kept."""

MOST_PROMPT, MOST_TEXT = 2000, 4000
"""Characters kept of a prompt, from its end, and of an answer, from its start."""

MOST_CHARACTERS = 1_000_000
"""Of a step in all; the groups that would exceed it are left out."""

type Decode = Callable[[Sequence[int]], str]


@dataclass(frozen=True, slots=True)
class SampledGroup:
    """Answers to one prompt with their rewards; `metrics` are those of the group's own grading."""

    reference: str
    trajectories: Sequence[Trajectory]
    rewards: Sequence[float]
    metrics: Sequence[Metrics]

    @property
    def advantage_free(self) -> bool:
        """Whether all answers earned the same, so that the group teaches nothing."""
        return len(set(self.rewards)) <= 1


class Groups:
    """Groups of answers that were sampled and not yet trained."""

    def __init__(self) -> None:
        self._numbers = count()
        self._sampled: dict[int, SampledGroup] = {}

    def watched(self, builder: EnvGroupBuilder) -> EnvGroupBuilder:
        """The same group, watched; its `reference`, if it has one, is the wanted answer for people."""
        return _WatchedGroup(builder, self, next(self._numbers))

    def add(self, number: int, group: SampledGroup) -> None:
        """The group that was watched as `number` was sampled and graded; sampled anew, it replaces itself."""
        for trajectory in group.trajectories:
            trajectory.transitions[0].logs[_GROUP_KEY] = number
        self._sampled[number] = group

    def take(self, records: Iterable[Mapping[str, Any]]) -> list[SampledGroup]:
        """The groups that the loop's export names, each once; they are forgotten here."""
        numbers = dict.fromkeys(record["steps"][0]["logs"].get(_GROUP_KEY) for record in records)
        return [self._sampled.pop(number) for number in numbers if number in self._sampled]

    def take_all(self) -> list[SampledGroup]:
        """All groups in the order of their batch, for a loop that trains what it sampled; they are forgotten here."""
        taken = [self._sampled[number] for number in sorted(self._sampled)]
        self.forget()
        return taken

    def forget(self) -> None:
        """Drop groups that will never be trained."""
        self._sampled.clear()


class _WatchedGroup(EnvGroupBuilder):
    def __init__(self, builder: EnvGroupBuilder, groups: Groups, number: int) -> None:
        self._builder, self._groups, self._number = builder, groups, number

    async def make_envs(self) -> Sequence[Env]:
        return await self._builder.make_envs()

    async def compute_group_rewards(
        self, trajectory_group: list[Trajectory], env_group: Sequence[Env]
    ) -> list[tuple[float, Metrics]]:
        graded = await self._builder.compute_group_rewards(trajectory_group, env_group)
        rewards = [
            final + sum(transition.reward for transition in trajectory.transitions)
            for trajectory, (final, _) in zip(trajectory_group, graded, strict=True)
        ]
        reference = str(getattr(self._builder, "reference", ""))
        group = SampledGroup(reference, trajectory_group, rewards, [metrics for _, metrics in graded])
        self._groups.add(self._number, group)
        return graded

    async def cleanup(self) -> None:
        await self._builder.cleanup()

    def logging_tags(self) -> list[str]:
        return self._builder.logging_tags()


def group_values(groups: Sequence[SampledGroup]) -> dict[str, float]:
    """Rewards and lengths of a step's answers; empty when nothing was sampled."""
    if not groups:
        return {}
    rewards = [float(reward) for group in groups for reward in group.rewards]
    return {
        "reward_mean": fmean(rewards),
        "reward_std": pstdev(rewards),
        "zero_advantage_share": fmean(group.advantage_free for group in groups),
        **length_values(groups),
    }


def length_values(groups: Sequence[SampledGroup]) -> dict[str, float]:
    """How long a step's answers are, tokens, and the share of those that reached the limit."""
    answers = [trajectory for group in groups for trajectory in group.trajectories]
    return {
        "truncated_share": fmean(map(_is_cut_off, answers)),
        "answer_tokens": fmean(map(sampled_tokens, answers)),
    }


def as_rollouts(step: int, groups: Sequence[SampledGroup], decode: Decode) -> list[RolloutGroup]:
    """The groups for people, as many as are kept, their texts cut."""
    kept: list[RolloutGroup] = []
    characters = 0
    for number, group in enumerate(groups[:MOST_GROUPS]):
        rollouts = _rollouts(step, number, group, decode)
        characters += len(rollouts.prompt) + sum(len(answer.text) for answer in rollouts.answers)
        if kept and characters > MOST_CHARACTERS:
            break
        kept.append(rollouts)
    return kept


def _rollouts(step: int, number: int, group: SampledGroup, decode: Decode) -> RolloutGroup:
    answers = zip(group.trajectories[:MOST_ANSWERS], group.rewards, group.metrics, strict=False)
    return RolloutGroup(
        step=step,
        group=number,
        prompt=_text_of(group.trajectories[0].transitions[0].ob, decode)[-MOST_PROMPT:],
        reference=group.reference[:MOST_TEXT],
        answers=tuple(_rollout(trajectory, reward, metrics, decode) for trajectory, reward, metrics in answers),
    )


def _rollout(trajectory: Trajectory, reward: float, metrics: Metrics, decode: Decode) -> Rollout:
    numbers = {key: float(value) for turn in trajectory.transitions for key, value in turn.metrics.items()}
    numbers |= {key: float(value) for key, value in metrics.items()}
    return Rollout(
        text=_conversation(trajectory, decode)[:MOST_TEXT],
        reward=float(reward),
        tokens=sampled_tokens(trajectory),
        stop=trajectory.stop_reason or trajectory.transitions[-1].ac.stop_reason,
        numbers=numbers,
    )


def _conversation(trajectory: Trajectory, decode: Decode) -> str:
    """What was answered, and between the answers what the environment said."""
    texts: list[str] = []
    before = ""
    for number, turn in enumerate(trajectory.transitions):
        prompt, answer = _text_of(turn.ob, decode), decode(turn.ac.tokens)
        if number:
            texts.append(prompt.removeprefix(before))
        texts.append(answer)
        before = prompt + answer
    return "".join(texts)


def _text_of(prompt: tinker.ModelInput, decode: Decode) -> str:
    return "".join(
        decode(chunk.tokens) if isinstance(chunk, tinker.EncodedTextChunk) else "[image]" for chunk in prompt.chunks
    )


def sampled_tokens(trajectory: Trajectory) -> int:
    """Tokens of all its answers."""
    return sum(len(turn.ac.tokens) for turn in trajectory.transitions)


def _is_cut_off(trajectory: Trajectory) -> bool:
    return any(turn.ac.stop_reason == "length" for turn in trajectory.transitions)
