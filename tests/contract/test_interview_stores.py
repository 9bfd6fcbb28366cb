from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from tcao_tui.domain.draft import Filled
from tcao_tui.domain.events import Launched
from tcao_tui.domain.interview import (
    Approved,
    Entry,
    RunStarted,
    Said,
    SlotCleared,
    SlotFilled,
    Started,
    StoredEntry,
    UnknownEntry,
)
from tcao_tui.errors import Refused, UsageError
from tcao_tui.store import schema
from tcao_tui.store.interviews import InterviewStore
from tcao_tui.store.port import Cursor, RunStore
from tcao_tui.store.sqlite import SqliteStore, open_store
from tcao_tui.store.summary_rows import SUMMARY_COLUMNS, new_summary, summary_values
from tests.fakes.run_records import launch, new_run

STARTED = Started(profile="local", directory="/home/me/project", planner="rules")


def said(text: str) -> Said:
    return Said(who="you", text=text)


def filled(path: str, value: object) -> SlotFilled:
    return SlotFilled(path=path, filled=Filled(value=value, by="you", reason="you said so"))


APPROVED = Approved(approval_hash="ab", how="typed", by="me", plan={}, quote={})


@pytest.fixture
def talk(store: RunStore) -> InterviewStore:
    store.interviews.create_interview("talk-1", at=1.0)
    return store.interviews


def added(store: InterviewStore, *entries: Entry, to: str = "talk-1", at: float = 2.0) -> list[StoredEntry]:
    before = store.entries(to)
    return store.append(to, entries, after=before[-1].seq if before else 0, at=at)


def test_entries_come_back_as_they_were_written_and_in_order(talk: InterviewStore) -> None:
    first = added(talk, STARTED, said("a model that answers mails ☂"))
    second = added(talk, filled("training.lora_rank", 64), at=3.5)
    assert talk.entries("talk-1") == [*first, *second]
    assert [stored.entry.kind for stored in talk.entries("talk-1")] == ["started", "said", "filled"]
    assert [stored.seq for stored in [*first, *second]] == sorted({stored.seq for stored in [*first, *second]})
    assert (second[0].interview_id, second[0].at) == ("talk-1", 3.5)


def test_what_lies_past_a_place_can_be_read_alone(talk: InterviewStore) -> None:
    first, second = added(talk, STARTED, said("x"))
    assert talk.entries("talk-1", after=first.seq) == [second]
    assert talk.entries("talk-1", after=second.seq) == []


def test_an_append_from_an_old_place_is_refused_and_writes_nothing(talk: InterviewStore) -> None:
    (first,) = added(talk, STARTED)
    added(talk, said("by one console"))
    with pytest.raises(Refused, match="went on in another console") as refused:
        talk.append("talk-1", [said("by the other"), said("and more")], after=first.seq, at=9.0)
    assert refused.value.next_step == "tcao plan --resume talk-1"
    assert [stored.entry.kind for stored in talk.entries("talk-1")] == ["started", "said"]
    assert talk.interviews()[0].updated_at == 2.0


def test_interviews_do_not_stand_in_each_others_way(talk: InterviewStore) -> None:
    talk.create_interview("talk-2", at=1.5)
    added(talk, said("one"))
    added(talk, said("two"), to="talk-2")
    added(talk, said("three"))
    assert [stored.entry for stored in talk.entries("talk-1")] == [said("one"), said("three")]
    assert [stored.entry for stored in talk.entries("talk-2")] == [said("two")]


def test_an_id_is_taken_only_once(talk: InterviewStore) -> None:
    with pytest.raises(Refused, match="talk-1 already"):
        talk.create_interview("talk-1", at=5.0)


def test_an_unknown_interview_is_told_with_the_nearest_id(talk: InterviewStore) -> None:
    with pytest.raises(UsageError, match="did you mean talk-1"):
        talk.entries("talk-7")
    with pytest.raises(UsageError, match="did you mean talk-1"):
        talk.append("talk-7", [said("x")], after=0, at=1.0)


def test_the_list_shows_what_each_is_about_and_how_far_it_came(talk: InterviewStore) -> None:
    def row() -> tuple[str, str, str]:
        summary = talk.interviews()[0]
        return summary.title, summary.status, summary.run_id

    assert row() == ("", "open", "")
    added(talk, said("file\x1b[2J tickets\nas JSON"))
    assert row() == ("file tickets as JSON", "open", "")
    added(talk, filled("goal", "File tickets as JSON."), APPROVED)
    assert row() == ("File tickets as JSON.", "approved", "")
    added(talk, SlotCleared(path="method"))
    assert row() == ("File tickets as JSON.", "open", "")
    added(talk, APPROVED, RunStarted(run_id="run-1"))
    assert row() == ("File tickets as JSON.", "launched", "run-1")


def test_the_one_that_moved_last_comes_first_and_at_most_so_many(talk: InterviewStore) -> None:
    for number, at in ((2, 5.0), (3, 4.0)):
        talk.create_interview(f"talk-{number}", at=at)
    added(talk, said("x"), at=9.0)
    assert [summary.interview_id for summary in talk.interviews()] == ["talk-1", "talk-2", "talk-3"]
    assert [summary.interview_id for summary in talk.interviews(limit=1)] == ["talk-1"]
    assert talk.interviews()[0].created_at == 1.0


def test_hostile_text_is_kept_and_does_no_harm(talk: InterviewStore) -> None:
    text = "\ud800 \x00 \x1b]0;x\x07 '); DROP TABLE interviews;--"
    (stored,) = added(talk, said(text))
    assert isinstance(stored.entry, Said)
    assert stored.entry.text == text.replace("\ud800", "?")
    assert talk.entries("talk-1") == [stored]


def test_entries_of_a_newer_version_are_kept_and_counted(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.interviews.create_interview("talk-1", at=1.0)
    added(store.interviews, STARTED)
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("INSERT INTO interview_entries (interview, at, kind, body) VALUES (1, 1.0, 'danced', '{}')")
    connection.commit()
    connection.close()
    newest = store.interviews.entries("talk-1")[-1].entry
    assert newest == UnknownEntry(kind="danced", raw="{}")
    store.close()


def test_of_consoles_that_append_at_once_one_wins_each_time(tmp_path: Path) -> None:
    one = open_store(tmp_path)
    one.interviews.create_interview("talk-1", at=1.0)
    consoles = [one, *(open_store(tmp_path) for _ in range(3))]
    ready, refused = threading.Barrier(len(consoles)), []

    def append(store: SqliteStore, name: str) -> None:
        for _ in range(10):
            last = store.interviews.entries("talk-1")
            ready.wait()
            try:
                store.interviews.append("talk-1", [said(name)], after=last[-1].seq if last else 0, at=2.0)
            except Refused:
                refused.append(name)
            ready.wait()

    threads = [threading.Thread(target=append, args=(store, f"console {n}")) for n, store in enumerate(consoles)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(one.interviews.entries("talk-1")), len(refused)) == (10, 30)
    for store in consoles:
        store.close()


def version_one(root: Path) -> None:
    """A store as the first version of tcao left it, with a run in it."""
    root.mkdir()
    connection = sqlite3.connect(root / "state.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(
        f"BEGIN;\n{schema.MIGRATIONS[0]}\nPRAGMA application_id = {schema.APPLICATION_ID};"
        "\nPRAGMA user_version = 1;\nCOMMIT;"
    )
    values = dict(zip(SUMMARY_COLUMNS.split(", "), summary_values(new_summary(new_run())), strict=True))
    del values["numbers"]  # of a later version
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO runs ({', '.join(values)}) VALUES ({marks})", [*values.values()])
    connection.close()


def test_a_store_of_the_first_version_is_upgraded_and_keeps_its_runs(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    version_one(root)
    store = open_store(root, create=False)
    launch(store.writer("run-1"))
    store.interviews.create_interview("talk-1", at=1.0)
    added(store.interviews, STARTED)
    store.close()
    again = open_store(root, create=False)
    assert [type(stored.event) for stored in again.read("run-1", Cursor()).events][:1] == [Launched]
    assert [stored.entry for stored in again.interviews.entries("talk-1")] == [STARTED]
    again.close()


def test_an_interview_changes_nothing_that_the_run_list_looks_at(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    before = store.changes()
    store.interviews.create_interview("talk-1", at=1.0)
    added(store.interviews, STARTED)
    assert store.changes() == before
    store.close()
