"""Labels and pins of checkpoints, and the validations among a run's rows, on each store backend."""

from __future__ import annotations

import threading
from pathlib import Path

from tcao_tui.domain.checkpoint_listing import CheckpointNote, SetExpiry
from tcao_tui.domain.events import LogLine
from tcao_tui.store.port import Cursor, RunStore
from tcao_tui.store.sqlite import open_store
from tests.fakes.run_records import train, validation

ONE, TWO = "tinker://a:train:0/weights/1", "tinker://a:train:0/weights/2"


def test_label_and_pin_of_a_path_are_kept_apart(store: RunStore) -> None:
    notes = store.checkpoint_notes
    assert notes.all() == {}
    notes.write([ONE, TWO], pinned=True)
    notes.write([ONE], label="the good one")
    notes.write([TWO], pinned=False)
    assert notes.all() == {ONE: CheckpointNote("the good one", pinned=True), TWO: CheckpointNote()}
    notes.write([ONE, TWO], expiry=SetExpiry(5.0, 9.0))
    notes.write([TWO], expiry=SetExpiry(6.0, None))
    notes.write([ONE], label="")
    assert notes.all() == {
        ONE: CheckpointNote(pinned=True, expiry=SetExpiry(5.0, 9.0)),
        TWO: CheckpointNote(expiry=SetExpiry(6.0, None)),
    }


def test_a_note_is_seen_as_a_change_by_whoever_polls(tmp_path: Path) -> None:
    here, there = open_store(tmp_path), open_store(tmp_path)
    before = there.changes()
    here.checkpoint_notes.write([ONE], label="a")
    noted = there.changes()
    here.checkpoint_notes.write([ONE], label="b")
    assert len({before, noted, there.changes()}) == 3
    for store in (here, there):
        store.close()


def test_two_consoles_that_note_at_once_lose_nothing(tmp_path: Path) -> None:
    consoles = [open_store(tmp_path) for _ in range(2)]

    def pin(store: RunStore, first: int) -> None:
        for number in range(first, 40, 2):
            store.checkpoint_notes.write([f"tinker://a/weights/{number}"], pinned=True)
            store.checkpoint_notes.write([ONE], label=None if first else "both", pinned=True if first else None)

    threads = [threading.Thread(target=pin, args=(store, first)) for first, store in enumerate(consoles)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    noted = consoles[0].checkpoint_notes.all()
    assert len(noted) == 41
    assert noted[ONE] == CheckpointNote("both", pinned=True)
    for store in consoles:
        store.close()


def test_only_the_rows_that_trained_nothing_are_read_for_validations(run_1: RunStore) -> None:
    writer = run_1.writer("run-1")
    train(writer, 1, 2)
    writer.commit(events=[LogLine(message="hello")], metrics=[validation(2, 0.5)])
    train(writer, 3, 3)
    writer.commit(metrics=[validation(3, 0.4)])
    first = run_1.read("run-1", Cursor(), validations=True, limit=1)
    assert ([r.step for r in first.metrics], first.more) == ([2], True)
    rest = run_1.read("run-1", first.cursor, validations=True)
    assert ([r.step for r in rest.metrics], rest.more) == ([3], False)
    assert run_1.read("run-1", rest.cursor, validations=True).cursor == rest.cursor
