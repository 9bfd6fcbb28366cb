"""A good plan as file values, and what inspections would say of its files: the ground that tests of the gates break."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from tcao_tui.domain.capabilities import Capabilities, ModelInfo
from tcao_tui.domain.data_profile import DataProfile, FieldMap, Overlap, Spread, TokenStats
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import PriceQuote

TRAIN, VAL, SCORE = Path("/data/train.jsonl"), Path("/data/val.jsonl"), Path("/data/test.jsonl")
FREE = PriceQuote(
    backend="x", source="local engine: free", train_usd=0, prefill_usd=0, sample_usd=0, storage_usd_per_gb_month=0
)
PAID = PriceQuote(
    backend="Tinker", source="a list", train_usd=1.0, prefill_usd=0.5, sample_usd=2.0, storage_usd_per_gb_month=0.1
)
UNKNOWN = PriceQuote(backend="x", source="unknown: this server publishes no prices")

GOOD: dict[str, Any] = {
    "goal": "File messages as JSON.",
    "training": {
        "base_model": "lab/small-1b",
        "run_name": "tickets",
        "train_file": str(TRAIN),
        "val_file": str(VAL),
        "learning_rate": 2e-4,
        "lora_rank": 32,
        "max_seq_len": 512,
        "train_batch_size": 32,
        "num_steps": 200,
    },
    "evals": {"score": {"file": str(SCORE), "grader": "exact", "max_rows": 200, "max_tokens": 64}},
    "budget": {"max_cost_usd": 20.0},
}
"""SFT with validation, score and cap; passes every gate with `facts()`."""


def values(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The good plan with some dotted key paths set, or removed by `...`."""
    plan = deepcopy(GOOD)
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place = plan
        for key in parents:
            place = place.setdefault(key, {})
        if value is ...:
            place.pop(last, None)
        else:
            place[last] = value
    return plan


def spread(size: int, rows: int) -> Spread:
    """Rows of about the same size."""
    return Spread(p50=size, p95=size, max=size, total=size * rows)


def tokens(**changes: Any) -> TokenStats:
    """Training rows of 120 tokens, 20 of them answers, none cut."""
    given = {
        "model": "lab/small-1b",
        "renderer": "small_instruct",
        "max_seq_len": 512,
        "measured": "all",
        "rows_measured": 2000,
        "row": spread(120, 2000),
        "completion": spread(20, 2000),
    }
    return TokenStats.model_validate(given | changes)


def profile(path: Path, rows: int, /, **changes: Any) -> DataProfile:
    """A file of short labelled rows without a blemish."""
    given = {
        "path": path,
        "sha256": f"sha-of-{path.name}",
        "size_bytes": 400 * rows,
        "container": "jsonl",
        "kind": "chat",
        "kinds": ("chat", "prompt"),
        "fields": FieldMap(data_format="input_output"),
        "columns": ("input", "output"),
        "rows": rows,
        "prompt_chars": spread(300, rows),
        "answer_chars": spread(60, rows),
        "answer_shape": "label",
        "distinct_answers": 6,
    }
    return DataProfile.model_validate(given | changes)


def overlap(right: Path, rows: int, /, **changes: Any) -> Overlap:
    """The training file compared with another; nothing in common."""
    given = {
        "left": TRAIN,
        "right": right,
        "left_sha256": f"sha-of-{TRAIN.name}",
        "right_sha256": f"sha-of-{right.name}",
        "right_rows": rows,
        "exact": 0,
        "near": 0,
        "method": "equal prompts; half of the 8-grams",
    }
    return Overlap.model_validate(given | changes)


def model(name: str = "lab/small-1b", **changes: Any) -> ModelInfo:
    """A trainable chat model of a paid server."""
    given = {
        "name": name,
        "context_length": 8192,
        "family": "small",
        "total_parameters": 1_000_000_000,
        "renderers": ("small_instruct", "small_thinking"),
        "lora_parameters_per_rank": 400_000.0,
        "rank_cap": 64,
        "sft_learning_rate": 3e-4,
        "hidden_size": 2048,
        "price": PAID,
    }
    return ModelInfo.model_validate(given | changes)


def capabilities(*models: ModelInfo, is_free: bool = False) -> Capabilities:
    """A server of these models; of two when none are given."""
    offered = models or (model(), model("lab/large-8b"), model("lab/sampler", trainable=False))
    return Capabilities(profile="lab", backend="https://lab", is_free=is_free, asked_at=1.0, models=offered)


def facts(**changes: Any) -> Facts:
    """Everything measured, nothing wrong."""
    train = profile(TRAIN, 2000, tokens=tokens())
    known = Facts(
        profiles=(train, profile(VAL, 100), profile(SCORE, 200)),
        overlaps=(overlap(VAL, 100), overlap(SCORE, 200)),
        capabilities=capabilities(),
        graders=("exact", "includes", "numeric", "json", "regex", "python"),
        methods=("sft",),
    )
    return known.model_copy(update=changes)


def facts_with(path: Path, **changes: Any) -> Facts:
    """Everything measured, with one profile changed."""
    known = facts()
    found = known.profile(path)
    assert found is not None
    return known.with_fact(found.model_copy(update=changes))
