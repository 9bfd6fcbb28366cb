"""A plan on its way to a run: resolved, priced, estimated, consented to, carried out. One path for every front end.

Whether consent is enough is decided in `services.approve`; the hand-off to the worker is `services.launch`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tcao_tui.data.check import KIND_OF_METHOD, check_file, fields_of, score_fields
from tcao_tui.data.order import BatchOrder
from tcao_tui.domain.data_profile import FieldMap, RowKind
from tcao_tui.domain.plan import Plan, PriceQuote, approval_hash
from tcao_tui.errors import PlanInvalid
from tcao_tui.services import approve, launch, plans
from tcao_tui.services.backends import Profile, ensure_engine
from tcao_tui.services.quotes import quote_for
from tcao_tui.store.port import Approval, RunStore


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person consents to.

    Attributes:
        plan: Resolved: data named by content, the cap of the command line applied.
        sizes: Rows and bytes of its data files.
    """

    plan: Plan
    profile: Profile
    quote: PriceQuote
    sizes: approve.DataSizes
    cost: approve.Estimate

    @property
    def hash(self) -> str:
        """What an approval is bound to."""
        return approval_hash(self.plan, self.quote)

    def consent(self, given: str | None, *, by: str, typed: bool = False) -> Approval:
        """The approval, when `given` is the hash, or "auto" where nothing can cost anything.

        Raises:
            NeedsInput: Consent is missing or for something else.
            BudgetExceeded: The cap cannot hold what the plan is expected to cost.
        """
        return approve.approve(self.plan, self.quote, given=given, by=by, at=time.time(), cost=self.cost, typed=typed)


def propose(
    plan: Plan,
    profile: Profile,
    *,
    max_cost_usd: float | None = None,
    read_quote: Callable[[Profile, str], PriceQuote] = quote_for,
) -> Proposal:
    """Resolve a plan and find out what it may cost; spends nothing and starts nothing.

    Args:
        plan: As read.
        profile: Where it would run.
        max_cost_usd: A cap that lowers the plan's own, USD.
        read_quote: Finds the prices.

    Raises:
        PlanInvalid: Its data is missing, unreadable, has bad rows or is not what the plan was written for.
    """
    resolved = _capped(plans.resolve(plan), max_cost_usd)
    try:
        sizes = approve.measure(resolved)
    except OSError as error:
        raise PlanInvalid(f"cannot be read: {error.strerror}", where=str(error.filename)) from error
    check_rows(resolved)
    quote = read_quote(profile, resolved.training.base_model)
    return Proposal(resolved, profile, quote, sizes, approve.estimate(resolved, quote, sizes))


def check_rows(plan: Plan) -> None:
    """Read every row of a resolved plan's files, as the worker will, before anybody is asked for consent.

    Raises:
        PlanInvalid: Each bad row with file, line and fix, or fewer training rows than one batch.
    """
    config, score = plan.training, plan.evals.score
    fields, kind = fields_of(config), KIND_OF_METHOD.get(plan.method)
    rows = _good_rows(config.train_file, fields, kind)
    BatchOrder(rows, config.train_batch_size, config.seed)
    if config.val_file is not None:
        _good_rows(config.val_file, fields, kind)
    if score is not None:
        _good_rows(score.file, score_fields(config, score), None)


def _good_rows(path: Path, fields: FieldMap, kind: RowKind | None) -> int:
    report = check_file(path, fields, kind)
    report.raise_if_bad()
    return report.rows


def carry_out(store: RunStore, runs_root: Path, proposal: Proposal, approval: Approval) -> launch.LaunchResult:
    """Start the engine where it is the backend, make the run known and hand it to a worker.

    Raises:
        TcaoError: The engine's or the worker's own error; a run whose worker did not start can be resumed.
    """
    ensure_engine(proposal.profile)
    run_id = launch.create_run(
        store,
        runs_root,
        proposal.plan,
        profile_name=proposal.profile.name,
        quote=proposal.quote,
        approval=approval,
    )
    return launch.start_worker(store, runs_root, run_id)


def _capped(plan: Plan, max_cost_usd: float | None) -> Plan:
    if max_cost_usd is None:
        return plan
    own = plan.budget.max_cost_usd
    cap = max_cost_usd if own is None else min(own, max_cost_usd)
    return plan.model_copy(update={"budget": plan.budget.model_copy(update={"max_cost_usd": cap})})
