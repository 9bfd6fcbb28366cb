"""What the model of an interview has used so far, for the meter and the limits; every counter is read once."""

from __future__ import annotations

from dataclasses import dataclass, field

from tcao_tui.clients.llm_port import LlmUsage
from tcao_tui.domain.interview import ModelTurn
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.settings import PlannerSettings


@dataclass(frozen=True, slots=True)
class LlmMeter:
    """Use of the model in one interview.

    Attributes:
        requests: Answers of the model, refusals included.
        context_tokens: Input of the last one, cached or not.
        used: All tokens by kind.
        usd: Cost of those whose price is known.
        has_unknown_cost: A price is not known, so that `usd` is too low: shown as "?".
        model: The one that answered last.
    """

    requests: int = 0
    context_tokens: int = 0
    used: LlmUsage = field(default_factory=LlmUsage)
    usd: float = 0.0
    has_unknown_cost: bool = False
    model: str = ""


def llm_meter(state: InterviewState) -> LlmMeter:
    """What was used so far."""
    turns = [entry for stored in state.transcript if isinstance(entry := stored.entry, ModelTurn) and entry.usage]
    if not turns:
        return LlmMeter()
    each = [_usage(turn) for turn in turns]
    used = LlmUsage(
        sum(one.input_tokens for one in each),
        sum(one.cache_creation_input_tokens for one in each),
        sum(one.cache_read_input_tokens for one in each),
        sum(one.output_tokens for one in each),
    )
    return LlmMeter(
        requests=len(turns),
        context_tokens=each[-1].context_tokens,
        used=used,
        usd=sum(turn.usd or 0.0 for turn in turns),
        has_unknown_cost=any(turn.usd is None for turn in turns),
        model=turns[-1].model,
    )


def over_limit(state: InterviewState, settings: PlannerSettings) -> str | None:
    """Which limit of the settings the interview has reached; None while it may go on."""
    meter = llm_meter(state)
    if meter.requests >= settings.max_requests:
        return f"{meter.requests} requests were made, and planner.max_requests is {settings.max_requests}"
    if meter.used.all_tokens >= settings.max_tokens:
        return f"{meter.used.all_tokens:,} tokens were used, and planner.max_tokens is {settings.max_tokens:,}"
    if meter.usd >= settings.max_cost_usd:
        return f"the model cost ${meter.usd:.2f}, and planner.max_cost_usd is ${settings.max_cost_usd:.2f}"
    return None


def _usage(turn: ModelTurn) -> LlmUsage:
    known = LlmUsage.__dataclass_fields__
    return LlmUsage(**{name: count for name, count in turn.usage.items() if name in known})
