"""Which checkpoint is best, and how sure that is: the selection rule of the product, with each exclusion named.

1. A checkpoint that lost more answers than the base (errors, no grade, cut off) cannot be compared and is left out.
2. One that is clearly worse than the base on a guardrail is vetoed.
3. The best on a selection split of the goal's items is the champion; an earlier checkpoint that cannot be told from it
   there, and is itself better than the base, is taken instead, since it is cheaper and less fitted. A single one is not
   chosen among others, so that all items say how good it is.
4. "Better" needs a corrected p value over all checkpoints; the difference that is quoted is of the items that choosing
   did not see. Otherwise the answer is "cannot tell", and how many more items would tell.

Choosing does not flatter what is quoted, but that something was called better at all does, where that was luck: of ten
checkpoints that gain 5, 10 and 20 points, found in 30, 87 and 100 % of cases, by 6, 2 and 0 points (200 items).

Out of scope: layers, several goals and losses that a person accepted, which `domain.selection` adds.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal

from tcao_tui.domain.statistics.paired import Difference, ItemScore, compare, holm
from tcao_tui.domain.statistics.shares import CONFIDENCE

ALPHA = 1 - CONFIDENCE

MOST_UNUSABLE = 0.02
"""Largest gap between two shares of unusable answers that still lets scores be compared."""

Outcome = Literal["better", "worse", "cannot tell", "left out"]

type Scores = Mapping[str, ItemScore]


@dataclass(frozen=True, slots=True)
class Task:
    """One eval over all checkpoints, on the same items.

    Attributes:
        scores: By checkpoint, then by item.
        unusable: Share of a checkpoint's answers that errored, have no grade or were cut off, 0 to 1.
        higher_is_better: Direction of the score.
    """

    name: str
    scores: Mapping[str, Scores]
    unusable: Mapping[str, float] = field(default_factory=dict[str, float])
    higher_is_better: bool = True

    def gain(self, candidate: str, base: str, among: Collection[str] | None = None) -> Difference:
        """`candidate` against `base`, above zero when it is better; over `among`, or all items."""
        ours, theirs = (_among(self.scores.get(name, {}), among) for name in (candidate, base))
        return compare(ours, theirs) if self.higher_is_better else compare(theirs, ours)

    def level(self, checkpoint: str, among: Collection[str]) -> float:
        """Mean score over graded items of `among`, above is better; minus infinity without any."""
        values = [s.value for s in _among(self.scores.get(checkpoint, {}), among).values() if s.value is not None]
        return (fmean(values) if self.higher_is_better else -fmean(values)) if values else -math.inf


@dataclass(frozen=True, slots=True)
class Judged:
    """One checkpoint against the base.

    Attributes:
        gain: On the goal, all items; above zero is better.
        p_value: Corrected over all checkpoints (Holm).
        why: For people, when it was left out.
    """

    checkpoint: str
    gain: Difference
    p_value: float
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer.

    Attributes:
        recommended: The checkpoint to use; the base where nothing is better as far as can be told.
        quoted: Its gain over the base on items that choosing did not see; None for the base.
        alike: Further checkpoints that cannot be told from it.
        more_items: Items in all that would tell the best-looking one from the base, were its gain what it seems; else
            None.
        champion: The best on the items to choose by, of those that were not left out; empty without one.
        unseen: The champion's gain over the base on items that choosing did not see, whatever the outcome.
    """

    recommended: str
    outcome: Outcome
    quoted: Difference | None
    alike: tuple[str, ...]
    judged: tuple[Judged, ...]
    more_items: int | None
    champion: str = ""
    unseen: Difference | None = None


def decide(
    goal: Task,
    checkpoints: Sequence[str],
    base: str,
    *,
    guardrails: Sequence[Task] = (),
    excluded: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Verdict:
    """Apply the rule of this module.

    Args:
        goal: What the model is for.
        checkpoints: Candidates, earlier and cheaper ones first.
        base: What they are held against.
        guardrails: Tasks that must not get worse.
        excluded: Checkpoints that are left out for other reasons, with the reason.
        seed: Of the split into items to choose by and items to quote.
    """
    judged = _judge(goal, checkpoints, base, guardrails, excluded or {})
    standing = [one.checkpoint for one in judged if one.outcome != "left out"]
    better = [one.checkpoint for one in judged if one.outcome == "better"]
    choosing, quoting = split_items(goal.scores.get(base, {}), seed)
    if len(standing) == 1:
        choosing = quoting = choosing | quoting
    champion = max(better or standing, key=lambda name: goal.level(name, choosing), default="")
    unseen = goal.gain(champion, base, quoting) if champion else None
    if not better:
        alike = tuple(one.checkpoint for one in judged if one.outcome == "cannot tell")
        sure: Outcome = "better" if all(one.outcome == "worse" for one in judged) else "cannot tell"
        return Verdict(base, sure, None, alike, judged, _more_items(judged), champion, unseen)
    alike = _alike(goal, champion, better, choosing)
    recommended = next(name for name in better if name in alike)
    return Verdict(
        recommended,
        "better",
        goal.gain(recommended, base, quoting),
        tuple(name for name in alike if name != recommended),
        judged,
        None,
        champion,
        unseen,
    )


def _more_items(judged: Sequence[Judged]) -> int | None:
    left = [one for one in judged if one.outcome == "cannot tell" and one.gain.mean > 0]
    seeming = max(left, key=lambda one: one.gain.mean, default=None)
    return None if seeming is None else seeming.gain.items_to_detect(seeming.gain.mean, comparisons=len(judged))


def _judge(
    goal: Task, checkpoints: Sequence[str], base: str, guardrails: Sequence[Task], excluded: Mapping[str, str]
) -> tuple[Judged, ...]:
    gains = [goal.gain(name, base) for name in checkpoints]
    corrected = holm([gain.p_value for gain in gains])
    vetoes = _vetoes(guardrails, checkpoints, base)
    return tuple(
        Judged(name, gain, p_value, "left out", why)
        if (why := excluded.get(name) or _incomparable([goal, *guardrails], name, base) or vetoes.get(name, ""))
        else Judged(name, gain, p_value, outcome(gain, p_value))
        for name, gain, p_value in zip(checkpoints, gains, corrected, strict=True)
    )


def outcome(gain: Difference, p_value: float) -> Outcome:
    """What a gain says, by its corrected p value."""
    if p_value >= ALPHA:
        return "cannot tell"
    return "better" if gain.mean > 0 else "worse"


def _incomparable(tasks: Sequence[Task], name: str, base: str) -> str:
    for task in tasks:
        ours, theirs = task.unusable.get(name, 0.0), task.unusable.get(base, 0.0)
        if abs(ours - theirs) > MOST_UNUSABLE:
            return f"{task.name}: {ours:.1%} of its answers are unusable, {theirs:.1%} of the base's"
    return ""


def _vetoes(guardrails: Sequence[Task], checkpoints: Sequence[str], base: str) -> dict[str, str]:
    """Checkpoints that are clearly worse on a guardrail; corrected over all checkpoints and guardrails."""
    pairs = [(task, name, task.gain(name, base)) for task in guardrails for name in checkpoints]
    corrected = holm([gain.p_value for _, _, gain in pairs])
    return {
        name: f"{task.name} is clearly worse: {gain.mean:+.3g}, p {p_value:.2g}"
        for (task, name, gain), p_value in zip(pairs, corrected, strict=True)
        if p_value < ALPHA and gain.mean < 0
    }


def _alike(goal: Task, champion: str, better: Sequence[str], choosing: Collection[str]) -> tuple[str, ...]:
    others = [name for name in better if name != champion]
    corrected = holm([goal.gain(champion, name, choosing).p_value for name in others])
    told_apart = {name for name, p_value in zip(others, corrected, strict=True) if p_value < ALPHA}
    return tuple(name for name in better if name not in told_apart)


def split_items(items: Mapping[str, ItemScore], seed: int) -> tuple[frozenset[str], frozenset[str]]:
    """Halves to choose by and to quote, the same for the same items; groups are not torn apart."""

    def first_half(key: str) -> bool:
        group = items[key].cluster or key
        return hashlib.sha256(f"{seed}\0{group}".encode()).digest()[0] % 2 == 0

    choosing = frozenset(key for key in items if first_half(key))
    return choosing, frozenset(items) - choosing


def _among(scores: Scores, among: Collection[str] | None) -> Scores:
    return scores if among is None else {key: score for key, score in scores.items() if key in among}
