"""What a resumed run does not repeat exactly, and how many batches that may touch. Pure; said in `Resumed`."""

from __future__ import annotations

from dataclasses import dataclass

from tcao_tui.domain.checkpoints import CheckpointRecord
from tcao_tui.domain.method_params import RlParams
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import Plan

_DRAWN_ANEW = "prompts are repeated exactly, answers are drawn anew"
_CUT_SHORT = frozenset({"requested", "pause", "stop"})
"""Reasons of checkpoints that did not wait for what was sampled ahead."""


@dataclass(frozen=True, slots=True)
class Replays:
    """What is not exactly repeated, for people; "" when all of it is.

    Attributes:
        batches: Batches at most that are trained twice or left out.
    """

    what: str = ""
    batches: int = 0


def replays_of(plan: Plan, point: CheckpointRecord | None) -> Replays:
    """What a resume from `point`, None being the start, does not repeat exactly."""
    step = 0 if point is None else point.step
    present = next((stage.plan for stage in stage_plans(plan) if step < stage.last_step), plan)
    match present.method:
        case "rl":
            ahead = (present.rl or RlParams()).max_steps_off_policy
        case "distill" if present.distill is not None and present.distill.mode == "on_policy":
            ahead = 0
        case _:
            return Replays()
    if not ahead or point is None or point.reason not in _CUT_SHORT:
        return Replays(_DRAWN_ANEW)
    return Replays(
        f"answers are drawn anew; of what was sampled ahead when the run was stopped, up to {ahead} batches are "
        "trained twice or left out",
        ahead,
    )
