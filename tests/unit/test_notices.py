from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.domain.desktop_notice import Style, desktop_notice, style_of
from tcao_tui.domain.events import Finished, LogLine, Outcome, PhaseChanged, RunEvent, StoredEvent
from tcao_tui.domain.notices import lost_notice, notice_of
from tcao_tui.domain.training_events import Alert


def stored(event: RunEvent) -> StoredEvent:
    return StoredEvent(seq=1, run_id="run-1", attempt=1, at=5.0, event=event)


def alert(action: str) -> Alert:
    return Alert(
        rule="loss_explosion", severity="critical", step=7, evidence="loss 9", suggestion="lower it", action=action
    )


@pytest.mark.parametrize(
    ("outcome", "kind", "said"),
    [
        ("completed", "done", "demo completed"),
        ("stopped", "done", "demo stopped at a checkpoint"),
        ("failed", "failed", "demo failed"),
        ("interrupted", "failed", "demo was interrupted and can be resumed"),
        ("budget", "failed", "demo stopped at its budget"),
    ],
)
def test_every_end_is_told_with_how_the_run_stands(outcome: Outcome, kind: str, said: str) -> None:
    end = Finished(outcome=outcome, exit_code=1, what="the disk is full", next_step="tcao resume run-1")
    found = notice_of(stored(end), "demo", "7 of 80 steps")
    assert found is not None
    assert (found.kind, found.title, found.at) == (kind, said, 5.0)
    assert found.text == "the disk is full. tcao resume run-1. 7 of 80 steps"


@pytest.mark.parametrize(("action", "told"), [("note", False), ("notify", True), ("pause", True), ("stop", True)])
def test_an_alert_is_told_unless_it_is_only_a_note(action: str, told: bool) -> None:
    found = notice_of(stored(alert(action)), "demo")
    assert (found is not None) is told
    if found is not None:
        assert (found.title, found.text) == ("demo loss explosion at step 7", "loss 9. lower it")


def test_a_pause_is_told_when_nobody_asked_for_it() -> None:
    assert notice_of(stored(PhaseChanged(phase="paused")), "demo") is None
    assert notice_of(stored(PhaseChanged(phase="training", detail="epoch 2")), "demo") is None
    found = notice_of(stored(PhaseChanged(phase="paused", detail="the pilot passed")), "demo")
    assert found is not None
    assert (found.kind, found.text) == ("approval", "the pilot passed. tcao resume run-1")


def test_most_events_are_not_worth_telling() -> None:
    assert notice_of(stored(LogLine(message="x")), "demo") is None


@given(st.text(max_size=200), st.text(max_size=2000))
def test_whatever_a_run_says_a_notice_is_plain_and_bounded(name: str, what: str) -> None:
    found = notice_of(stored(Finished(outcome="failed", exit_code=1, what=what)), name)
    assert found is not None
    for text in (found.title, found.text, found.name, lost_notice("run-1", name, at=1.0).title):
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", text)
        assert len(text) <= 800


@given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(["osc9", "osc777"]), st.booleans())
def test_no_text_ends_a_desktop_sequence_early(title: str, text: str, style: Style, in_tmux: bool) -> None:
    sequence = desktop_notice(title, text, style=style, in_tmux=in_tmux)
    end = "\x1b\\" if in_tmux else "\x07"
    assert sequence.startswith("\x1b")
    assert sequence.endswith(end)
    inner = sequence[1 : -len(end)]
    assert inner.count("\x07") == (1 if in_tmux else 0)
    assert inner.count("\x1b") == (2 if in_tmux else 0)
    if style == "osc777" and not in_tmux:
        assert sequence.count(";") == 3


def test_the_sequence_is_the_one_that_the_terminal_reads() -> None:
    assert desktop_notice("a", "b", style="osc9") == "\x1b]9;tcao: a. b\x07"
    assert desktop_notice("a", "b", style="osc777") == "\x1b]777;notify;a;b\x07"
    assert style_of({"TERM": "foot"}) == "osc777"
    assert style_of({"TERM": "xterm-256color", "VTE_VERSION": "7800"}) == "osc777"
    assert style_of({"TERM": "xterm-kitty"}) == "osc9"
    assert style_of({"TERM_PROGRAM": "iTerm.app"}) == "osc9"
    assert style_of({}) == "osc9"
