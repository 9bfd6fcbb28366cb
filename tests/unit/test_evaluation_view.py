"""The matrix of a run's evaluations: what comes together, what is read again, levels, gains and cautions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence

import pytest

from tcao_tui.domain.eval_matrix import EvalMatrix
from tcao_tui.domain.evaluation import CellKey, CellState, Counts, ItemResult
from tcao_tui.services.evaluation_view import EvaluationFollower
from tcao_tui.store.memory_evaluations import MemoryEvaluations
from tests.fakes.evaluated import BASE, cell_of, evaluated, items, record, task, trained, write

TICKETS = task("tickets")
GSM8K = task("inspect_evals/gsm8k", 2, limit=100)


class CountingStore(MemoryEvaluations):
    """Remembers whose items were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[CellKey] = []

    def items(
        self, evaluation_id: str, cells: Collection[CellKey] | None = None
    ) -> Mapping[CellKey, Sequence[ItemResult]]:
        self.read += list(cells or [])
        return super().items(evaluation_id, cells)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


def matrix(store: MemoryEvaluations) -> EvalMatrix:
    return EvaluationFollower(store, run_id="r").poll()


def test_scores_come_with_intervals_and_gains_over_the_base(store: CountingStore) -> None:
    evaluated(store, [TICKETS], {"tickets": {"tiny": items(20), "r@40": items(160), "r@80": items(22)}})
    found = matrix(store)
    base, early, late = (found.cells["tickets", name] for name in ("tiny", "r@40", "r@80"))
    assert found.base == "tiny"
    assert base.level is not None
    assert early.level is not None
    assert early.gain is not None
    assert (base.level.how, base.level.items, base.gain, base.outcome) == ("Wilson", 200, None, None)
    assert base.level.low < 0.1 < base.level.high
    assert early.gain.mean == pytest.approx(0.7)
    assert (early.outcome, late.outcome) == ("better", "cannot tell")
    assert late.p_value == pytest.approx(0.5)


def test_a_task_of_a_loss_is_better_when_it_falls(store: CountingStore) -> None:
    held_out = task("held-out rows", 1, harness="held_out", higher_is_better=False)
    before = [ItemResult(item=str(n), value=2 + n / 50) for n in range(50)]
    after = [ItemResult(item=str(n), value=1.5 + n / 51) for n in range(50)]
    evaluated(store, [held_out], {"held-out rows": {"tiny": before, "r@40": after}})
    cell = matrix(store).cells["held-out rows", "r@40"]
    assert cell.level is not None
    assert (cell.outcome, cell.level.how) == ("better", "t")


def test_evaluations_of_a_run_come_together_by_what_their_tasks_mean(store: CountingStore) -> None:
    evaluated(store, [TICKETS], {"tickets": {"tiny": items(20), "r@40": items(100)}}, "first", at=1.0)
    renamed = TICKETS.model_copy(update={"name": "tickets"})
    evaluated(
        store,
        [GSM8K, renamed],
        {"inspect_evals/gsm8k": {"r@80": items(9)}, "tickets": {"r@80": items(150)}},
        "second",
        at=5.0,
    )
    found = matrix(store)
    assert [subject.name for subject in found.subjects] == ["tiny", "r@40", "r@80"]
    assert [one.name for one in found.tasks] == ["inspect_evals/gsm8k", "tickets"]
    late = found.cells["tickets", "r@80"]
    assert (late.evaluation_id, late.outcome) == ("second", "better")
    assert found.cells["tickets", "tiny"].evaluation_id == "first", "what the second one did not do is of the first"


def test_the_newest_finished_cell_wins(store: CountingStore) -> None:
    evaluated(store, [TICKETS], {"tickets": {"tiny": items(20), "r@40": items(100)}}, "first", at=1.0)
    evaluated(store, [TICKETS], {"tickets": {"tiny": items(30), "r@40": items(120)}}, "second", at=5.0)
    store.create_evaluation(record("third", tasks=(TICKETS,), subjects=(BASE, trained(40)), at=9.0))
    running = cell_of("tickets", "tiny", items(5, 10), CellState.RUNNING)
    store.write_cell("third", running, items(5, 10), at=10.0)
    assert matrix(store).cells["tickets", "tiny"].evaluation_id == "second"


def test_tasks_of_one_name_with_other_settings_stand_apart_and_say_why(store: CountingStore) -> None:
    evaluated(store, [GSM8K], {"inspect_evals/gsm8k": {"tiny": items(20)}}, "first", at=1.0)
    other = GSM8K.model_copy(update={"limit": 200})
    evaluated(store, [other], {"inspect_evals/gsm8k": {"tiny": items(30)}}, "second", at=5.0)
    found = matrix(store)
    newer, older = (one.name for one in found.tasks)
    assert newer == "inspect_evals/gsm8k"
    assert older.startswith("inspect_evals/gsm8k (")
    assert found.notes == (f"{older} differs from {newer} and is not compared with it: limit 100 instead of 200",)
    assert found.cells[older, "tiny"].record.task == "inspect_evals/gsm8k", "a cell is known to its own evaluation"


def test_lost_answers_keep_a_cell_from_being_compared(store: CountingStore) -> None:
    cut = [item.model_copy(update={"truncated": int(item.item) < 10}) for item in items(160)]
    answers = {"tiny": items(20, lost=1), "r@40": items(160, lost=20), "r@80": cut}
    evaluated(store, [TICKETS], {"tickets": answers})
    found = matrix(store)
    errored, truncated = found.cells["tickets", "r@40"], found.cells["tickets", "r@80"]
    assert (errored.outcome, errored.unusable) == ("left out", 0.1)
    assert errored.caution.startswith("10.0% of its answers ended in an error, 0.5% of the base's")
    assert truncated.outcome == "left out"
    assert truncated.caution.startswith("5.0% of its answers were cut off, 0.0% of the base's")


def test_a_part_of_the_answers_is_said_to_be_one(store: CountingStore) -> None:
    evaluated(store, [TICKETS], {"tickets": {"tiny": items(20), "r@40": items(50, 80)}})
    cell = cell_of("tickets", "r@40", items(50, 80), CellState.PARTIAL)
    cell = cell.model_copy(update={"counts": Counts(planned=200, completed=80)})
    store.write_cell("e", cell, at=3.0)
    found = matrix(store).cells["tickets", "r@40"]
    assert found.caution == "only 80 of 200 answers were given"
    assert found.gain is not None
    assert found.gain.items == 80


def test_other_items_than_the_bases_are_said_to_be_that(store: CountingStore) -> None:
    other = [item.model_copy(update={"item": f"other {item.item}"}) for item in items(9, 50)]
    evaluated(store, [TICKETS], {"tickets": {"tiny": items(20), "r@40": [*items(30)[:150], *other]}})
    found = matrix(store).cells["tickets", "r@40"]
    assert found.caution == "50 of its items are not among the base's, and 50 of the base's not among its"


def test_items_in_groups_widen_the_interval(store: CountingStore) -> None:
    alone = items(100)
    grouped = [item.model_copy(update={"cluster": f"text {int(item.item) // 10}"}) for item in alone]
    evaluated(store, [TICKETS], {"tickets": {"tiny": alone, "r@40": grouped}})
    found = matrix(store)
    one, other = found.cells["tickets", "tiny"].level, found.cells["tickets", "r@40"].level
    assert one is not None
    assert other is not None
    assert other.how == "t over 20 groups"
    assert other.high - other.low > 2 * (one.high - one.low)


def test_a_poll_without_news_gives_the_same_matrix(store: CountingStore) -> None:
    evaluated(store, [TICKETS], {"tickets": {"tiny": items(20), "r@40": items(100)}})
    follower = EvaluationFollower(store, run_id="r")
    first = follower.poll()
    store.read.clear()
    assert follower.poll() is first
    assert not store.read


def test_only_items_of_cells_that_changed_are_read_again(store: CountingStore) -> None:
    evaluated(store, [TICKETS], {"tickets": {"tiny": items(20), "r@40": items(100), "r@80": items(9)}})
    follower = EvaluationFollower(store, run_id="r")
    first = follower.poll()
    store.read.clear()
    write(store, "e", {"tickets": {"r@80": items(150)}}, at=9.0)
    second = follower.poll()
    assert store.read == [CellKey("tickets", "r@80")]
    assert second.changed != first.changed
    assert second.cells["tickets", "r@80"].outcome == "better"
    assert second.cells["tickets", "r@40"].gain is first.cells["tickets", "r@40"].gain, "not calculated again"


def test_the_rule_is_applied_again_only_when_a_cell_is_done(store: CountingStore) -> None:
    evaluated(store, [TICKETS], {"tickets": {"tiny": items(20), "r@40": items(100), "r@80": items(5, 10)}})
    running = cell_of("tickets", "r@80", items(5, 30), CellState.RUNNING)
    store.write_cell("e", running, at=3.0)
    follower = EvaluationFollower(store, run_id="r")
    first = follower.poll().selection
    store.write_cell("e", running, items(5, 20), at=4.0)
    second = follower.poll().selection
    assert first is not None
    assert second is not None
    assert second.rulings is first.rulings
    write(store, "e", {"tickets": {"r@80": items(190)}}, at=9.0)
    third = follower.poll().selection
    assert third is not None
    assert third.recommended == "r@80"


def test_a_live_cell_is_read_again_with_every_write(store: CountingStore) -> None:
    store.create_evaluation(record("e", tasks=(TICKETS,), subjects=(BASE,)))
    follower = EvaluationFollower(store, run_id="r")
    for count in (10, 20):
        running = cell_of("tickets", "tiny", items(5, 30), CellState.RUNNING)
        store.write_cell("e", running, items(5, count), at=float(count))
        level = follower.poll().cells["tickets", "tiny"].level
        assert level is not None
        assert level.items == count


def test_without_the_base_nothing_is_held_against_it(store: CountingStore) -> None:
    store.create_evaluation(record("e", tasks=(TICKETS,), subjects=(trained(40),)))
    write(store, "e", {"tickets": {"r@40": items(50)}})
    found = matrix(store)
    assert (found.base, found.cells["tickets", "r@40"].gain) == ("", None)
    assert "The base model was not evaluated" in found.notes[0]


def test_a_run_without_evaluations_has_an_empty_matrix(store: CountingStore) -> None:
    found = matrix(store)
    assert (found.subjects, found.tasks, found.cells, found.selection) == ((), (), {}, None)


def test_one_evaluation_is_watched_alone_and_says_whether_it_is_driven(store: CountingStore) -> None:
    evaluated(store, [TICKETS], {"tickets": {"tiny": items(20)}}, "first")
    evaluated(store, [TICKETS], {"tickets": {"tiny": items(30)}}, "second", at=5.0)
    driven = {"first"}
    follower = EvaluationFollower(store, evaluation_id="first", is_driven=driven.__contains__)
    first = follower.poll()
    assert (first.title, first.is_driven, len(first.cells)) == ("first", True, 1)
    driven.clear()
    second = follower.poll()
    assert (second.is_driven, second.changed != first.changed) == (False, True)


def test_statistics_are_not_loaded_before_the_first_poll() -> None:
    program = "import sys, tcao_tui.services.evaluation_view; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {name.partition(".")[0] for name in done.stdout.split()} & {"scipy", "numpy"}
