"""The contract of the evaluation store, over both stores."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tcao_tui.domain.evaluation import CellKey, CellRecord, CellState, Choice, Counts, ItemResult, Usage
from tcao_tui.errors import Refused, UsageError
from tcao_tui.store import schema
from tcao_tui.store.evaluations import EvaluationStore
from tcao_tui.store.port import RunStore
from tcao_tui.store.sqlite import open_store
from tests.fakes.evaluated import BASE, TRAINED, record
from tests.fakes.run_records import new_run

GREET_BASE = CellKey("greet", BASE.name)
GREET_TRAINED = CellKey("greet", TRAINED.name)


@pytest.fixture
def store(store: RunStore) -> EvaluationStore:
    store.evaluations.create_evaluation(record())
    return store.evaluations


def cell(key: CellKey, state: CellState = CellState.RUNNING, **changes: object) -> CellRecord:
    return CellRecord(task=key.task, subject=key.subject, state=state).model_copy(update=changes)


def test_what_was_asked_for_is_kept_and_every_cell_waits_task_by_task(store: EvaluationStore) -> None:
    assert store.evaluation("eval-1") == record()
    assert [found.key for found in store.cells("eval-1")] == [
        (task, subject) for task in ("greet", "add") for subject in (BASE.name, TRAINED.name)
    ]
    assert {found.state for found in store.cells("eval-1")} == {CellState.WAITING}
    assert store.items("eval-1") == {found.key: [] for found in store.cells("eval-1")}


def test_an_id_is_taken_once_and_an_unknown_one_is_answered_with_the_nearest(store: EvaluationStore) -> None:
    with pytest.raises(Refused, match="there is an evaluation eval-1 already"):
        store.create_evaluation(record())
    for ask in (store.evaluation, store.cells, store.items):
        with pytest.raises(UsageError, match="no evaluation eval-2; did you mean eval-1"):
            ask("eval-2")
    with pytest.raises(UsageError, match="no evaluation eval-2"):
        store.write_cell("eval-2", cell(GREET_BASE), at=2.0)


def test_a_cell_is_replaced_whole_and_its_items_come_in_the_order_of_their_first_result(
    store: EvaluationStore,
) -> None:
    one, two = ItemResult(item="b", value=1.0, tokens=3), ItemResult(item="a", value=None, error="no answer")
    running = cell(GREET_BASE, counts=Counts(planned=4, completed=2, errored=1), usage=Usage(output_tokens=3))
    store.write_cell("eval-1", running, [one, two], at=2.0)
    better = ItemResult(item="b", value=0.5, cluster="text-1", truncated=True, epochs=2, tokens=9)
    store.write_cell("eval-1", cell(GREET_BASE, CellState.DONE, log="a.eval"), [better], at=3.0)
    assert store.items("eval-1", [GREET_BASE]) == {GREET_BASE: [better, two]}
    assert store.cells("eval-1")[0] == cell(GREET_BASE, CellState.DONE, log="a.eval")
    assert store.items("eval-1", [GREET_TRAINED]) == {GREET_TRAINED: []}


def test_an_unknown_cell_is_an_error_and_writes_nothing(store: EvaluationStore) -> None:
    with pytest.raises(UsageError, match="eval-1 has no cell greet over somebody"):
        store.write_cell("eval-1", cell(CellKey("greet", "somebody")), [ItemResult(item="a", value=1.0)], at=2.0)
    with pytest.raises(UsageError, match="no cell"):
        store.items("eval-1", [CellKey("greet", "somebody")])
    assert store.evaluations()[0].changes == 0


def test_the_list_counts_cells_that_are_done_and_comes_newest_first(store: EvaluationStore) -> None:
    store.create_evaluation(record("eval-2", at=5.0, run_id="run-2", title="other"))
    store.write_cell("eval-1", cell(GREET_BASE, CellState.DONE), at=7.0)
    store.write_cell("eval-1", cell(GREET_TRAINED, CellState.PARTIAL), at=8.0)
    assert [one.evaluation_id for one in store.evaluations()] == ["eval-2", "eval-1"]
    assert [one.evaluation_id for one in store.evaluations(limit=1)] == ["eval-2"]
    [first] = store.evaluations(run_id="r")
    assert (first.title, first.cells, first.done, first.created_at, first.updated_at) == ("tiny", 4, 1, 1.0, 8.0)
    assert first.changes == 2


def test_choices_of_a_run_are_kept_the_newest_last(store: EvaluationStore) -> None:
    made = [
        Choice(run_id="run-1", subject=name, checkpoint="tinker://c", reason="it is kinder", by="me", at=at)
        for at, name in ((1.0, "run-1@20"), (2.0, "run-1@40"))
    ]
    for choice in made:
        store.choose(choice)
    assert store.choices("run-1") == made
    assert store.choices("run-2") == []


def test_what_is_written_survives_the_process_and_readers_see_that_something_changed(tmp_path: Path) -> None:
    writer, reader = open_store(tmp_path / "runs"), open_store(tmp_path / "runs")
    before = reader.changes()
    writer.evaluations.create_evaluation(record())
    created = reader.changes()
    writer.evaluations.write_cell("eval-1", cell(GREET_BASE), [ItemResult(item="a", value=0.25)], at=2.0)
    assert len({before, created, reader.changes()}) == 3
    writer.close()
    assert reader.evaluations.items("eval-1", [GREET_BASE])[GREET_BASE][0].value == 0.25
    reader.close()


def test_a_store_of_the_fifth_version_is_upgraded_and_keeps_its_runs(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    root.mkdir()
    connection = sqlite3.connect(root / "state.db", isolation_level=None)
    for script in schema.MIGRATIONS[:5]:
        connection.executescript(script)
    connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 5")
    connection.execute(
        "INSERT INTO runs (run_id, name, method, base_model, backend, status, step, total_steps, train_loss, val_loss, "
        "tokens, cost_usd, attempt, created_at, updated_at, numbers) "
        "VALUES ('run-1', 'old', 'rl', 'm', 'local', 'stopped', 7, 10, 0.5, NULL, 70, 0.0, 1, 1.0, 2.0, '{}')"
    )
    connection.close()
    store = open_store(root)
    assert [run.run_id for run in store.runs()] == [new_run().run_id]
    store.evaluations.create_evaluation(record())
    assert store.evaluations.cells("eval-1")
    store.close()
