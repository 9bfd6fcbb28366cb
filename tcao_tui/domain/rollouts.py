"""Answers that a policy was trained on, as they are kept for people to read: groups of one prompt each."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Rollout(_Part):
    """One answer to a prompt.

    Attributes:
        text: Decoded, special tokens included where the renderer leaves them.
        reward: Total reward; 0 in pure distillation.
        tokens: Sampled tokens.
        stop: `stop`, `length`, or the environment's own reason.
        numbers: What the environment measured: grader verdicts, format, KL.
    """

    text: str
    reward: float
    tokens: int
    stop: str = ""
    numbers: dict[str, float] = {}


class RolloutGroup(_Part):
    """The answers to one prompt at one step; `advantage_free` says that they all earned the same and taught nothing."""

    step: int
    group: int
    prompt: str
    reference: str = ""
    answers: tuple[Rollout, ...]

    @property
    def rewards(self) -> tuple[float, ...]:
        """Rewards in the order of the answers."""
        return tuple(answer.reward for answer in self.answers)

    @property
    def advantage_free(self) -> bool:
        """Whether all answers earned the same."""
        return len(set(self.rewards)) <= 1
