"""Which LLM interviews and with which key, decided without the SDK."""

from __future__ import annotations

import datetime
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.clients.llm_port import LlmUsage
from tcao_tui.clients.llm_prices import INCLUDED_PRICES, price_of, usd_of
from tcao_tui.errors import CredentialsError
from tcao_tui.planner.llm.access import llm_opener
from tcao_tui.services.llm_choice import llm_profile, why_no_llm
from tcao_tui.settings import ModelPrice, PlannerSettings, Settings, SettingsInvalid, load_settings


def settings(**planner: Any) -> Settings:
    return Settings(planner=PlannerSettings(**planner))


@pytest.mark.parametrize(
    ("planner", "environ"),
    [
        ({}, {"ANTHROPIC_API_KEY": "k"}),
        ({}, {"ANTHROPIC_AUTH_TOKEN": "t"}),
        ({}, {"ANTHROPIC_PROFILE": "work"}),
        ({}, {"ANTHROPIC_FEDERATION_RULE_ID": "r", "ANTHROPIC_ORGANIZATION_ID": "o"}),
        ({}, {"ANTHROPIC_BASE_URL": "http://127.0.0.1:11434"}),
        ({"key_env": "MY_KEY"}, {}),
        ({"key_command": "pass show llm"}, {}),
        ({"base_url": "http://127.0.0.1:1234"}, {}),
    ],
)
def test_an_llm_can_interview_where_a_key_or_a_server_of_ones_own_is_named(
    planner: Any, environ: dict[str, str], tmp_path: Path
) -> None:
    assert why_no_llm(settings(**planner), {"HOME": str(tmp_path), **environ}) is None


def test_a_profile_that_the_sdk_would_use_counts_as_a_key(tmp_path: Path) -> None:
    configs = tmp_path / ".config" / "anthropic" / "configs"
    configs.mkdir(parents=True)
    (configs / "work.json").write_text("{}")
    home = {"HOME": str(tmp_path)}
    assert why_no_llm(Settings(), home) is not None
    (configs.parent / "active_config").write_text("work\n")
    assert why_no_llm(Settings(), home) is None


@pytest.mark.parametrize("environ", [{}, {"ANTHROPIC_API_KEY": ""}])
def test_without_a_key_it_says_what_to_export(environ: dict[str, str], tmp_path: Path) -> None:
    assert "export ANTHROPIC_API_KEY" in (why_no_llm(Settings(), {"HOME": str(tmp_path), **environ}) or "")


def test_the_rules_can_be_chosen_whatever_keys_there_are() -> None:
    assert "planner.who" in (why_no_llm(settings(who="rules"), {"ANTHROPIC_API_KEY": "k"}) or "")


def test_anthropics_own_servers_get_every_switch_and_others_only_what_is_asked_for() -> None:
    own = llm_profile(PlannerSettings(), {})
    assert (own.strict, own.cache, own.thinking, own.base_url) == (True, True, "summarized", None)
    other = llm_profile(PlannerSettings(base_url="http://127.0.0.1:8000"), {})
    assert (other.strict, other.cache, other.thinking) == (False, False, "none")
    lookalike = llm_profile(PlannerSettings(), {"ANTHROPIC_BASE_URL": "https://anthropic.com.evil.example"})
    assert lookalike.strict is False
    asked = llm_profile(PlannerSettings(base_url="http://x", cache=True, thinking="omitted", effort="low"), {})
    assert (asked.cache, asked.thinking, asked.effort) == (True, "omitted", "low")


def test_a_key_that_cannot_be_read_is_named_by_place_only(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError) as caught:
        llm_opener(settings(key_file=tmp_path / "none"), {})()
    assert str(tmp_path) in str(caught.value)


def test_deciding_and_planning_by_rules_load_no_sdk() -> None:
    program = (
        "import sys\n"
        "from tcao_tui.planner.llm.access import llm_planner\n"
        "from tcao_tui.services.llm_choice import why_no_llm\n"
        "from tcao_tui.planner.tools import TOOLS\n"
        "from tcao_tui.settings import Settings\n"
        "why_no_llm(Settings(), {}); llm_planner(Settings(), TOOLS, {})\n"
        "[TOOLS.load(name) for name in TOOLS.names()]\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"anthropic", "httpx2", "textual", "tinker", "torch"}


def test_settings_of_the_planner_are_read_and_mistakes_named(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(
        "planner:\n  model: my-model\n  base_url: http://gpu:8000\n  key_env: GPU_KEY\n  thinking: none\n"
        "  prices:\n    my-model: {input_usd: 1.5, as_of: 2026-11-01}\n"
    )
    chosen = load_settings(path).planner
    assert (chosen.model, chosen.key_env, chosen.thinking) == ("my-model", "GPU_KEY", "none")
    assert chosen.prices["my-model"].as_of == datetime.date(2026, 11, 1)
    for text, told in (
        ("planner: {modell: x}\n", "planner.modell: unknown key; did you mean model?"),
        ("planner: {prices: {m: {input: 1, as_of: 2026-11-01}}}\n", "did you mean input_usd?"),
        ("planner: {prices: {m: {input_usd: 1}}}\n", "planner.prices.m.as_of"),
        ("planner: {key_env: A, key_file: b}\n", "give one of key_env, key_file and key_command"),
    ):
        path.write_text(text)
        with pytest.raises(SettingsInvalid, match=told.replace("?", r"\?")):
            load_settings(path)


def test_the_four_counters_are_priced_apart_and_the_persons_table_comes_first() -> None:
    price = price_of("claude-opus-5-5", {})
    million = 1_000_000
    assert usd_of(LlmUsage(million, million, million, million), price) == pytest.approx(4.0 + 5.0 + 0.2 + 20.0)
    mine = ModelPrice(input_usd=1.0, as_of=datetime.date(2026, 11, 1))
    assert price_of("claude-opus-5-5", {"claude-opus-5-5": mine}) is mine
    assert usd_of(LlmUsage(million), mine) == 1.0
    assert usd_of(LlmUsage(million, output_tokens=1), mine) is None, "the price of output is not known"
    assert usd_of(LlmUsage(1), None) is None
    assert all(price.as_of.year >= 2026 for price in INCLUDED_PRICES.values())
