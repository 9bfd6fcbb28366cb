"""Models of a backend: asked once for some minutes, and every failure says what to do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tcao_tui.domain.capabilities import Capabilities
from tcao_tui.errors import BackendError, CredentialsError, ExitCode
from tcao_tui.services import engine_server, models
from tcao_tui.services.backends import KeySource, Profile
from tests.fakes.offered_models import PAID_SERVER

TINKER = Profile("lab", "tinker", "https://lab.example", KeySource("env", "LAB_KEY"), "test")
LOCAL = Profile("local", "engine", None, KeySource("engine"), "test")


class Asked:
    """A server that is asked, and a clock."""

    def __init__(self, answer: Capabilities = PAID_SERVER) -> None:
        self.answer = answer
        self.times = 0
        self.now = PAID_SERVER.asked_at + 10

    def __call__(self, profile: Profile) -> Capabilities:
        self.times += 1
        return self.answer.model_copy(update={"asked_at": self.now})

    def found(self, profile: Profile = TINKER, **more: Any) -> Capabilities:
        return models.capabilities(profile, ask=self, now=lambda: self.now, **more)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for place in ("STATE", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"TCAO_{place}_DIR", str(tmp_path / place))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LAB_KEY", "tml-x")
    return tmp_path / "CACHE" / "models"


def test_an_answer_is_good_for_some_minutes() -> None:
    asked = Asked()
    assert asked.found() == asked.found()
    asked.now += models.FRESH_SECONDS - 1
    asked.found()
    assert asked.times == 1
    asked.now += 2
    asked.found()
    assert asked.times == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda asked, cache: asked.found(fresh=True),
        lambda asked, cache: (cache / "lab.json").write_text("{"),
        lambda asked, cache: (cache / "lab.json").unlink(),
        lambda asked, cache: setattr(asked, "now", asked.now - 100),
    ],
)
def test_it_is_asked_again_when_wanted_or_when_nothing_usable_is_remembered(
    spoil: Callable[[Asked, Path], Any], cache: Path
) -> None:
    asked = Asked()
    asked.found()
    before = asked.times
    spoil(asked, cache)
    asked.found()
    assert asked.times > before


def test_another_address_is_another_server() -> None:
    asked = Asked()
    asked.found()
    asked.found(Profile("lab", "tinker", "https://other.example", TINKER.key_source, "test"))
    assert asked.times == 2


def test_a_cache_that_cannot_be_written_only_costs_time(cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    asked = Asked()
    asked.found()
    asked.found()
    assert asked.times == 2


def test_the_engine_is_started_unless_that_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Path] = []
    monkeypatch.setattr(engine_server, "start", started.append)
    asked = Asked()
    with pytest.raises(BackendError, match="not running"):
        asked.found(LOCAL, start_engine=False)
    assert started == []
    with pytest.raises(BackendError):
        asked.found(LOCAL)
    assert (len(started), asked.times) == (1, 0)


def test_a_missing_key_is_told_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TINKER_API_KEY", "TINKER_CREDENTIAL_CMD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("LAB_KEY")
    asked = Asked()
    for profile in (TINKER, Profile("tinker", "tinker", None, KeySource("sdk"), "test")):
        with pytest.raises(CredentialsError):
            asked.found(profile)
    assert asked.times == 0


def test_a_command_that_may_ask_a_person_is_left_to_the_helper() -> None:
    asked = Asked()
    asked.found(Profile("lab", "tinker", None, KeySource("command", "no-such-command"), "test"))
    assert asked.times == 1


def told(stdout: str, code: int = 0) -> Callable[..., subprocess.CompletedProcess[str]]:
    return lambda *given, **more: subprocess.CompletedProcess([], code, stdout, "")


ERROR = json.dumps({"error": {"what": "refused", "where": "there", "next_step": "do this"}})


@pytest.mark.parametrize(
    ("run", "kind", "says"),
    [
        (told("noise\n" + ERROR, ExitCode.CREDENTIALS), CredentialsError, "refused"),
        (told(ERROR, ExitCode.BACKEND), BackendError, "refused"),
        (told("", 1), BackendError, "helper"),
        (told("no json", 0), BackendError, "helper"),
        (told("[]", 0), BackendError, "helper"),
        (told('{"profile": 3}', 0), BackendError, "helper"),
    ],
)
def test_whatever_the_helper_says_becomes_an_error_with_a_next_step(
    run: Callable[..., Any], kind: type[Exception], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(kind, match=says) as caught:
        models.ask_helper(TINKER)
    assert getattr(caught.value, "next_step", "")


def test_a_helper_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*given: Any, **more: Any) -> Any:
        raise subprocess.TimeoutExpired("helper", more["timeout"])

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(BackendError, match="did not name its models within 120 s"):
        models.ask_helper(TINKER)


def test_the_last_line_of_the_helper_is_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", told(f"a warning\n{PAID_SERVER.model_dump_json()}\n"))
    assert models.ask_helper(TINKER) == PAID_SERVER
