"""How far the student is from its teachers, by answer and by update: reverse KL, nats per token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinker_cookbook.rl.types import Transition

from tcao_tui.methods.distill.teachers import Teacher
from tcao_tui.methods.loops.groups import Groups, SampledGroup, length_values
from tcao_tui.methods.loops.tap import Settled


def reverse_kl(student: Sequence[float], teacher: Sequence[float | None]) -> float:
    """Sum over an answer of log p(student) - log p(teacher), nats.

    Args:
        student: Logprobs of the answer's tokens when they were sampled.
        teacher: Logprobs of a sequence that ends with these tokens.
    """
    judged = teacher[len(teacher) - len(student) :]
    return sum(own - (other or 0.0) for own, other in zip(student, judged, strict=True))


@dataclass(frozen=True, slots=True)
class Scores:
    """What the teachers said of the answers of an update; single-turn answers, each scored before it was trained."""

    groups: Groups
    teachers: Sequence[Teacher]

    def settle(self, update: int) -> Settled:
        """The answers of this update, each with its closeness to the teacher as its reward, and what they cost."""
        said = {tokens: found for teacher in self.teachers for tokens, found in teacher.scored.items()}
        spends = [spend for teacher in self.teachers for spend in teacher.take_spends(update)]
        for teacher in self.teachers:
            teacher.scored.clear()
        groups = [_with_closeness(group, said) for group in self.groups.take_all()]
        turns = [trajectory.transitions[0] for group in groups for trajectory in group.trajectories]
        cached = sum(turn.ac.prompt_cache_hit_tokens for turn in turns)
        numbers = {
            **length_values(groups),
            "tokens/sampled": sum(len(turn.ac.tokens) for turn in turns),
            "tokens/prefill_cached": cached,
            "tokens/prefill_uncached": sum(turn.ob.length for turn in turns) - cached,
            "tokens/trained": sum(turn.ob.length + len(turn.ac.tokens) - 1 for turn in turns),
        }
        return Settled(groups, numbers, spends)


def _with_closeness(group: SampledGroup, said: dict[tuple[int, ...], Sequence[float | None]]) -> SampledGroup:
    found = [_kl_per_token(trajectory.transitions[0], said) for trajectory in group.trajectories]
    return replace(group, rewards=[-kl for kl in found], metrics=[{"teacher_kl": kl} for kl in found])


def _kl_per_token(turn: Transition, said: dict[tuple[int, ...], Sequence[float | None]]) -> float:
    judged = said.get((*turn.ob.to_ints(), *turn.ac.tokens))
    return 0.0 if judged is None or not turn.ac.tokens else reverse_kl(turn.ac.logprobs, judged) / len(turn.ac.tokens)
