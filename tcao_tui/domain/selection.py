"""Which checkpoint to use, by all three layers: the rule of the product, with its inputs and each exclusion in words.

1. The goal is one task: the plan's measure of success, else the first of layer 3; or several by weights.
2. Left out is what cannot be compared on it: cells that are not done, shares of lost answers that differ.
3. Layer 1: no clear over-fitting. Layer 2 and guardrails: not clearly worse than the base, nor than another checkpoint
   that could be used, unless a person accepted that.
4. Of the rest `statistics.verdict` chooses on one half of the items, quotes the other half, and may say "cannot tell".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tcao_tui.domain import selection_words as words
from tcao_tui.domain.eval_matrix import Ruling, Selection
from tcao_tui.domain.evaluation import EvalTask
from tcao_tui.domain.held_out import FALLING_METRICS
from tcao_tui.domain.statistics.goals import trade_offs, weighted
from tcao_tui.domain.statistics.guards import gap_words, outdone, over_fitted
from tcao_tui.domain.statistics.verdict import Task, Verdict, decide


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks of the rule.

    Attributes:
        goal: Name of the task that decides, or of a held-out loss of training; empty for the first of layer 3.
        accepted: Names of tasks whose loss, or whose lost answers, a person accepts.
        weights: Of several goals, by the tasks' names, above zero; they take the place of `goal`.
        seed: Of the split into items to choose by and items to quote.
    """

    goal: str = ""
    accepted: frozenset[str] = frozenset()
    weights: Mapping[str, float] = field(default_factory=dict[str, float])
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one task.

    Attributes:
        scores: Of every subject that was evaluated to its end, and of no other.
        gaps: Subjects whose answers were lost more or less often than the base's, and how.
    """

    spec: EvalTask
    scores: Task
    gaps: Mapping[str, str]

    @property
    def is_guard(self) -> bool:
        """Whether a clear loss on it speaks against a subject: layer 2, and what must not get worse."""
        return self.spec.layer != 1 and (self.spec.layer == 2 or self.spec.is_guardrail)

    @property
    def is_held_out(self) -> bool:
        """Whether it shows over-fitting."""
        return self.spec.layer == 1 and self.spec.is_guardrail


@dataclass(frozen=True, slots=True)
class _Goal:
    task: Task
    parts: Sequence[Evidence]
    why: str


@dataclass(frozen=True, slots=True)
class _Case:
    """One application of the rule."""

    goal: _Goal
    guards: Sequence[Evidence]
    held_out: Sequence[Evidence]
    base: str
    candidates: Sequence[str]
    wishes: Wishes

    def verdict(self) -> Verdict:
        """The verdict; candidates that another one that could be used outdoes on a guardrail are left out of it."""
        excluded = self._excluded()
        first = self._decide(excluded)
        guards = [one.scores for one in self.guards]
        beaten = outdone(guards, [one.checkpoint for one in first.judged if one.outcome == "better"])
        return self._decide({**beaten, **excluded}) if beaten else first

    def _decide(self, excluded: Mapping[str, str]) -> Verdict:
        return decide(
            self.goal.task,
            self.candidates,
            self.base,
            guardrails=[one.scores for one in self.guards],
            excluded=excluded,
            seed=self.wishes.seed,
        )

    def _excluded(self) -> dict[str, str]:
        """Candidates that are left out before anything is compared on the goal, and why."""
        found: dict[str, str] = {}
        for one in self.held_out:
            found |= over_fitted(one.scores, self.candidates, self.base)
        parts = [part for part in self.goal.parts if part.spec.name not in self.wishes.accepted]
        for one in [*self.guards, *parts]:
            found |= {name: f"{one.spec.name}: {gap}" for name, gap in one.gaps.items()}
        for part in self.goal.parts:
            missing = [name for name in self.candidates if not part.scores.scores.get(name)]
            found |= dict.fromkeys(missing, f"{part.spec.name} is not done")
        return found


def select(base: str, candidates: Sequence[str], evidence: Sequence[Evidence], wishes: Wishes) -> Selection:
    """Apply the rule of this module.

    Args:
        base: What the candidates are held against.
        candidates: Names of checkpoints, earlier and cheaper ones first.
        evidence: Of every task.
        wishes: What a person asks of it.
    """
    goal = _goal(evidence, wishes)
    if goal is None:
        return _undecided(base, candidates)
    counted = wishes.accepted | {part.spec.name for part in goal.parts}
    left = [one for one in evidence if one.spec.name not in counted]
    case = _Case(
        goal, [one for one in left if one.is_guard], [one for one in left if one.is_held_out], base, candidates, wishes
    )
    verdict = case.verdict()
    goals = [one.scores for one in evidence if one.spec.name in (wishes.weights or _all_goals(evidence))]
    return Selection(
        goal=goal.task.name,
        recommended=verdict.recommended,
        sure=verdict.outcome,
        quoted=verdict.quoted,
        alike=verdict.alike,
        more_items=verdict.more_items,
        rulings=tuple(Ruling(one.checkpoint, one.outcome, words.ruling(one, verdict)) for one in verdict.judged),
        rule=tuple(_rule(case, verdict, evidence)),
        trade_offs=trade_offs(goals, [base, *candidates]) if len(goals) > 1 else (),
    )


def _rule(case: _Case, verdict: Verdict, evidence: Sequence[Evidence]) -> Iterator[str]:
    yield words.goal_line(case.goal.task, case.goal.why, case.base)
    yield words.comparable_line(case.goal.parts, case.wishes.accepted)
    for one in case.held_out:
        yield words.layer_1_line(one.scores, _gaps(evidence, one, [case.base, *case.candidates]))
    yield words.guards_line([one.spec.name for one in case.guards], case.wishes.accepted)
    yield from words.verdict_lines(verdict, case.base, len(case.candidates))


def _goal(evidence: Sequence[Evidence], wishes: Wishes) -> _Goal | None:
    by_name = {one.spec.name: one for one in evidence}
    if wishes.weights:
        parts = [by_name[name] for name in wishes.weights if name in by_name]
        return _Goal(weighted([one.scores for one in parts], wishes.weights), parts, "by weights") if parts else None
    held_out = [one.spec.name for one in evidence if one.is_held_out and wishes.goal in FALLING_METRICS]
    if (name := next(iter(held_out), wishes.goal)) in by_name:
        return _Goal(by_name[name].scores, [by_name[name]], "what counts as success")
    why = f"{wishes.goal} was not evaluated; the first task of layer 3" if wishes.goal else "the first task of layer 3"
    return next((_Goal(by_name[name].scores, [by_name[name]], why) for name in _all_goals(evidence)), None)


def _all_goals(evidence: Sequence[Evidence]) -> list[str]:
    return [one.spec.name for one in evidence if one.spec.layer == 3 and not one.spec.is_guardrail]


def _gaps(evidence: Sequence[Evidence], held_out: Evidence, names: Sequence[str]) -> str:
    """The gap to the loss on training rows, where that is known."""
    trained_on = [one for one in evidence if one.spec.layer == 1 and not one.spec.is_guardrail]
    return next((gap_words(held_out.scores, one.scores, names) for one in trained_on), "")


def _undecided(base: str, candidates: Sequence[str]) -> Selection:
    return Selection(
        goal="",
        recommended=base,
        sure="cannot tell",
        quoted=None,
        alike=(),
        more_items=None,
        rulings=tuple(Ruling(name, "cannot tell", words.NO_GOAL) for name in candidates),
        rule=(words.NO_GOAL,),
    )
