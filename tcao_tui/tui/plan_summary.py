"""A proposal as a person reads it before consenting. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import money_text, number_text
from tcao_tui.errors import Refused
from tcao_tui.tui.ports import PlanPreview

if TYPE_CHECKING:
    from tcao_tui.domain.cost import CostEstimate
    from tcao_tui.services.proposals import Proposal


def preview_of(path: Path, proposal: Proposal) -> PlanPreview:
    """The summary of a proposal; a method that no worker can carry out is a problem."""
    return PlanPreview(
        path=path,
        name=proposal.plan.training.run_name,
        facts=_facts(proposal),
        estimate=_estimate(proposal),
        problems=_problems(proposal),
        is_free=proposal.quote.is_free,
        handle=proposal,
    )


def _problems(proposal: Proposal) -> tuple[str, ...]:
    try:
        proposal.require_worker()
    except Refused as error:
        return (one_line(error.what),)
    return ()


def _facts(proposal: Proposal) -> tuple[tuple[str, str], ...]:
    plan, config, score = proposal.plan, proposal.plan.training, proposal.plan.evals.score
    facts = [
        ("goal", plan.goal or "(none given)"),
        ("method", f"{plan.method}, LoRA rank {config.lora_rank}"),
        ("model", config.base_model),
        ("backend", f"{proposal.profile.name} ({proposal.profile.why})"),
        ("training", f"{config.train_file.name}, {proposal.rows(config.train_file):,} rows"),
    ]
    if config.val_file is not None:
        facts.append(("validation", f"{config.val_file.name}, {proposal.rows(config.val_file):,} rows"))
    if score is not None:
        facts.append(("score", f"{score.file.name}, {proposal.rows(score.file):,} rows, {score.grader}"))
    steps = f"{config.num_steps:,} of {config.step_size}, learning rate"
    facts.append(("steps", f"{steps} {number_text(config.learning_rate)}"))
    facts += [("warning", f"{w.path}: {w.got}; expected {w.expected}") for w in proposal.warnings]
    facts.append(("approval", proposal.hash))
    return tuple((label, one_line(text)) for label, text in facts)


def _estimate(proposal: Proposal) -> tuple[tuple[str, str], ...]:
    cost, cap = proposal.cost, proposal.plan.budget.max_cost_usd
    lines = [("cost", _cost(cost))]
    lines += [
        (line.kind, f"{', '.join(filter(None, (line.amount, money_text(line.usd.expected_usd))))}: {line.how}")
        for line in cost.lines
    ]
    lines.append(("cap", "none" if cap is None else f"{money_text(cap)}: the worker stops there with a checkpoint"))
    lines.append(("prices", cost.price_source))
    lines += [("not in it", text) for text in cost.not_counted]
    return tuple((label, one_line(text)) for label, text in lines)


def _cost(cost: CostEstimate) -> str:
    if cost.is_free:
        return "$0.00, this backend is free"
    total = cost.total
    if total.expected_usd is None:
        return "unknown: the prices of this backend are not known"
    return f"{money_text(total.expected_usd)} expected, {money_text(total.low_usd)} to {money_text(total.high_usd)}"
