"""Which rollouts a person looks at, and in which order: best, worst, without signal, cut off, with a text. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tcao_tui.domain.rollouts import Rollout, RolloutGroup

CUT_OFF = "length"
"""`Rollout.stop` of an answer that ran into the limit of tokens."""


class Order(StrEnum):
    """Order of the groups and of the answers in them."""

    SAMPLED = "as sampled"
    BEST = "best first"
    WORST = "worst first"


class Only(StrEnum):
    """What is shown."""

    ALL = "all"
    NO_SIGNAL = "no signal"
    CUT_OFF = "cut off"


@dataclass(frozen=True, slots=True)
class ChosenGroup:
    """A whole group, and the answers of it that are shown."""

    group: RolloutGroup
    answers: tuple[Rollout, ...]


@dataclass(frozen=True, slots=True)
class RolloutChoice:
    """What a person wants to see.

    Attributes:
        only: `NO_SIGNAL` are groups whose answers all earned the same, `CUT_OFF` answers at the limit of tokens.
        search: Part of a prompt, which keeps all its answers, or of an answer; upper and lower case are the same.
    """

    order: Order = Order.SAMPLED
    only: Only = Only.ALL
    search: str = ""

    def of(self, groups: Iterable[RolloutGroup]) -> list[ChosenGroup]:
        """The groups that are wanted, each with the answers that are; groups without any are left out."""
        kept = [ChosenGroup(group, answers) for group in groups if (answers := self._answers(group))]
        match self.order:
            case Order.SAMPLED:
                return kept
            case Order.BEST:
                return sorted(kept, key=lambda chosen: -chosen.answers[0].reward)
            case Order.WORST:
                return sorted(kept, key=lambda chosen: chosen.answers[0].reward)

    def _answers(self, group: RolloutGroup) -> tuple[Rollout, ...]:
        answers = group.answers
        if self.only is Only.NO_SIGNAL and not group.advantage_free:
            return ()
        if self.only is Only.CUT_OFF:
            answers = tuple(answer for answer in answers if answer.stop == CUT_OFF)
        wanted = self.search.casefold()
        if wanted not in group.prompt.casefold():
            answers = tuple(answer for answer in answers if wanted in answer.text.casefold())
        if self.order is Order.SAMPLED:
            return answers
        return tuple(sorted(answers, key=lambda answer: answer.reward, reverse=self.order is Order.BEST))
