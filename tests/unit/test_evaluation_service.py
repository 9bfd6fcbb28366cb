"""Evaluations before they start and after a process ended: consent, cost, order, what becomes of a cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.domain.eval_cost import TaskSize, expected_cost, priced, total, usd_of
from tcao_tui.domain.eval_job import RESULTS, Ended, Found, GaveUp
from tcao_tui.domain.evaluation import CellState, Counts, EvalTask, ItemResult, Usage
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.errors import BudgetExceeded, NeedsInput, UsageError
from tcao_tui.probes.answer_book import Answer, AnswerBook, read_answers
from tcao_tui.services.backends import Profile, resolve_profile
from tcao_tui.services.eval_sizes import task_sizes
from tcao_tui.services.eval_tasks import Wanted, tasks_meant
from tcao_tui.services.evaluation_cells import ending
from tcao_tui.services.evaluation_driver import order
from tcao_tui.services.evaluation_processes import CellReader, Told, inspect_data_dir
from tcao_tui.services.evaluation_reuse import find_finished
from tcao_tui.services.evaluations import find_evaluation, make_evaluation, propose_evaluation
from tcao_tui.settings import Settings
from tcao_tui.store.evaluation_dir import Asked, ask, cell_dir, evaluation_dir, last_asked
from tcao_tui.store.memory import MemoryStore
from tests.fakes.evaluated import BASE, FREE, TRAINED, record, small_spec

PRICES = PriceQuote(backend="there", source="test", train_usd=3, prefill_usd=1, sample_usd=2)
SIZES = {name: TaskSize(10, 1_000_000, (0, 500_000, 1_000_000)) for name in ("greet", "add")}


def local() -> Profile:
    return resolve_profile(Settings(), "local", {})


def test_what_is_free_needs_no_hash_and_what_may_cost_does() -> None:
    free = propose_evaluation(small_spec(), local(), {})
    assert free.is_free
    assert (free.cost.low_usd, free.cost.high_usd) == (0, 0)
    assert free.consent("auto") == "auto"
    assert free.consent(free.hash, typed=True) == "typed"
    dear = propose_evaluation(small_spec(), local(), SIZES, quote=PRICES)
    for given in (None, "auto", "somethingelse"):
        with pytest.raises(NeedsInput) as caught:
            dear.consent(given)
        assert caught.value.details["approval_hash"] == dear.hash
    assert dear.consent(dear.hash) == "hash"
    judged = small_spec(tasks=(EvalTask(name="greet", layer=3, target="a.py@a", judge="anthropic/claude"),))
    assert not propose_evaluation(judged, local(), {}, quote=FREE).is_free


def test_the_cost_is_that_of_all_subjects_and_unknown_as_soon_as_one_task_is() -> None:
    known = expected_cost(small_spec(), SIZES, PRICES)
    assert (known.low_usd, known.expected_usd, known.high_usd) == (4.0, 8.0, 12.0)
    assert expected_cost(small_spec(), {"greet": SIZES["greet"]}, PRICES).expected_usd is None
    with pytest.raises(BudgetExceeded, match=r"expected to cost \$8.00, and its cap is \$7.00"):
        propose_evaluation(small_spec(max_cost_usd=7.0), local(), SIZES, quote=PRICES)


def test_two_tasks_of_one_name_are_refused() -> None:
    task = EvalTask(name="greet", layer=3, target="a.py@a")
    with pytest.raises(UsageError, match="two tasks are called greet"):
        propose_evaluation(small_spec(tasks=(task, task)), local(), {})


def test_tokens_from_the_servers_cache_cost_a_part_and_an_unknown_price_is_no_zero() -> None:
    usage = Usage(input_tokens=1_000_000, cached_tokens=500_000, output_tokens=1_000_000, usd=None)
    assert usd_of(usage, PRICES) == pytest.approx(0.6 + 2.0)
    unknown = PRICES.model_copy(update={"sample_usd": None})
    assert priced(usage, unknown).usd is None
    assert total([priced(usage, PRICES), priced(usage, unknown)]).usd is None


def test_small_tasks_come_first_and_the_base_before_its_checkpoints() -> None:
    small = EvalTask(name="small", layer=3, target="b.py@b", limit=5)
    loss = EvalTask(name="loss", layer=1, harness="held_out", target="rows.jsonl")
    spec = small_spec(tasks=(small_spec().tasks[0], small, loss))
    assert [key.task for key in order(spec)][::2] == ["loss", "small", "greet"]
    assert [key.subject for key in order(spec)][:2] == [BASE.name, TRAINED.name]


def test_an_answer_is_given_out_once_and_a_line_that_death_cut_off_takes_no_other_with_it(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    answers = [Answer("q", [[n]], ["stop"], 3, 0, "tiny") for n in (1, 2)]
    book = AnswerBook(path)
    for answer in answers:
        book.keep(answer)
    book.close()
    with path.open("ab") as file:
        file.write(b'{"asked": "q", "tok')
    again = AnswerBook(path)
    assert [again.take("q"), again.take("q"), again.take("q"), again.take("p")] == [*answers, None, None]
    again.keep(Answer("p", [[7]], ["length"], 3, 1, "tiny"))
    again.close()
    assert [answer.asked for answer in read_answers(path)] == ["q", "q", "p"]


def test_a_reader_sums_what_processes_told_one_after_another_and_a_new_word_takes_back_the_last_one(
    tmp_path: Path,
) -> None:
    lines = [
        Found(items=(ItemResult(item="a", value=0.0),), counts=Counts(planned=2, completed=1), usage=used(10)),
        GaveUp(problem="the server is away"),
    ]
    file = tmp_path / RESULTS
    file.write_bytes(b"".join(line.model_dump_json().encode() + b"\n" for line in lines))
    reader = CellReader(tmp_path, PRICES)
    assert [item.value for item in reader.read()] == [0.0]
    assert isinstance(reader.told.ended, GaveUp)
    better = Found(items=(ItemResult(item="a", value=1.0),), counts=Counts(planned=2, completed=2), usage=used(5))
    with file.open("ab") as more:
        more.write(better.model_dump_json().encode() + b"\nnot ours\n" + b'{"kind": "found", "it')
    assert [item.value for item in reader.read()] == [1.0]
    assert reader.told == Told(Counts(planned=2, completed=2), reader.told.usage, None)
    assert (reader.told.usage.output_tokens, reader.told.usage.usd) == (15, pytest.approx(30e-6))
    reader.close()


def used(tokens: int) -> Usage:
    return Usage(output_tokens=tokens, usd=None)


@pytest.mark.parametrize(
    ("counts", "ended", "asked", "code", "state"),
    [
        (Counts(planned=4, completed=4), Ended(), "go", 0, CellState.DONE),
        (Counts(planned=4, completed=2), Ended(), "drain", 0, CellState.PARTIAL),
        (Counts(planned=4, completed=4, errored=1), Ended(), "go", 0, CellState.PARTIAL),
        (Counts(planned=4, completed=2), None, "go", -9, CellState.LOST),
        (Counts(planned=4, completed=2), None, "go", None, CellState.LOST),
        (Counts(planned=4, completed=2), None, "go", 1, CellState.FAILED),
        (Counts(planned=4, completed=2), None, "drain", -15, CellState.PARTIAL),
        (Counts(planned=4, completed=2), None, "cancel", -15, CellState.CANCELLED),
        (Counts(), GaveUp(problem="no such rows", next_step="look"), "go", 0, CellState.FAILED),
    ],
)
def test_what_becomes_of_a_cell_whose_process_is_gone(
    counts: Counts, ended: Ended | GaveUp | None, asked: str, code: int | None, state: CellState
) -> None:
    verb = "drain" if asked == "drain" else "cancel" if asked == "cancel" else "go"
    found = ending(Told(counts, Usage(), ended), verb, code, "ValueError: no rows")
    assert found["state"] is state
    if state is CellState.FAILED:
        assert "rows" in str(found["problem"])


def test_the_last_word_counts_and_without_one_it_goes_on(tmp_path: Path) -> None:
    place = evaluation_dir(tmp_path, "eval-1")
    assert last_asked(place).verb == "go"
    ask(place, Asked("drain", "me", 1.0))
    ask(place, Asked("cancel", "me", 2.0))
    assert last_asked(place) == Asked("cancel", "me", 2.0)
    with pytest.raises(UsageError, match="cannot be an evaluation"):
        evaluation_dir(tmp_path, "../elsewhere")
    assert cell_dir(place, 3, "a/../b task", "run@20").name == "003-a-..-b-task-run-20"


def test_a_finished_cell_is_found_again_by_what_it_means_and_costs_nothing_there() -> None:
    store = MemoryStore().evaluations
    store.create_evaluation(record("eval-1"))
    done = store.cells("eval-1")[0].model_copy(
        update={"state": CellState.DONE, "usage": used(9), "log": "cells/a/logs/x.eval", "tried": 1}
    )
    store.write_cell("eval-1", done, [ItemResult(item="a", value=1.0)], at=2.0)
    renamed = small_spec().tasks[0].model_copy(update={"name": "hello"})
    later = record("eval-2", tasks=(renamed,))
    store.create_evaluation(later)
    waiting = [cell.key for cell in store.cells("eval-2")]
    found = find_finished(store, later, waiting[0])
    assert found is not None
    assert (found.record.task, found.record.log) == ("hello", "../eval-1/cells/a/logs/x.eval")
    assert (found.record.usage.output_tokens, len(found.items)) == (0, 1)
    assert find_finished(store, later, waiting[1]) is None
    other = record("eval-3", tasks=(renamed.model_copy(update={"epochs": 2}),))
    assert find_finished(store, other, waiting[0]) is None


def test_an_evaluation_is_meant_by_its_id_the_beginning_of_one_or_latest() -> None:
    store = MemoryStore().evaluations
    proposal = propose_evaluation(small_spec(), local(), {})
    made = make_evaluation(store, proposal, "auto", by="me", clock=lambda: 0.0)
    assert made.evaluation_id.startswith("19700101-000000-tiny-")
    store.create_evaluation(record("other", at=9.0))
    assert find_evaluation(store, "19700101") == made.evaluation_id
    assert find_evaluation(store, "latest") == "other"
    with pytest.raises(UsageError, match="no evaluation othe2"):
        find_evaluation(store, "othe2")


def test_a_task_of_a_file_is_known_by_what_the_file_holds(tmp_path: Path) -> None:
    file = tmp_path / "quality.py"
    file.write_text("one")
    [first] = tasks_meant(Wanted(tasks=(f"{file}@quality",), limit=5, seed=3, epochs=2), None)
    assert (first.name, first.layer, first.limit, first.seed, first.epochs) == ("quality.py@quality", 3, 5, 3, 2)
    file.write_text("two")
    [second] = tasks_meant(Wanted(tasks=(f"{file}@quality",), limit=5, seed=3, epochs=2), None)
    assert first.identity != second.identity
    with pytest.raises(UsageError, match="no such file"):
        tasks_meant(Wanted(tasks=("gone.py@quality",)), None)
    with pytest.raises(UsageError, match="no run of ours tells which evals"):
        tasks_meant(Wanted(), None)


def test_rows_tell_how_much_is_read_and_a_limit_how_much_is_written_at_most(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"a": "0123456789012345678901234567"}\n' * 50)
    task = EvalTask(
        name="own", layer=3, target="tcao_tui/rows", files={"file": str(rows)}, limit=10, generate={"max_tokens": 64}
    )
    size = task_sizes([task])["own"]
    assert (size.answers, size.output_tokens[2]) == (10, 640)
    assert 80 <= size.input_tokens <= 110
    assert task_sizes([task.model_copy(update={"files": {}})]) == {}


def test_the_place_of_control_sockets_is_short_wherever_state_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TCAO_STATE_DIR", "/tmp/s")
    assert inspect_data_dir() == Path("/tmp/s/inspect")
    monkeypatch.setenv("TCAO_STATE_DIR", str(tmp_path / ("long" * 30)))
    assert len(str(inspect_data_dir())) <= 60
