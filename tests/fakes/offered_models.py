"""Models as a paid server may offer them, with the cookbook's numbers, and data as inspections may describe it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tcao_tui.domain.capabilities import Capabilities, ModelInfo
from tcao_tui.domain.data_profile import DataProfile, FieldMap, Spread, TokenStats
from tcao_tui.domain.draft import Draft, Filled
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.plan import PriceQuote

TRAIN, VAL, TEST = Path("/data/solutions.jsonl"), Path("/data/validation.jsonl"), Path("/data/held_out.jsonl")
THINKING = ("qwen3_5", "qwen3_5_disable_thinking", "qwen3_5_preserve_thinking")
FREE = PriceQuote(
    backend="engine",
    source="local engine: free",
    train_usd=0,
    prefill_usd=0,
    sample_usd=0,
    storage_usd_per_gb_month=0,
)


def quote(train: float | None, prefill: float | None, sample: float | None) -> PriceQuote:
    """Prices of a paid server, USD per million tokens."""
    return PriceQuote(
        backend="Tinker",
        source="a list",
        train_usd=train,
        prefill_usd=prefill,
        sample_usd=sample,
        storage_usd_per_gb_month=0.1,
    )


def offered(name: str, total: float, active: float, price: PriceQuote, **more: Any) -> ModelInfo:
    """A trainable model; sizes in billions of parameters."""
    known = {"context_length": 65536, "renderers": THINKING, "training": "hybrid", "lora_source": "a table"}
    sizes = {"total_parameters": round(total * 1e9), "active_parameters": round(active * 1e9)}
    return ModelInfo(name=name, price=price, **{**known, **sizes, **more})


SMALL = offered(
    "Qwen/Qwen3-8B", 8, 8, quote(0.44, 0.195, 0.6), family="qwen3", context_length=32768, hidden_size=4096,
    lora_parameters_per_rank=2_883_968.0, sft_learning_rate=4.73e-4, renderers=("qwen3", "qwen3_disable_thinking"),
)  # fmt: skip
MIXTURE = offered(
    "Qwen/Qwen3.6-35B-A3B", 35, 3, quote(1.177, 0.54, 1.335), family="qwen3.6",
    lora_parameters_per_rank=17_545_728.0, sft_learning_rate=4.99e-4,
)  # fmt: skip
BASE = offered(
    "Qwen/Qwen3.5-35B-A3B-Base", 35, 3, quote(1.177, 0.54, 1.335), family="qwen3.5", training="base",
    renderers=("role_colon",), lora_parameters_per_rank=17_545_728.0, sft_learning_rate=4.99e-4,
)  # fmt: skip
LARGE = offered(
    "Qwen/Qwen3.5-397B-A17B", 397, 17, quote(6.6, 3.0, 7.5), family="qwen3.5",
    lora_parameters_per_rank=99_124_736.0, sft_learning_rate=4.73e-4,
)  # fmt: skip
SWEPT = offered(
    "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-BF16", 120, 12, quote(1.276, 0.57, 1.44), family="nemotron-3-super",
    lora_parameters_per_rank=113_159_799.0, renderers=("nemotron3", "nemotron3_disable_thinking"),
)  # fmt: skip
CAPPED = offered(
    "zai-org/GLM-5.3:peft:262144", 744, 40, quote(14.58, 4.86, 12.15), family="glm-5.3", context_length=262144,
    rank_cap=32, renderers=("glm5_3_max_reasoning",), training="reasoning",
)  # fmt: skip
TINY = offered(
    "tcao/tiny-qwen3", 0.00064, 0.00064, FREE, family="tiny-qwen3", context_length=4096, hidden_size=128,
    lora_parameters_per_rank=7040.0, renderers=("qwen3_instruct",), training="instruct",
)  # fmt: skip

PAID_SERVER = Capabilities(
    profile="tinker", backend="Tinker", is_free=False, asked_at=1.0, models=(SMALL, MIXTURE, BASE, LARGE, SWEPT, CAPPED)
)
ENGINE = Capabilities(profile="local", backend="http://127.0.0.1:1", is_free=True, asked_at=1.0, models=(TINY,))


def spread(p50: int, p95: int, most: int, total: int) -> Spread:
    """A distribution of counts."""
    return Spread(p50=p50, p95=p95, max=most, total=total)


def rows(path: Path = TRAIN, count: int = 1500, **changes: Any) -> DataProfile:
    """A file of worked solutions, as GSM8K has them."""
    given = {
        "path": path,
        "sha256": path.name,
        "size_bytes": 550 * count,
        "container": "jsonl",
        "kind": "chat",
        "kinds": ("chat", "problem", "prompt"),
        "fields": FieldMap(data_format="input_output", input_field="question", output_field="answer"),
        "rows": count,
        "prompt_chars": spread(220, 420, 900, 240 * count),
        "answer_chars": spread(260, 600, 1200, 280 * count),
        "answer_shape": "final_number",
        "distinct_answers": 1000,
    }
    return DataProfile.model_validate(given | changes)


def pairs(count: int = 731, **changes: Any) -> DataProfile:
    """A file of preference pairs."""
    fields = FieldMap(data_format="preference", chosen_field="better", rejected_field="worse")
    return rows(count=count, kind="preference", kinds=("preference",), fields=fields, **changes)


def tokens(count: int = 1500, *, mean: int = 140, answer: int = 90, **changes: Any) -> TokenStats:
    """Rows counted by the tokenizer of `MIXTURE`."""
    given = {
        "model": MIXTURE.name,
        "renderer": THINKING[1],
        "max_seq_len": 4096,
        "measured": "all",
        "rows_measured": count,
        "row": spread(mean, 2 * mean, 4 * mean, mean * count),
        "completion": spread(answer, 2 * answer, 4 * answer, answer * count),
    }
    return TokenStats.model_validate(given | changes)


def known(*profiles: DataProfile, server: Capabilities | None = PAID_SERVER, **changes: Any) -> Facts:
    """Facts of some files and a server."""
    given = {"graders": ("exact", "includes", "numeric", "json"), "methods": ("sft",)}
    return Facts(profiles=profiles or (rows(),), capabilities=server, **(given | changes))


def said(**values: Any) -> Draft:
    """What a person said, key paths with `__` for dots; the goal and the training file unless given."""
    given = {"goal": "Answer customers", "training__train_file": str(TRAIN)} | values
    return {path.replace("__", "."): Filled(value=v, by="you") for path, v in given.items() if v is not ...}
