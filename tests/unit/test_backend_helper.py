"""Calls of a helper process: the real process and protocol, with calls that need no server."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.errors import BackendError, CredentialsError, UsageError
from tcao_tui.services.backend_helper import BackendHelper, GivenUp, Ticket
from tests.fakes.echo_calls import Echo, Said


class Unknown(Echo):
    name = "unknown"


@pytest.fixture(scope="module")
def helper() -> Iterator[BackendHelper]:
    with BackendHelper("none", command=(sys.executable, "-m", "tests.fakes.echo_backend")) as running:
        yield running


def test_parts_are_told_before_the_result(helper: BackendHelper) -> None:
    heard: list[str] = []
    assert helper.call(Echo(words=("a", "b")), lambda said: heard.append(said.word)) == Said(word="2")
    assert heard == ["a", "b"]


def test_calls_of_several_threads_do_not_wait_for_each_other(helper: BackendHelper) -> None:
    waiting, ended = threading.Event(), list[str]()
    ticket = Ticket()

    def wait() -> None:
        try:
            helper.call(Echo(words=("wait",)), lambda said: waiting.set(), ticket)
        except GivenUp as error:
            ended.append(error.what)

    thread = threading.Thread(target=wait)
    thread.start()
    assert waiting.wait(60)
    assert helper.call(Echo(words=("a",))) == Said(word="1")
    ticket.cancel()
    thread.join(60)
    assert ended == ["it was given up"]


def test_a_call_given_up_before_it_began_ends_at_once(helper: BackendHelper) -> None:
    ticket = Ticket()
    ticket.cancel()
    with pytest.raises(GivenUp):
        helper.call(Echo(words=("wait",)), ticket=ticket)


def test_what_a_reader_raises_gives_the_call_up(helper: BackendHelper) -> None:
    def refuse(said: Said) -> None:
        raise KeyError(said.word)

    with pytest.raises(KeyError, match="waiting"):
        helper.call(Echo(words=("wait",)), refuse)
    assert helper.call(Echo(words=())) == Said(word="0")


def test_errors_come_out_as_what_they_are(helper: BackendHelper) -> None:
    with pytest.raises(CredentialsError, match="the key was refused") as refused:
        helper.call(Echo(words=("refuse",)))
    assert refused.value.next_step == "tcao doctor"
    with pytest.raises(Unsupported):
        helper.call(Echo(words=("miss",)))
    with pytest.raises(UsageError, match="called 'unknown'"):
        helper.call(Unknown(words=()))
    with pytest.raises(BackendError, match=r"ValueError in backend\.py") as broken:
        helper.call(Echo(words=("break",)))
    assert "secret" not in broken.value.what


def test_a_helper_that_died_fails_its_calls_and_the_next_call_has_a_new_one(helper: BackendHelper) -> None:
    with pytest.raises(BackendError, match="ended"):
        helper.call(Echo(words=("die",)))
    deadline = time.monotonic() + 60
    while True:
        try:
            assert helper.call(Echo(words=("a",))) == Said(word="1")
            return
        except BackendError:
            assert time.monotonic() < deadline


def test_closing_ends_the_session_of_the_helper(tmp_path: Path) -> None:
    note = tmp_path / "note"
    with BackendHelper("none", command=(sys.executable, "-m", "tests.fakes.echo_backend", str(note))) as helper:
        helper.call(Echo(words=()))
    assert note.read_text() == "closed"
