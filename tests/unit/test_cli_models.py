"""`tcao models`: the table people read, and the JSON that scripts read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcao_tui.cli import main
from tcao_tui.cli.context import CliContext
from tcao_tui.domain.capabilities import Capabilities
from tcao_tui.services import models
from tests.fakes import offered_models as lab
from tests.fakes.offered_models import CAPPED, ENGINE, MIXTURE, PAID_SERVER, SMALL


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliContext:
    monkeypatch.setenv("TCAO_CONFIG_DIR", str(tmp_path / "config"))
    return CliContext(runs_root=tmp_path / "runs", environ={"HOME": str(tmp_path), "NO_COLOR": "1"})


def offering(monkeypatch: pytest.MonkeyPatch, server: Capabilities) -> list[bool]:
    asked: list[bool] = []

    def capabilities(profile: object, *, fresh: bool) -> Capabilities:
        asked.append(fresh)
        return server

    monkeypatch.setattr(models, "capabilities", capabilities)
    return asked


def test_the_table_marks_the_recommended_model(
    console: CliContext, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sampled = SMALL.model_copy(update={"trainable": False, "price": lab.quote(None, None, None)})
    server = PAID_SERVER.model_copy(update={"models": (sampled, MIXTURE, CAPPED)})
    assert offering(monkeypatch, server) == []
    assert main.run(["models"], console) == 0
    shown = capsys.readouterr()
    header, first, second, third = shown.out.splitlines()
    assert header.split() == ["MODEL", "SIZE", "CONTEXT", "TRAIN", "PREFILL", "SAMPLE", "THINKS", "CHAT", "FORMAT"]
    assert "(sampling only)" in first
    assert first.count("?") == 3
    assert second.startswith(f"*  {MIXTURE.name}")
    assert "35B, 3B active 65,536 $1.177 $0.54 $1.335 either qwen3_5" in " ".join(second.split())
    assert "always" in third
    assert "USD per million tokens, a list" in shown.err


def test_json_says_what_is_recommended_for_which_use(
    console: CliContext, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = offering(monkeypatch, PAID_SERVER)
    assert main.run(["models", "--for", "code", "--refresh", "--output", "json"], console) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["use_case"], told["recommended"]) == ("code", MIXTURE.name)
    assert [model["name"] for model in told["models"]] == [model.name for model in PAID_SERVER.models]
    assert asked == [True]


def test_a_free_server_says_free_and_names_are_made_safe(
    console: CliContext, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = ENGINE.models[0].model_copy(update={"name": "evil\x1b]0;title\x07\nname", "renderers": ()})
    offering(monkeypatch, ENGINE.model_copy(update={"models": (hostile,)}))
    assert main.run(["models"], console) == 0
    shown = capsys.readouterr()
    assert "free" in shown.out
    assert "\x1b" not in shown.out + shown.err
    assert len(shown.out.splitlines()) == 2


def test_a_server_without_models_recommends_none(
    console: CliContext, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    offering(monkeypatch, PAID_SERVER.model_copy(update={"models": ()}))
    assert main.run(["models", "--output", "json"], console) == 0
    assert json.loads(capsys.readouterr().out)["recommended"] is None
