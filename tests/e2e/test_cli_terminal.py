from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator

import pexpect
import pytest

from tests.fakes.command_line import PATIENCE_SECONDS, CommandLine

pytestmark = pytest.mark.timeout(600)

PLAN = """
training: {base_model: tcao/tiny-qwen3, run_name: n, train_file: train.jsonl, learning_rate: 0.001, num_steps: 2}
evals: {score: {file: test.jsonl}}
"""


@pytest.fixture(scope="module")
def tcao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    place = tmp_path_factory.mktemp("terminal")
    for name, numbers in (("train", range(300)), ("test", range(300, 340))):
        rows = (json.dumps({"input": f"What follows {n}?", "output": str(n + 1)}) + "\n" for n in numbers)
        (place / f"{name}.jsonl").write_text("".join(rows))
    (place / "plan.yaml").write_text(PLAN)
    command_line = CommandLine(place)
    yield command_line
    command_line.call("engine", "stop")


def in_terminal(tcao: CommandLine, *arguments: str) -> pexpect.spawn[str]:
    environ = {**tcao.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    command = ["-m", "tcao_tui", *arguments]
    return pexpect.spawn(
        sys.executable,
        command,
        env=environ,
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
        dimensions=(30, 100),
        preexec_fn=_as_a_terminal_would,
    )


def _as_a_terminal_would() -> None:
    # A test run started in the background ignores Ctrl-C, and so would everything that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("answer", ["", "yes", "n"])
def test_in_a_terminal_only_the_word_approve_launches(tcao: CommandLine, answer: str) -> None:
    child = in_terminal(tcao, "run", str(tcao.root / "plan.yaml"), "--backend", "local")
    child.expect("hash +[0-9a-f]{16}")
    child.expect("Type approve to launch")
    child.sendline(answer)
    child.expect("nothing was started")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 4
    assert not tcao.runs.exists()


def interrupt(child: pexpect.spawn[str]) -> None:
    """Press ctrl-c until it ends: one that comes just before the terminal is read is only seen at the next key."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    ended = False
    while not ended and time.monotonic() < deadline:
        child.sendintr()
        ended = child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=5) == 0
    assert ended


def test_an_interrupted_question_launches_nothing(tcao: CommandLine) -> None:
    child = in_terminal(tcao, "run", str(tcao.root / "plan.yaml"), "--backend", "local")
    child.expect("Type approve to launch")
    interrupt(child)
    child.close()
    assert child.exitstatus == 130
    assert not tcao.runs.exists()


def test_colour_is_for_terminals_and_can_be_switched_off(tcao: CommandLine) -> None:
    coloured = in_terminal(tcao, "doctor")
    coloured.expect("\x1b\\[3[0-9]m")
    coloured.expect(pexpect.EOF)
    coloured.close()
    tcao.environ["NO_COLOR"] = "1"
    plain = in_terminal(tcao, "doctor")
    plain.expect(pexpect.EOF)
    assert "\x1b[3" not in (plain.before or "")
    plain.close()
    assert "\x1b" not in tcao.call("doctor").stdout
