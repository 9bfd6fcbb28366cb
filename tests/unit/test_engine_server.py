from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui.errors import BackendError
from tcao_tui.services import engine_server
from tcao_tui.services.detached import ProcessIdentity, exit_status, spawn, start_ticks
from tests.fakes.loopback import QuietHandler, served

ANSWERS = {
    "/api/v1/healthz": {"status": "ok"},
    "/api/v1/get_server_capabilities": {"supported_models": [{"model_name": "tcao/tiny-qwen3"}]},
}


class _Engine(QuietHandler):
    def do_GET(self) -> None:
        known = ANSWERS.get(self.path) if self.headers["X-API-Key"] == "tml-local-x" else None
        self.say(200 if known else 404, json.dumps(known or {}).encode())


@pytest.fixture
def url() -> Iterator[str]:
    with served(_Engine) as url:
        yield url


def announce(state_dir: Path, url: str, pid: int, ticks: int | None) -> None:
    entry = {"url": url, "pid": pid, "pid_start_ticks": ticks, "version": "9"}
    (state_dir / "engine.json").write_text(json.dumps(entry))
    (state_dir / "key").write_text("tml-local-x\n")


def test_an_empty_directory_has_no_engine(tmp_path: Path) -> None:
    assert engine_server.status(tmp_path).url is None
    assert engine_server.stop(tmp_path) is False


def test_a_running_engine_tells_its_models(tmp_path: Path, url: str) -> None:
    announce(tmp_path, url, os.getpid(), start_ticks(os.getpid()))
    found = engine_server.status(tmp_path)
    assert found.answers
    assert found.models == ("tcao/tiny-qwen3",)
    assert found.checkpoints is None
    assert found.uptime_seconds is not None
    assert found.uptime_seconds > 0


def test_a_reused_pid_is_not_taken_for_the_engine(tmp_path: Path, url: str) -> None:
    announce(tmp_path, url, os.getpid(), (start_ticks(os.getpid()) or 0) - 1)
    assert engine_server.status(tmp_path).url is None
    assert engine_server.stop(tmp_path) is False


def test_a_process_that_does_not_answer_is_told_apart_from_a_stopped_one(tmp_path: Path) -> None:
    announce(tmp_path, "http://127.0.0.1:1", os.getpid(), start_ticks(os.getpid()))
    found = engine_server.status(tmp_path)
    assert found.url == "http://127.0.0.1:1"
    assert not found.answers


def test_a_start_that_fails_carries_the_end_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "engine.log").write_text("an old line\n")
    with pytest.raises(BackendError) as caught:
        engine_server.start(tmp_path, model_dir=tmp_path / "no-model", timeout_seconds=60)
    assert "the engine ended with code" in caught.value.what
    assert "\n  | " in caught.value.what
    assert "an old line" not in caught.value.what


def test_stop_ends_exactly_the_announced_process(tmp_path: Path) -> None:
    pid = spawn([sys.executable, "-c", "import time; time.sleep(600)"], log_file=tmp_path / "log", environ=os.environ)
    ticks = start_ticks(pid)
    announce(tmp_path, "http://127.0.0.1:1", pid, ticks)
    assert engine_server.stop(tmp_path) is True
    assert not ProcessIdentity(pid, ticks).is_alive


def test_a_detached_process_has_its_own_session_and_no_input(tmp_path: Path) -> None:
    program = "import os, sys; print(os.getsid(0) == os.getpid(), sys.stdin.read() == '', flush=True)"
    log = tmp_path / "log"
    pid = spawn([sys.executable, "-c", program], log_file=log, environ=os.environ)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert exit_status(pid) is None
    assert log.read_text() == "True True\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_restart_takes_the_port_that_workers_know_unless_it_is_taken(tmp_path: Path, url: str) -> None:
    assert engine_server.free_last_port(tmp_path) == 0
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    (tmp_path / "port").write_text(f"{port}\n")
    assert engine_server.free_last_port(tmp_path) == port
    (tmp_path / "port").write_text(url.rpartition(":")[2])
    assert engine_server.free_last_port(tmp_path) == 0
    (tmp_path / "port").write_text("99999999")
    assert engine_server.free_last_port(tmp_path) == 0
