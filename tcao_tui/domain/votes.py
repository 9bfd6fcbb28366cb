"""What votes between two to four contenders show: counts, and whether chance explains them as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from tcao_tui.domain.chat import Conversation
from tcao_tui.domain.statistics.shares import sign_test, wilson

CHANCE = 0.05
"""A preference that chance gives this often or more rarely is called one."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two contenders held against each other by the votes for either; `better` has the more of them.

    Attributes:
        chance: How often chance alone gives a difference like this, corrected for the number of pairs (Bonferroni).
        low, high: 95 % interval of the share of the better one.
    """

    better: int
    worse: int
    wins: int
    losses: int
    chance: float
    low: float
    high: float

    @property
    def is_told(self) -> bool:
        """Whether the votes tell them apart."""
        return self.chance < CHANCE


@dataclass(frozen=True, slots=True)
class Tally:
    """Votes for each contender, and ties."""

    wins: tuple[int, ...]
    ties: int
    pairings: tuple[Pairing, ...]

    @property
    def count(self) -> int:
        """All votes, ties included."""
        return sum(self.wins) + self.ties

    @property
    def best(self) -> int | None:
        """The contender that is preferred to each other one; None when that cannot be told."""
        for each in range(len(self.wins)):
            beaten = {pair.worse for pair in self.pairings if pair.better == each and pair.is_told}
            if len(beaten) == len(self.wins) - 1 > 0:
                return each
        return None


def tally(conversation: Conversation) -> Tally:
    """Count the votes of a conversation."""
    votes = [each.vote for each in conversation.rounds if each.vote is not None]
    wins = tuple(votes.count(contender) for contender in range(len(conversation.contenders)))
    return Tally(wins, votes.count("tie"), _pairings(wins))


def _pairings(wins: Sequence[int]) -> tuple[Pairing, ...]:
    pairs = list(combinations(range(len(wins)), 2))
    found: list[Pairing] = []
    for one, other in pairs:
        better, worse = (one, other) if wins[one] >= wins[other] else (other, one)
        count = wins[one] + wins[other]
        chance = min(1.0, sign_test(wins[better], wins[worse]) * len(pairs))
        low, high = wilson(wins[better] / count, count) if count else (0.0, 1.0)
        found.append(Pairing(better, worse, wins[better], wins[worse], chance, low, high))
    return tuple(found)


def verdict(found: Tally, labels: Sequence[str]) -> str:
    """The votes in a sentence; that they tell nothing is an answer too."""
    if not found.count:
        return "no vote yet"
    counts = ", ".join(f"{label} {wins}" for label, wins in zip(labels, found.wins, strict=True))
    counted = f"{counts}, tie {found.ties}" if found.ties else counts
    if found.best is not None:
        pairs = [pair for pair in found.pairings if pair.better == found.best]
        weakest = max(pairs, key=lambda pair: pair.chance)
        return (
            f"{counted}: {labels[found.best]} is preferred, {weakest.low:.0%} to {weakest.high:.0%} of the votes "
            f"(sign test, p = {weakest.chance:.2g})"
        )
    closest = min(found.pairings, key=lambda pair: pair.chance)
    return f"{counted}: cannot tell which is better (sign test, p = {closest.chance:.2g})"
