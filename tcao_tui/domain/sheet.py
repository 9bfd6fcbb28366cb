"""The plan as it stands at one moment of the interview: every value with its origin, the gates, the cost, the hash.

Derived from draft and facts alone; the plan card, `tcao plan`, the LLM's tools and the approval all read this.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcao_tui.domain.cost import CostEstimate
from tcao_tui.domain.draft import Draft
from tcao_tui.domain.gates import GateResult
from tcao_tui.domain.plan import Plan, PriceQuote


@dataclass(frozen=True, slots=True)
class PlanSheet:
    """What a person consents to, or what still keeps them from it.

    Attributes:
        draft: Complete: what was said, and what policy adds, each with reason and source.
        plan: None while the schema gate fails.
        gates: One result per gate, in order.
        cost: None until the plan stands and its data is measured.
        approval_hash: None until nothing but the approval is missing.
    """

    draft: Draft
    plan: Plan | None
    gates: tuple[GateResult, ...]
    quote: PriceQuote | None
    cost: CostEstimate | None
    approval_hash: str | None

    @property
    def is_ready(self) -> bool:
        """Whether the plan may be approved."""
        return self.approval_hash is not None

    @property
    def blockers(self) -> tuple[GateResult, ...]:
        """Gates that keep the plan from being approved."""
        return tuple(g for g in self.gates if g.status in ("fail", "open") and g.gate != "approval")
