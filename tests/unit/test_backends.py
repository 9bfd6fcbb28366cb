from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tcao_tui.errors import BackendError, CredentialsError, UsageError
from tcao_tui.services.backends import connection, resolve_profile
from tcao_tui.settings import ProfileSettings, Settings

KEY = "tml-do-not-show-this"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


def lab(**source: object) -> Settings:
    return Settings(profiles={"lab": ProfileSettings.model_validate({"base_url": "http://gpu:8000", **source})})


def store_login(home: dict[str, str], default: str | None) -> None:
    folder = Path(home["HOME"]) / ".tinker"
    folder.mkdir()
    body = {"version": 1, "default": default, "keys": {"a": {"type": "manual", "key": KEY, "name": "a"}}}
    (folder / "credentials.json").write_text(json.dumps(body))


def test_without_a_key_the_local_engine_is_used(home: dict[str, str]) -> None:
    profile = resolve_profile(Settings(), None, home)
    assert (profile.name, profile.kind) == ("local", "engine")


def test_with_a_key_in_the_environment_tinker_is_used(home: dict[str, str]) -> None:
    profile = resolve_profile(Settings(), None, {**home, "TINKER_API_KEY": KEY})
    assert (profile.name, profile.kind) == ("tinker", "tinker")
    assert KEY not in repr(profile)


def test_a_stored_login_with_a_default_counts_as_a_key(home: dict[str, str]) -> None:
    store_login(home, "a")
    assert resolve_profile(Settings(), None, home).name == "tinker"


@pytest.mark.parametrize("default", [None, "deleted"])
def test_a_stored_login_without_a_usable_default_is_no_key(home: dict[str, str], default: str | None) -> None:
    store_login(home, default)
    assert resolve_profile(Settings(), None, home).name == "local"


def test_a_broken_credentials_file_is_no_key(home: dict[str, str]) -> None:
    store_login(home, "a")
    (Path(home["HOME"]) / ".tinker" / "credentials.json").write_text("{not json")
    assert resolve_profile(Settings(), None, home).name == "local"


def test_option_beats_environment_beats_settings_beats_key(home: dict[str, str]) -> None:
    settings = lab().model_copy(update={"backend": "lab"})
    environ = {**home, "TINKER_API_KEY": KEY}
    assert resolve_profile(settings, None, environ).name == "lab"
    assert resolve_profile(settings, None, {**environ, "TCAO_BACKEND": "tinker"}).name == "tinker"
    assert resolve_profile(settings, "local", {**environ, "TCAO_BACKEND": "tinker"}).name == "local"


def test_an_unknown_backend_is_answered_with_the_nearest(home: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="did you mean tinker"):
        resolve_profile(Settings(), "tinkr", home)


def test_each_key_source_is_read_when_the_connection_is_made(home: dict[str, str], tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(f"{KEY}\nsecond line\n")
    program = f"{sys.executable} -c \"print('{KEY}')\""
    for source in ({"key_env": "LAB_KEY"}, {"key_file": str(key_file)}, {"key_command": program}):
        found = connection(resolve_profile(lab(**source), "lab", home), {**home, "LAB_KEY": KEY})
        assert found.base_url == "http://gpu:8000"
        assert found.api_key is not None
        assert found.api_key.get_secret_value() == KEY
        assert KEY not in repr(found)


@pytest.mark.parametrize(
    "source",
    [{"key_env": "LAB_KEY"}, {"key_file": "/nowhere/key"}, {"key_command": "false"}, {"key_command": "'unclosed"}, {}],
)
def test_a_missing_key_is_an_error_that_says_where_it_was_looked_for(
    home: dict[str, str], source: dict[str, str]
) -> None:
    with pytest.raises(CredentialsError) as caught:
        connection(resolve_profile(lab(**source), "lab", home), home)
    assert caught.value.where


def test_the_sdk_chooses_its_own_key_for_tinker(home: dict[str, str]) -> None:
    environ = {**home, "TINKER_API_KEY": KEY}
    found = connection(resolve_profile(Settings(), None, environ), environ)
    assert found.api_key is None
    assert found.base_url is None


def test_a_stopped_engine_is_an_error_with_the_command_that_helps(
    home: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TCAO_STATE_DIR", str(tmp_path / "state"))
    with pytest.raises(BackendError) as caught:
        connection(resolve_profile(Settings(), "local", home), home)
    assert caught.value.next_step == "tcao engine start"
