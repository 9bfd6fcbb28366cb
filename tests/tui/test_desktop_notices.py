from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from tcao_tui.domain.notices import Notice, notice
from tcao_tui.errors import TcaoError
from tcao_tui.settings import load_settings
from tcao_tui.tui.app import TcaoApp
from tcao_tui.tui.desktop import tell_terminal
from tcao_tui.tui.wiring import wire
from tests.fakes.console import FakeConsole
from tests.tui.conftest import Until


def a_notice(said: str, text: str = "80 of 80 steps") -> Notice:
    return notice("done", run_id="run-1", name="tickets", said=said, text=text, at=1.0)


class FakeNotices:
    def __init__(self, *found: Notice, error: TcaoError | None = None) -> None:
        self.found, self.error = list(found), error
        self.polls = 0
        self.closed = False

    def poll(self) -> Sequence[Notice]:
        self.polls += 1
        if self.error is not None:
            raise self.error
        found, self.found = self.found, []
        return found

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the console writes to its terminal beside what it paints."""
    written: list[str] = []
    monkeypatch.setattr(HeadlessDriver, "write", lambda _driver, text: written.append(text))
    for name in ("TMUX", "TERM_PROGRAM", "VTE_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-kitty")
    monkeypatch.setattr("tcao_tui.tui.app.START_SECONDS", 0.01)
    return written


def notices_in(written: list[str]) -> list[str]:
    return [text for text in written if "]9;" in text or "]777;" in text]


async def test_the_terminal_is_told_each_fact_once_on_whichever_screen(
    console: FakeConsole, until: Until, terminal: list[str]
) -> None:
    source = console.notices = FakeNotices(a_notice("completed"), a_notice("is lost", "\x1b]0;owned\x07 now"))
    async with TcaoApp(console.ports(), run_ref="tickets").run_test() as pilot:
        await until(pilot, lambda: len(notices_in(terminal)) == 2)
        assert notices_in(terminal)[0] == "\x1b]9;tcao: tickets completed. 80 of 80 steps\x07"
        assert notices_in(terminal)[1].count("\x1b") == 1, "nothing of a run reaches the terminal as a command"
    assert source.closed


@pytest.mark.parametrize(
    ("name", "value", "begins"),
    [("TERM", "foot", "\x1b]777;notify;"), ("TMUX", "/tmp/tmux", "\x1bPtmux;\x1b\x1b]9;")],
)
def test_the_terminal_gets_the_sequence_that_it_reads(name: str, value: str, begins: str) -> None:
    written: list[str] = []
    telling = tell_terminal(lambda: FakeNotices(a_notice("completed")), written.append, {name: value})
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(telling, 0.2))
    assert written[0].startswith(begins)


async def test_runs_that_cannot_be_read_end_the_notices_and_say_so(
    console: FakeConsole, until: Until, terminal: list[str]
) -> None:
    source = console.notices = FakeNotices(error=TcaoError("the disk failed", next_step="tcao doctor"))
    app = TcaoApp(console.ports())
    async with app.run_test() as pilot:
        await until(pilot, lambda: source.closed)
        await until(pilot, lambda: any("the disk failed" in toast.message for toast in app._notifications))
    assert source.polls == 1
    assert not notices_in(terminal)


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ("", False),
        ("notifications: {desktop: true}", True),
        ("notifications: {desktop: true, when: []}", False),
        ("notifications: {command: [notify-send]}", False),
    ],
)
def test_nothing_is_watched_unless_the_settings_want_it(tmp_path: Path, settings: str, wanted: bool) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(settings)
    source = wire(tmp_path / "runs", lambda: load_settings(file)).open_notices()
    assert (source is not None) is wanted
    if source is not None:
        assert source.poll() == []
        source.close()


def test_a_directory_that_is_only_watched_has_no_notices(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("notifications: {desktop: true}")
    assert wire(tmp_path / "runs", lambda: load_settings(file), tmp_path).open_notices() is None
