from __future__ import annotations

import pytest

from tcao_tui.domain.events import Finished, Launched
from tcao_tui.domain.run_view import LeaseState, RunStatus
from tcao_tui.errors import UsageError
from tcao_tui.services.runs import find_run, list_runs
from tcao_tui.store.memory import MemoryStore
from tests.fakes.run_records import new_run


class CountingStore(MemoryStore):
    leases_asked = 0

    def lease(self, run_id: str) -> LeaseState:
        self.leases_asked += 1
        return super().lease(run_id)


@pytest.fixture
def store() -> CountingStore:
    store = CountingStore()
    for created_at, (run_id, name) in enumerate([("ab-1", "alpha"), ("ab-2", "beta"), ("ac-3", "alpha")]):
        store.create_run(new_run(run_id, name=name, created_at=float(created_at)))
    return store


@pytest.mark.parametrize(
    ("ref", "run_id"),
    [("ab-1", "ab-1"), ("ac", "ac-3"), ("alpha", "ac-3"), ("beta", "ab-2"), ("latest", "ac-3")],
)
def test_a_run_is_found_by_id_prefix_name_or_latest(store: CountingStore, ref: str, run_id: str) -> None:
    assert find_run(store, ref).run_id == run_id


def test_an_id_wins_over_a_name_and_a_name_over_a_prefix(store: CountingStore) -> None:
    store.create_run(new_run("zz", name="ab-1", created_at=9.0))
    store.create_run(new_run("yy", name="ac", created_at=10.0))
    assert find_run(store, "ab-1").run_id == "ab-1"
    assert find_run(store, "ac").run_id == "yy"


def test_an_ambiguous_prefix_names_the_candidates(store: CountingStore) -> None:
    with pytest.raises(UsageError, match="ab-2, ab-1") as raised:
        find_run(store, "ab")
    assert raised.value.next_step == "give more of the id"


def test_a_typing_error_is_answered_with_what_is_near(store: CountingStore) -> None:
    with pytest.raises(UsageError, match="did you mean alpha"):
        find_run(store, "alhpa")


@pytest.mark.parametrize("ref", ["latest", "", "x"])
def test_without_runs_the_demo_is_the_next_step(ref: str) -> None:
    with pytest.raises(UsageError, match="no runs yet") as raised:
        find_run(MemoryStore(), ref)
    assert raised.value.next_step == "tcao demo"


def test_a_run_whose_worker_is_gone_is_lost(store: CountingStore) -> None:
    store.writer("ab-1").commit(events=[Launched(fence=1, pid=1, host="h")])
    assert find_run(store, "ab-1").status is RunStatus.LOST
    store.hold("ab-1")
    assert find_run(store, "ab-1").status is RunStatus.STARTING
    assert find_run(store, "ab-1").recorded_status is RunStatus.STARTING


def test_only_runs_that_may_be_live_are_looked_at_twice(store: CountingStore) -> None:
    for run_id in ("ab-1", "ab-2"):
        store.writer(run_id).commit(events=[Launched(fence=1, pid=1, host="h")])
    store.writer("ab-2").commit(events=[Finished(outcome="completed", exit_code=0)])
    statuses = {run.run_id: run.status for run in list_runs(store)}
    assert statuses == {"ab-1": RunStatus.LOST, "ab-2": RunStatus.COMPLETED, "ac-3": RunStatus.CREATED}
    assert store.leases_asked == 2
