"""What a plan may cost: its work in tokens, and its checkpoints in storage, at the prices of a quote.

Pure. Consent and the cap are the business of `services.approve`, the ledger of a run that of the worker.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcao_tui.domain.benchmarks.table import benchmark_named
from tcao_tui.domain.cost import NO_COST, UNKNOWN_COST, CostEstimate, CostKind, CostLine, CostRange, total_cost
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.hyperparams import lora_parameters
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan, PriceQuote
from tcao_tui.domain.row_tokens import Range
from tcao_tui.domain.wording import count_text
from tcao_tui.domain.workload import Piece, pieces_of

KEPT_CHECKPOINTS = 3
"""The last two, of which one is the final, and the best by validation: what the worker keeps."""

CHECKPOINT_BYTES = Range(8, 14, 16)
"""Per LoRA parameter: weights, Adam's two moments, and the weights once more for sampling."""

FINAL_MONTHS = 1.0
MONTH_SECONDS = 30 * 24 * 3600.0

_ORDER: tuple[CostKind, ...] = ("range test", "training", "validation", "evals", "sampling", "storage")


def estimate_cost(plan: Plan, facts: Facts, quote: PriceQuote) -> CostEstimate:
    """Low, expected and high cost of carrying the plan out once, USD.

    Args:
        plan: Need not be resolved.
        facts: Profiles of its files by their paths; tokens are used where they were measured, sizes otherwise.
        quote: Prices of its base model.

    Returns:
        A line per kind of work that the plan has; a needed price that is unknown, or a file that nobody inspected,
        makes the line and the total unknown, never 0.
    """
    by_kind: dict[CostKind, list[Piece]] = {kind: [] for kind in _ORDER}
    for piece in pieces_of(plan, facts):
        by_kind[piece.kind].append(piece)
    lines = [_line(kind, pieces, facts, quote) for kind, pieces in by_kind.items() if pieces]
    lines += _storage(plan, facts, quote)
    return CostEstimate(
        lines=tuple(lines),
        total=total_cost(line.usd for line in lines),
        is_free=quote.is_free,
        price_source=quote.source,
        not_counted=_not_counted(plan, facts, quote),
    )


def _line(kind: CostKind, pieces: Sequence[Piece], facts: Facts, quote: PriceQuote) -> CostLine:
    tokens = sum(0.0 if piece.tokens is None else piece.tokens.expected for piece in pieces)
    how = "; ".join(dict.fromkeys(piece.how for piece in pieces))
    return CostLine(kind, round(tokens), total_cost(_usd(piece, facts, quote) for piece in pieces), how)


def _usd(piece: Piece, facts: Facts, quote: PriceQuote) -> CostRange:
    if quote.is_free:
        return NO_COST
    if piece.model:
        teacher = facts.model(piece.model)
        if teacher is None:
            return UNKNOWN_COST
        quote = teacher.price
    prices = {"train": quote.train_usd, "prefill": quote.prefill_usd, "sample": quote.sample_usd}
    return _priced(piece.tokens, prices[piece.billed], 1e6)


def _storage(plan: Plan, facts: Facts, quote: PriceQuote) -> list[CostLine]:
    size = lora_parameters(facts.model(plan.training.base_model), plan.training.lora_rank)
    if size is None:
        return []
    config = plan.training
    saved = 1 + ((config.num_steps - 1) // config.save_every if config.save_every else 0)
    early = min(saved, KEPT_CHECKPOINTS) - 1
    results = len(stage_plans(plan))
    months = FINAL_MONTHS * results + early * config.checkpoint_ttl_seconds / MONTH_SECONDS
    days = config.checkpoint_ttl_seconds / 86_400
    final = "the final" if results == 1 else "the final of each stage"
    how = (
        f"{early + results} checkpoints kept of {count_text(size)} LoRA parameters, about {CHECKPOINT_BYTES.expected}"
        f" bytes each: {final} for a month, others for {days:.0f} days"
    )
    usd = _priced(CHECKPOINT_BYTES.times(size * months), quote.storage_usd_per_gb_month, 1e9)
    return [CostLine("storage", 0, usd, how)]


def _priced(amount: Range | None, usd: float | None, per: float) -> CostRange:
    if amount is None or (usd is None and amount.high > 0):
        return UNKNOWN_COST
    price = (usd or 0.0) / per
    return CostRange(amount.low * price, amount.expected * price, amount.high * price)


def _not_counted(plan: Plan, facts: Facts, quote: PriceQuote) -> tuple[str, ...]:
    if quote.is_free:
        return ()
    found = ["repeated steps after a crash, and storage of the final weights beyond a month"]
    if lora_parameters(facts.model(plan.training.base_model), plan.training.lora_rank) is None:
        found = ["checkpoint storage, since the adapter's size is not known", *found]
    known = [benchmark_named(spec.name) for spec in plan.evals.benchmarks]
    if any(b is not None and b.helpers for b in known):
        found.append("judges and simulated users of benchmarks, which another provider may bill")
    if judges := dict.fromkeys(each.judge for each in plan.evals.application if each.judge):
        found.append(f"the judge of your own evals ({', '.join(map(one_line, judges))})")
    if coded := [one_line(each.name) for each in plan.evals.application if each.kind != "rows"]:
        found.append(f"evals made of code, which ask for what they like ({', '.join(coded)})")
    return tuple(found)
