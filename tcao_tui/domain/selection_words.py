"""The selection rule in words: what it was given, what it found, and why."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from tcao_tui.domain.eval_words import gain_text
from tcao_tui.domain.statistics.guards import LOSS_MARGIN
from tcao_tui.domain.statistics.verdict import ALPHA, MOST_UNUSABLE, Judged, Task, Verdict

if TYPE_CHECKING:
    from tcao_tui.domain.selection import Evidence

NO_GOAL = "no task of layer 3 was evaluated and no other one was named as the goal, so nothing decides"


def ruling(one: Judged, verdict: Verdict) -> str:
    """Why a checkpoint was left out, or what speaks for it."""
    if one.why:
        return one.why
    told = f"{gain_text(one.gain)} on {one.gain.items:,} items, p {one.p_value:.2g}"
    if one.checkpoint == verdict.recommended and verdict.alike:
        return f"{told}; the earliest of those that cannot be told from the best"
    if one.checkpoint in verdict.alike and verdict.outcome == "better":
        return f"{told}; cannot be told from {verdict.recommended}"
    return told


def goal_line(task: Task, why: str, base: str) -> str:
    """Which task decides."""
    direction = "" if task.higher_is_better else ", lower is better"
    return f"Goal: {task.name} ({why}{direction}), {len(task.scores.get(base, {})):,} items, each against {base}."


def comparable_line(parts: Sequence[Evidence], accepted: Collection[str]) -> str:
    """What is left out before anything is compared."""
    names = [part.spec.name for part in parts if part.spec.name in accepted]
    told = f" A person accepted that of {', '.join(names)}." if names else ""
    limit = f"{MOST_UNUSABLE * 100:g} points"
    return f"Left out: what is not done, or lost (errors, no grade, cut off) {limit} more or less than the base.{told}"


def layer_1_line(held_out: Task, gaps: str) -> str:
    """What over-fitting is, and the gap to the loss on training rows."""
    told = f" Gap to the loss on training rows: {gaps}." if gaps else ""
    return (
        f"Layer 1: {held_out.name} must not be clearly, and by {LOSS_MARGIN:.0%}, above that of the base or of an "
        f"earlier checkpoint, row by row.{told}"
    )


def guards_line(names: Sequence[str], accepted: Collection[str]) -> str:
    """What must not get worse."""
    told = f" A person accepted: {', '.join(sorted(accepted))}." if accepted else ""
    if not names:
        return f"Layer 2 and guardrails: none was evaluated that counts.{told}"
    return (
        f"Layer 2 and guardrails: {', '.join(names)} must not be clearly worse than those of the base, or of another "
        f"checkpoint that could be used.{told}"
    )


def verdict_lines(verdict: Verdict, base: str, candidates: int) -> Iterator[str]:
    """How it was chosen, what it gained where choosing did not look, and what could have been found."""
    yield (
        f"Better: p below {ALPHA:.2g} against {base}, corrected over {candidates} checkpoints (Holm); of those the "
        "best on one half of the items, or an earlier one that cannot be told from it."
    )
    left = sum(one.outcome != "left out" for one in verdict.judged)
    if verdict.unseen is not None:
        yield (
            f"{verdict.champion} is the best of {left} left in: {gain_text(verdict.unseen)} "
            f"on {verdict.unseen.items:,} items{' that choosing did not see' if left > 1 else ''}."
        )
    taken = next((one for one in verdict.judged if one.checkpoint == verdict.recommended), None)
    if taken is not None and taken.gain.mean < taken.gain.detectable(comparisons=candidates):
        yield "Its gain is so near to what can be found at all that it is likely smaller than it looks."
    known = [value for one in verdict.judged if math.isfinite(value := one.gain.detectable(comparisons=candidates))]
    if known:
        yield f"A true difference of {max(known):.3f} would be found in 4 of 5 cases on these items."
    if verdict.more_items:
        yield f"{verdict.more_items:,} items in all would tell, were the gain what it seems."
