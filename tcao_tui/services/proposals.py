"""A plan on its way to a run: judged by the gates, consented to, carried out. One path for every front end.

Whether consent is enough is decided in `services.approve`; the hand-off to the worker is `services.launch`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.domain.cost import CostEstimate
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.plan import Plan, PriceQuote
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.errors import PlanInvalid, Refused
from tcao_tui.services import approve, launch
from tcao_tui.services.backends import Profile, ensure_engine
from tcao_tui.services.check import Examined, capped, draft_of, examine, obstacle
from tcao_tui.services.facts import Sources
from tcao_tui.services.start_from import require_start
from tcao_tui.store.port import Approval, RunStore


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person consents to; every gate but the approval is passed.

    Attributes:
        plan: Data named by content, the cap of the command line applied.
        hash: What an approval is bound to.
        facts: What was measured of its data and of the server.
    """

    plan: Plan
    profile: Profile
    quote: PriceQuote
    cost: CostEstimate
    hash: str
    sheet: PlanSheet
    facts: Facts

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What a person should know before consenting."""
        return tuple(f for gate in self.sheet.gates for f in gate.findings if f.severity == "warning")

    def rows(self, path: Path | None) -> int:
        """Rows of one of its data files, 0 for none."""
        profile = self.facts.profile(path)
        return profile.rows if profile is not None else 0

    def require_worker(self) -> None:
        """Raises `Refused` when no worker here can carry the plan's method out."""
        if self.plan.method not in self.facts.methods:
            raise Refused(
                f"the plan is in order, but no worker here can carry out method {self.plan.method} yet",
                where="method",
                next_step=f"keep the plan, or train with one of: {', '.join(self.facts.methods)}",
            )

    def consent(self, given: str | None, *, by: str, typed: bool = False) -> Approval:
        """The approval, when `given` is the hash, or "auto" where nothing can cost anything.

        Raises:
            NeedsInput: Consent is missing or for something else.
        """
        return approve.approve(self.plan, self.quote, given=given, by=by, at=time.time(), cost=self.cost, typed=typed)


def propose(
    plan: Plan,
    profile: Profile,
    *,
    max_cost_usd: float | None = None,
    known: Facts | None = None,
    measure: Sources | None = None,
) -> Proposal:
    """Judge a plan by all gates and find out what it may cost; spends nothing.

    Args:
        plan: As read.
        profile: Where it would run.
        max_cost_usd: A cap that lowers the plan's own, USD.
        known: Measured before, for a plan on the same server; nothing when None.
        measure: What measures; the real ones when None.

    Raises:
        PlanInvalid: A gate is not passed; names each problem with its fix.
        BudgetExceeded: The cap cannot hold what the plan is expected to cost.
        TcaoError: The server is away, so that the plan cannot be judged.
    """
    examined = examine(capped(draft_of(plan), max_cost_usd), profile, known=known, measure=measure)
    if (error := obstacle(examined)) is not None:
        raise error
    return _proposal(examined, profile)


def carry_out(store: RunStore, runs_root: Path, proposal: Proposal, approval: Approval) -> launch.LaunchResult:
    """Start the engine where it is the backend, make the run known and hand it to a worker.

    Raises:
        PlanInvalid: The checkpoint that it starts from cannot be loaded.
        Refused: No worker here can carry out the plan's method.
        TcaoError: The engine's or the worker's own error; a run whose worker did not start can be resumed.
    """
    proposal.require_worker()
    ensure_engine(proposal.profile)
    require_start(proposal.plan, proposal.profile)
    run_id = launch.create_run(
        store,
        runs_root,
        proposal.plan,
        profile_name=proposal.profile.name,
        quote=proposal.quote,
        approval=approval,
        cost=proposal.cost,
    )
    return launch.start_worker(store, runs_root, run_id)


def _proposal(examined: Examined, profile: Profile) -> Proposal:
    sheet = examined.sheet
    plan, quote, cost, wanted = sheet.plan, sheet.quote, sheet.cost, sheet.approval_hash
    if plan is None or quote is None or cost is None or wanted is None:
        raise PlanInvalid("the plan cannot be judged yet")
    return Proposal(plan, profile, quote, cost, wanted, sheet, examined.facts)
