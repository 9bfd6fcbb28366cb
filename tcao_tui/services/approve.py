"""Money and consent: what a plan may cost, and the approval that binds a person to one plan at one price list.

The rules stand here, outside any model. Keeping the ledger and stopping at the cap is the worker's business.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tcao_tui.domain.plan import Plan, PriceQuote, approval_hash
from tcao_tui.domain.wording import money_text
from tcao_tui.errors import BudgetExceeded, NeedsInput, PlanInvalid
from tcao_tui.services.plans import data_files
from tcao_tui.store.port import Approval

BYTES_PER_TOKEN = (5.0, 4.0, 2.5)
"""Bytes of JSONL per token for the low, the expected and the high estimate, until rows are tokenised."""


@dataclass(frozen=True, slots=True)
class FileSize:
    """Rows and bytes of one data file."""

    rows: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DataSizes:
    """Sizes of a plan's data files; None where the plan has no such file."""

    train: FileSize
    val: FileSize | None = None
    score: FileSize | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens by what they are billed as."""

    train: int
    prefill: int
    sample: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan may cost; USD None is unknown, never 0.

    Attributes:
        low_usd, expected_usd, high_usd: Totals of training, validation and sampling.
        low, expected, high: The tokens behind them.
        method: How the tokens were found, for people.
        not_counted: What the totals leave out.
    """

    low_usd: float | None
    expected_usd: float | None
    high_usd: float | None
    low: Tokens
    expected: Tokens
    high: Tokens
    method: str
    not_counted: tuple[str, ...] = ()


def measure(plan: Plan) -> DataSizes:
    """Count rows and bytes of the plan's data files. Raises `OSError`."""
    sizes: dict[str, FileSize] = {}
    for file in data_files(plan):
        rows = size_bytes = 0
        last = b""
        with file.path.open("rb") as stream:
            while block := stream.read(1 << 20):
                rows += block.count(b"\n")
                size_bytes += len(block)
                last = block[-1:]
        sizes[file.field] = FileSize(rows + (last not in (b"", b"\n")), size_bytes)
    return DataSizes(sizes["train_file"], sizes.get("val_file"), sizes.get("score_file"))


def estimate(plan: Plan, quote: PriceQuote, sizes: DataSizes) -> Estimate:
    """Tokens and cost of carrying the plan out once, from the sizes of its files."""
    low, expected, high = (_tokens(plan, sizes, ratio) for ratio in BYTES_PER_TOKEN)
    not_counted = () if quote.storage_usd_per_gb_month == 0 else ("checkpoint storage: sizes are known once saved",)
    return Estimate(
        _usd(low, quote),
        _usd(expected, quote),
        _usd(high, quote),
        low,
        expected,
        high,
        method=(
            f"{BYTES_PER_TOKEN[1]} bytes of JSONL per token (low {BYTES_PER_TOKEN[0]}, high {BYTES_PER_TOKEN[2]}), "
            f"rows cut at {plan.training.max_seq_len} tokens"
        ),
        not_counted=not_counted,
    )


def approve(
    plan: Plan, quote: PriceQuote, *, given: str | None, by: str, at: float, cost: Estimate, typed: bool = False
) -> Approval:
    """Turn consent into an approval, or say what is missing.

    Args:
        plan: The resolved plan.
        quote: Prices that the person saw.
        given: Hash that the person gave, "auto", or None.
        by: Who approves, for the record.
        at: Unix seconds.
        cost: The estimate that the person saw.
        typed: Whether a person typed it in the console rather than giving it on a command line.

    Raises:
        PlanInvalid: The plan is not resolved.
        BudgetExceeded: The plan's cap is below the estimate, or cannot be kept since prices are unknown.
        NeedsInput: No hash, the hash of something else, or "auto" where money can be spent.
    """
    if any(not file.recorded for file in data_files(plan)):
        raise PlanInvalid("the plan's data is not hashed yet, so an approval would not cover it")
    _check_cap(plan, cost)
    wanted = approval_hash(plan, quote)
    if given == wanted:
        return Approval(wanted, "typed" if typed else "hash", by, at, quote.model_dump_json())
    if given == "auto" and quote.is_free:
        return Approval(wanted, "auto", by, at, quote.model_dump_json())
    raise NeedsInput(_why_not(given, wanted), where=f"estimate {_range(cost)}", next_step=f"--approve {wanted}")


def _why_not(given: str | None, wanted: str) -> str:
    match given:
        case None | "":
            return f"this plan at these prices needs approval; its hash is {wanted}"
        case "auto":
            return f"auto approves only what costs nothing, and this may; its hash is {wanted}"
        case _:
            return f"the approval is for another plan or other prices; the hash of this one is {wanted}"


def _range(cost: Estimate) -> str:
    if cost.expected_usd is None:
        return "unknown (prices are not known)"
    return f"{money_text(cost.expected_usd)} ({money_text(cost.low_usd)} to {money_text(cost.high_usd)})"


def _check_cap(plan: Plan, cost: Estimate) -> None:
    cap = plan.budget.max_cost_usd
    if cap is None:
        return
    if cost.expected_usd is None:
        raise BudgetExceeded(
            f"the cap of {money_text(cap)} cannot be kept: prices of this backend are unknown",
            where="budget.max_cost_usd",
            next_step="remove the cap, or choose a backend with prices",
        )
    if cap < cost.expected_usd:
        raise BudgetExceeded(
            f"the cap of {money_text(cap)} is below the estimate of {_range(cost)}",
            where="budget.max_cost_usd",
            next_step="raise the cap, or lower num_steps or train_batch_size",
        )


def _tokens(plan: Plan, sizes: DataSizes, bytes_per_token: float) -> Tokens:
    config, evals = plan.training, plan.evals
    passes = 2 + (config.num_steps // config.eval_every if config.eval_every else 0)
    val_rows = sizes.val.rows if sizes.val else 0
    samples = passes * len(evals.sample_prompts)
    prompt_tokens = sum(len(p.encode()) for p in evals.sample_prompts) / bytes_per_token
    prefill = passes * (val_rows * _row_tokens(sizes.val, bytes_per_token, config.max_seq_len) + prompt_tokens)
    sampled = float(samples * evals.sample_max_tokens)
    if evals.score is not None and sizes.score is not None:
        answers = 2 * min(evals.score.max_rows, sizes.score.rows)
        prefill += answers * _row_tokens(sizes.score, bytes_per_token, config.max_seq_len)
        sampled += answers * evals.score.max_tokens
    rows = config.num_steps * config.train_batch_size
    train = rows * _row_tokens(sizes.train, bytes_per_token, config.max_seq_len)
    return Tokens(math.ceil(train), math.ceil(prefill), math.ceil(sampled))


def _row_tokens(size: FileSize | None, bytes_per_token: float, longest: int) -> float:
    return min(longest, size.size_bytes / size.rows / bytes_per_token) if size and size.rows else 0.0


def _usd(tokens: Tokens, quote: PriceQuote) -> float | None:
    """Total at these prices; a price that is needed and unknown makes it unknown."""
    total = 0.0
    parts = ((tokens.train, quote.train_usd), (tokens.prefill, quote.prefill_usd), (tokens.sample, quote.sample_usd))
    for count, price in parts:
        if count and price is None:
            return None
        total += count * (price or 0.0) / 1e6
    return total
