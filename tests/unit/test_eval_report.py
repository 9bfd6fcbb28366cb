"""The report of a run's evaluations: what it says, that it is whole and safe, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcao_tui.domain.eval_matrix import CellView, EvalMatrix
from tcao_tui.domain.evaluation import Choice
from tcao_tui.domain.transcript import Transcript, Turn
from tcao_tui.errors import Refused, UsageError
from tcao_tui.services.eval_choice import choose
from tcao_tui.services.eval_reference import follow_evaluations
from tcao_tui.services.eval_report import Written, page, write_report
from tcao_tui.store.sqlite import SqliteStore
from tests.fakes.evaluated import evaluated, items, task
from tests.fakes.evaluated_run import TASKS, evaluated_run, transcript


def matrix(store: SqliteStore, root: Path) -> EvalMatrix:
    return follow_evaluations(store, root, "r").poll()


def report(store: SqliteStore, root: Path, read: object = transcript) -> Written:
    assert callable(read)
    return write_report(store, root, matrix(store, root), read, clock=lambda: 0.0)


def test_a_report_says_what_to_use_why_how_sure_and_all_that_it_rests_on(store: SqliteStore, root: Path) -> None:
    evaluated_run(root, store)
    written = report(store, root)
    assert written.report == root / "r" / "eval-report.md"
    text = written.report.read_text()
    for wanted in (
        "# Evaluation of tickets",
        "**Use r@40: it is better than tiny on tickets.**",
        "Not told from it: r@60.",
        "## Layer 3: the product",
        "### tickets",
        "| r@40 | 0.804 (0.743 to 0.853) | +0.704",
        "Goal: tickets (score was not evaluated; the first task of layer 3), 200 items",
        "| r@60 | better |",
        "tickets, item 100: asked",
        "r@40 says",
        "| tickets | r@40 | 200 | 200 | 1 | 0 | 0 |",
        "Known failure modes of r@40",
        "answers wrongly, in the right form: 20 of 20 wrong answers looked at",
        "| all | 24.0k | 0 | 10.8k | $0.2400 | 6.00k | $0.0120 |",
        '| generate | {"temperature": 0.0} |',
        "| inspect-ai |",
        f"| task tickets | {TASKS[2].identity} |",
        "| weights r@40 | tinker://r/40 |",
        "| learning rate | 0.0002",
        "Written 1970-01-01 00:00 UTC.",
    ):
        assert wanted in text, wanted


def test_the_page_has_charts_of_every_task_and_of_the_loss(store: SqliteStore, root: Path) -> None:
    evaluated_run(root, store)
    text = report(store, root).html.read_text()
    assert text.count("<svg ") == len(TASKS) + 1
    assert text.count("<polyline ") == 2
    assert text.count('class="mark chosen"') == len(TASKS)


def test_hostile_answers_are_text(store: SqliteStore, root: Path) -> None:
    evaluated_run(root, store)
    bad = "</pre><script>alert(1)</script>\x1b[2J```\n# owned"

    def hostile(cell: CellView, item: str) -> Transcript:
        turns = (Turn(role="user", text=bad), Turn(role="assistant", text=bad))
        return transcript(cell, item).model_copy(update={"turns": turns, "target": bad})

    written = report(store, root, hostile)
    assert "<script" not in written.html.read_text()
    assert "\x1b" not in written.report.read_text() + written.html.read_text()
    assert "````" in written.report.read_text(), "a fence longer than any in the answer"


def test_logs_that_cannot_be_read_cost_only_their_answers(store: SqliteStore, root: Path) -> None:
    evaluated_run(root, store)

    def gone(cell: CellView, item: str) -> Transcript:
        raise UsageError("there is no such log")

    text = report(store, root, gone).report.read_text()
    assert "None can be shown: nothing turned, or no transcript is kept." in text
    assert "Use r@40" in text


def test_a_persons_choice_comes_first_and_the_rule_beside_it(store: SqliteStore, root: Path) -> None:
    evaluated_run(root, store)
    choose(store.evaluations, matrix(store, root), "20", "kinder", run_id="r", by="ada", clock=lambda: 5.0)
    text = report(store, root).report.read_text()
    assert "**Use r@20: so decided ada.**" in text
    assert "Reason given: kinder" in text
    assert "The rule would take r@40." in text
    assert "r@20 says" in text, "answers are those of the chosen weights"


def test_where_nothing_can_be_told_the_base_is_kept_and_the_best_looking_one_is_shown(
    store: SqliteStore, root: Path
) -> None:
    evaluated_run(root, store, right=(100, 99, 103, 101))
    text = report(store, root).report.read_text()
    assert "Keep tiny for now: no checkpoint that may be used is better as far as can be told." in text
    assert "items in all would tell" in text
    assert "Known failure modes of r@40" in text


def test_the_record_of_the_run_gets_the_results_once_and_keeps_what_people_wrote(
    store: SqliteStore, root: Path
) -> None:
    evaluated_run(root, store)
    (root / "r" / "examples.md").write_text("# tickets: record\n\nmy own words\n")
    assert report(store, root).record == root / "r" / "examples.md"
    with (root / "r" / "examples.md").open("a") as file:
        file.write("\nmore of my words\n")
    report(store, root)
    text = (root / "r" / "examples.md").read_text()
    assert text.count("## Evaluations") == 1
    assert text.startswith("# tickets: record\n\nmy own words\n")
    assert text.endswith("more of my words\n")
    for wanted in ("use r@40", "| tickets | 0.101", "| tickets | 3 | tickets | all | 1 |", "| model | lab/small-1b |"):
        assert wanted in text, wanted


def test_a_report_of_weights_of_no_run_lies_with_the_evaluation(store: SqliteStore, root: Path) -> None:
    evaluated(store.evaluations, [task("tickets")], {"tickets": {"tiny": items(20), "r@20": items(90)}})
    (root / "_evals" / "e").mkdir(parents=True)
    found = follow_evaluations(store, root, "e").poll()
    with pytest.raises(UsageError, match="there are no runs yet"):
        follow_evaluations(store, root, "r")
    assert "Use r@20" in page(store, root, found, transcript)


def test_without_an_evaluation_there_is_no_report(store: SqliteStore, root: Path) -> None:
    evaluated_run(root, store)
    empty = follow_evaluations(store, root, "r").poll()
    nothing = EvalMatrix("r", (), (), "", {}, None)
    assert empty.cells
    with pytest.raises(Refused, match="nothing was evaluated"):
        write_report(store, root, nothing, transcript)


def test_a_choice_needs_a_reason_and_weights_that_were_evaluated(store: SqliteStore, root: Path) -> None:
    evaluated_run(root, store)
    found = matrix(store, root)
    with pytest.raises(UsageError, match="needs a reason"):
        choose(store.evaluations, found, "20", "  ", run_id="r", by="ada")
    with pytest.raises(UsageError, match="99 is none of what was evaluated: tiny, r@20"):
        choose(store.evaluations, found, "99", "kinder", run_id="r", by="ada")
    with pytest.raises(Refused, match="about no run"):
        choose(store.evaluations, found, "20", "kinder", run_id="", by="ada")
    assert store.evaluations.choices("r") == []
    base = choose(store.evaluations, found, "base", "cheaper", run_id="r", by="ada", clock=lambda: 5.0)
    assert base == Choice(run_id="r", subject="tiny", checkpoint="", reason="cheaper", by="ada", at=5.0)
