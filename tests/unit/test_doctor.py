from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.services.machine import disk, kill_user_processes, session


def systemd(root: Path, **files: str) -> Path:
    (root / "run/systemd/system").mkdir(parents=True)
    folder = root / "etc/systemd/logind.conf.d"
    folder.mkdir(parents=True)
    for name, text in files.items():
        place = folder.parent / "logind.conf" if name == "main" else folder / f"{name}.conf"
        place.write_text(f"[Login]\n{text}\n")
    return root


def test_without_systemd_log_out_ends_nothing(tmp_path: Path) -> None:
    assert kill_user_processes(tmp_path).state == "ok"


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({"main": "#KillUserProcesses=yes"}, "ok"),
        ({"main": "KillUserProcesses=yes"}, "warn"),
        ({"main": "KillUserProcesses=yes", "local": "KillUserProcesses=no"}, "ok"),
        ({"main": "KillUserProcesses=no", "a": "KillUserProcesses=no", "b": "KillUserProcesses = true"}, "warn"),
    ],
)
def test_the_last_word_of_systemd_counts(tmp_path: Path, files: dict[str, str], state: str) -> None:
    assert kill_user_processes(systemd(tmp_path, **files)).state == state


def test_a_session_names_what_it_runs_in() -> None:
    assert session({"TMUX": "x", "SSH_CONNECTION": "y"}).found == "tmux, ssh"
    assert session({}).found == "local"


def test_the_disk_of_a_directory_that_is_not_made_yet_is_that_of_its_parent(tmp_path: Path) -> None:
    assert disk(tmp_path / "not" / "there").found == disk(tmp_path).found
