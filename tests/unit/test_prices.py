"""Prices: free, unknown or published, never guessed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from importlib import resources
from typing import Literal

import pytest
from tinker_cookbook.utils.cost_estimation import TokenCostRates

from tcao_tui.clients.prices import planning_quote, price_quote
from tcao_tui.worker.connect import check_prices

RATES = TokenCostRates(1.0, 0.2, 3.0, 2.0)


def test_the_engine_is_free() -> None:
    assert price_quote("engine", "http://127.0.0.1:1", "any").is_free


def test_published_rates_are_taken_over() -> None:
    quote = price_quote("tinker", None, "Qwen/Qwen3-8B", read_rates=lambda model, seconds: RATES)
    assert (quote.train_usd, quote.prefill_usd, quote.sample_usd) == (2.0, 1.0, 3.0)
    assert not quote.is_free


def test_a_model_without_rates_is_unknown_and_not_free() -> None:
    quote = price_quote("tinker", None, "some/model", read_rates=lambda model, seconds: None)
    assert quote.train_usd is None
    assert not quote.is_free
    assert "unknown" in quote.source


def test_tinkers_prices_are_not_taken_for_other_servers() -> None:
    hosts = ["http://localhost:8000", "https://thinkingmachines.dev.evil.example/x", "not a url"]
    for host in hosts:
        quote = price_quote("tinker", host, "Qwen/Qwen3-8B", read_rates=lambda model, seconds: RATES)
        assert quote.train_usd is None, host


def test_a_price_list_that_never_answers_is_given_up() -> None:
    released = threading.Event()

    def hang(model: str, seconds: float) -> TokenCostRates | None:
        released.wait()
        return RATES

    quote = price_quote("tinker", None, "Qwen/Qwen3-8B", timeout_seconds=0.01, read_rates=hang)
    released.set()
    assert quote.train_usd is None


def test_plans_are_made_with_a_dated_copy_when_the_list_is_away() -> None:
    quote = planning_quote("tinker", None, "Qwen/Qwen3-8B", read_rates=lambda model, seconds: None)
    assert (quote.train_usd, quote.prefill_usd, quote.sample_usd) == (0.44, 0.195, 0.6)
    assert "bundled copy of Tinker's prices of 2026-09" in quote.source


def test_the_dated_copy_gives_way_to_the_list() -> None:
    quote = planning_quote("tinker", None, "Qwen/Qwen3-8B", read_rates=lambda model, seconds: RATES)
    assert quote.source == "Tinker's published price list"


@pytest.mark.parametrize(
    ("kind", "base_url", "model"),
    [("tinker", "http://localhost:8000", "Qwen/Qwen3-8B"), ("tinker", None, "acme/model"), ("engine", None, "any")],
)
def test_the_dated_copy_is_for_tinkers_own_models_only(
    kind: Literal["engine", "tinker"], base_url: str | None, model: str
) -> None:
    assert planning_quote(kind, base_url, model) == price_quote(kind, base_url, model)


def test_every_bundled_price_is_positive_or_unknown_and_says_when_it_was_true() -> None:
    bundled = json.loads(resources.files("tcao_tui.clients").joinpath("bundled_prices.json").read_text())
    assert re.fullmatch(r"\d{4}-\d{2}", bundled["as_of"])
    for model, rates in bundled["usd_per_million_tokens"].items():
        assert set(rates) == {"prefill", "sample", "train"}, model
        assert all(rate is None or 0 < rate < 100 for rate in rates.values()), model
        assert rates["prefill"] < rates["sample"], model


def test_the_worker_never_takes_the_copy_for_a_change_of_prices() -> None:
    approved = planning_quote("tinker", None, "Qwen/Qwen3-8B", read_rates=lambda model, seconds: RATES)
    check_prices(approved, price_quote("tinker", None, "Qwen/Qwen3-8B", read_rates=lambda model, seconds: None))


def test_reading_prices_and_data_loads_nothing_heavy() -> None:
    code = (
        "import sys, tcao_tui.clients.prices, tcao_tui.data.check, tcao_tui.graders, tcao_tui.methods\n"
        "import tinker_cookbook.utils.cost_estimation\n"
        "from tcao_tui.methods import SPECS\n"
        "assert SPECS.load('sft').metrics[0] == 'train_mean_nll'\n"
        "print([m for m in ('tinker', 'torch', 'transformers', 'textual', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
