"""The port of evaluations over a real store: what was stored is what the screens get."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.domain.evaluation import CellKey
from tcao_tui.errors import Refused, UsageError
from tcao_tui.settings import Settings
from tcao_tui.store.sqlite import open_store
from tcao_tui.tui.evals_desk import StoredEvaluations, open_evaluations
from tcao_tui.tui.evals_port import EvalsWanted
from tests.fakes.evaluated import BASE, evaluated, items, task


@pytest.fixture
def root(tmp_path: Path) -> Path:
    store = open_store(tmp_path)
    answers = {"quality": {BASE.name: items(80), "r@20": items(150)}}
    evaluated(store.evaluations, [task("quality")], answers)
    store.close()
    return tmp_path


def opened(root: Path) -> StoredEvaluations:
    found = open_evaluations(root, Settings, EvalsWanted("e"), by="ann")
    assert isinstance(found, StoredEvaluations)
    return found


def test_matrix_and_items_are_those_of_the_store(root: Path) -> None:
    port = opened(root)
    matrix = port.poll()
    key = CellKey("quality", "r@20")
    assert matrix.cells[key].outcome == "better"
    found = port.items(key)
    assert (sum(one.value or 0 for one in found.items), sum(one.value or 0 for one in found.base)) == (150, 80)
    with pytest.raises(UsageError, match="keeps no transcripts"):
        port.transcript(key, "1", 1)
    port.close()


def test_a_choice_is_seen_with_the_next_poll(root: Path) -> None:
    port = opened(root)
    port.poll()
    assert "chosen" in port.choose("r@20", "it is better")
    selection = port.poll().selection
    assert selection is not None
    assert selection.choice is not None
    assert (selection.choice.subject, selection.choice.by) == ("r@20", "ann")
    port.close()


def test_what_is_over_can_neither_be_drained_nor_resumed(root: Path) -> None:
    port = opened(root)
    port.poll()
    assert port.why_not("drain")
    assert port.why_not("resume")
    assert not port.why_not("choose")
    with pytest.raises(Refused, match="nothing to cancel"):
        port.control("cancel")
    assert port.commands()["resume"] == "tcao eval resume e"
    port.close()


def test_what_is_neither_run_nor_evaluation_is_told(root: Path) -> None:
    with pytest.raises(UsageError):
        open_evaluations(root, Settings, EvalsWanted("nothing"), by="ann")
