"""A proposal as a person reads it before consenting. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import count_text, money_text, number_text
from tcao_tui.tui.ports import PlanPreview

if TYPE_CHECKING:
    from tcao_tui.services.approve import Estimate
    from tcao_tui.services.proposals import Proposal


def preview_of(path: Path, proposal: Proposal) -> PlanPreview:
    """The summary of a proposal; a cap that cannot hold the plan is a problem."""
    plan, cost = proposal.plan, proposal.cost
    cap = plan.budget.max_cost_usd
    problems: list[str] = []
    if cap is not None and (cost.expected_usd is None or cost.expected_usd > cap):
        problems.append(f"the cap of {money_text(cap)} cannot hold the estimate; raise it, or train fewer steps")
    return PlanPreview(
        path=path,
        name=plan.training.run_name,
        facts=_facts(proposal),
        estimate=_estimate(proposal),
        problems=tuple(problems),
        is_free=proposal.quote.is_free,
        handle=proposal,
    )


def _facts(proposal: Proposal) -> tuple[tuple[str, str], ...]:
    plan, sizes = proposal.plan, proposal.sizes
    config = plan.training
    facts = [
        ("goal", plan.goal or "(none given)"),
        ("method", f"{plan.method}, LoRA rank {config.lora_rank}"),
        ("model", config.base_model),
        ("backend", f"{proposal.profile.name} ({proposal.profile.why})"),
        ("training", f"{config.train_file.name}, {sizes.train.rows:,} rows"),
    ]
    if sizes.val is not None and config.val_file is not None:
        facts.append(("validation", f"{config.val_file.name}, {sizes.val.rows:,} rows"))
    if sizes.score is not None and plan.evals.score is not None:
        facts.append(("score", f"{plan.evals.score.file.name}, {sizes.score.rows:,} rows, {plan.evals.score.grader}"))
    facts.append(
        (
            "steps",
            f"{config.num_steps:,} of {config.train_batch_size:,} rows, learning rate "
            f"{number_text(config.learning_rate)}",
        )
    )
    facts.append(("approval", proposal.hash))
    return tuple((label, one_line(text)) for label, text in facts)


def _estimate(proposal: Proposal) -> tuple[tuple[str, str], ...]:
    cost, cap = proposal.cost, proposal.plan.budget.max_cost_usd
    lines = [
        ("cost", _cost(cost, proposal.quote.is_free)),
        ("tokens", f"{count_text(cost.expected.train)} trained, {count_text(cost.expected.sample)} sampled"),
        ("cap", "none" if cap is None else f"{money_text(cap)}: the worker stops there with a checkpoint"),
        ("prices", proposal.quote.source),
        ("estimate", cost.method),
        *(("not in it", text) for text in cost.not_counted),
    ]
    return tuple((label, one_line(text)) for label, text in lines)


def _cost(cost: Estimate, is_free: bool) -> str:
    if is_free:
        return "$0.00, this backend is free"
    if cost.expected_usd is None:
        return "unknown: the prices of this backend are not known"
    return f"{money_text(cost.expected_usd)} expected, {money_text(cost.low_usd)} to {money_text(cost.high_usd)}"
