from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.errors import ExitCode
from tcao_tui.settings import Settings, SettingsInvalid, load_settings


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.yaml"
    path.write_text(text)
    return path


def test_a_missing_file_means_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "settings.yaml") == Settings()


def test_an_empty_file_means_defaults(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "# nothing yet\n")) == Settings()


def test_a_named_server_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "backend: lab\nprofiles:\n  lab: {base_url: 'http://gpu:8000', key_env: LAB_KEY}\n")
    settings = load_settings(path)
    assert settings.backend == "lab"
    assert settings.profiles["lab"].key_env == "LAB_KEY"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("themes: dark\n", "themes: unknown key; did you mean theme?"),
        ("profiles: {lab: {base_uri: 'http://x'}}\n", "profiles.lab.base_uri: unknown key; did you mean base_url?"),
        ("zzz: 1\n", "zzz: unknown key; there are: backend, theme, profiles"),
        ("profiles: {local: {}}\n", "'local' is built in"),
        ("backend: lap\n", "'lap' is not a profile; there are: local, tinker"),
        ("profiles: {lab: {key_env: A, key_file: b}}\n", "give one of key_env, key_file and key_command"),
        ("profiles: {lab: {base_url: 'gpu:8000'}}\n", "profiles.lab.base_url"),
        ("- a list\n", "settings"),
    ],
)
def test_each_mistake_is_told_with_its_key_path(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(written(tmp_path, text))
    assert told in caught.value.what
    assert caught.value.exit_code is ExitCode.PLAN_INVALID


def test_broken_yaml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(written(tmp_path, "backend: local\nprofiles: [unclosed\n"))
    assert caught.value.where.endswith("settings.yaml:3")


def test_a_key_pasted_into_the_file_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(written(tmp_path, "profiles: {lab: {key_env: tml-very-secret-value, key: tml-other-secret}}\n"))
    assert "secret" not in str(caught.value)
