from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from tcao_tui.domain.events import Launched, LogLine, MetricRow, Resumed, RunEvent, SamplesTaken, Scored, Waiting
from tcao_tui.domain.watch_plan import EarlyStopping, WatchPlan
from tcao_tui.errors import NeedsInput
from tcao_tui.store.port import Cursor
from tcao_tui.worker.checkpointing import Checkpoints
from tcao_tui.worker.connect import ailing_at, check_prices
from tcao_tui.worker.context import WorkerContext
from tcao_tui.worker.heartbeat import OutageWatch, Waits
from tcao_tui.worker.inbox import Inbox
from tcao_tui.worker.journal import Journal
from tcao_tui.worker.probe import probe_main
from tcao_tui.worker.side_effects import SideEffects
from tcao_tui.worker.stopping import StopFlag
from tcao_tui.worker.watch import Watch
from tests.fakes.fake_tinker import FREE, FakeConnector
from tests.fakes.loopback import QuietHandler, served
from tests.fakes.run_lab import Lab, Zygote


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.fixture
def health() -> Iterator[tuple[str, list[int]]]:
    codes = [200]

    class Health(QuietHandler):
        def do_GET(self) -> None:
            self.say(codes[0] if self.path == "/base/api/v1/healthz" else 599)

    with served(Health) as url:
        yield f"{url}/base/", codes


class NoMirror:
    def write(self, *, events: Sequence[RunEvent], metrics: Sequence[MetricRow]) -> None:
        raise PermissionError(13, "Permission denied")


def open_journal(lab: Lab, run_id: str) -> Journal:
    journal = Journal(lab.store, run_id, mirror=NoMirror(), effects=SideEffects(), clock=lambda: 5.0)
    journal.open_attempt()
    return journal


def events_of(lab: Lab, run_id: str) -> list[object]:
    return [stored.event for stored in lab.store.read(run_id, Cursor()).events]


def test_a_server_is_well_until_it_fails_and_a_refused_key_is_an_answer(health: tuple[str, list[int]]) -> None:
    address, codes = health
    assert ailing_at(address) == ""
    codes[0] = 401
    assert ailing_at(address) == ""
    codes[0] = 503
    assert "503" in ailing_at(address)


def test_an_address_where_nobody_listens_ails_with_a_reason() -> None:
    assert "does not answer" in ailing_at("http://127.0.0.1:1")
    assert "does not answer" in ailing_at("not an address")


def test_a_price_that_changed_needs_a_new_approval_and_an_unknown_one_does_not() -> None:
    check_prices(FREE, FREE.model_copy(update={"train_usd": None}))
    with pytest.raises(NeedsInput, match=r"train_usd 0\.0 -> 1\.0"):
        check_prices(FREE, FREE.model_copy(update={"train_usd": 1.0}))


def test_a_mirror_that_cannot_be_written_is_reported_once_and_stops_nothing(lab: Lab) -> None:
    run_id = lab.create()
    journal = open_journal(lab, run_id)
    for message in ("a", "b"):
        journal.commit(LogLine(message=message))
    said = [event.message for event in events_of(lab, run_id) if isinstance(event, LogLine)]
    assert said[0] == "a"
    assert "cannot be written" in said[1]
    assert said[2:] == ["b"]


def test_one_missed_answer_is_no_outage_and_an_outage_begins_and_ends_once(lab: Lab) -> None:
    run_id = lab.create()
    answers = iter(["out", "", "out", "out", "out", "", ""])
    watch = OutageWatch(lambda: next(answers), Waits(open_journal(lab, run_id)))
    for _ in range(7):
        watch.once()
    waits = [event for event in events_of(lab, run_id) if isinstance(event, Waiting)]
    assert [(w.reason, w.over, w.since) for w in waits] == [("outage", False, 5.0), ("outage", True, 5.0)]


def test_the_probe_lists_what_the_server_has_of_a_run(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = lab.create()
    with Zygote(lab) as zygote:
        assert zygote.attempt(run_id) == 0
    arguments = ["checkpoints", "--runs-root", str(lab.root), run_id]
    assert probe_main(arguments, lambda _: FakeConnector(lab.server, SideEffects())) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {c["path"] for c in listed} == {c.path for c in lab.server.checkpoints(run_id)}


def test_the_probe_tells_its_error_as_json(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    lab.server.set(down=True)
    arguments = ["checkpoints", "--runs-root", str(lab.root), lab.create()]
    assert probe_main(arguments, lambda _: FakeConnector(lab.server, SideEffects())) == 7
    assert "does not answer" in json.loads(capsys.readouterr().out)["error"]["what"]


def test_an_eval_is_recorded_whole_or_not_at_all(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id, plan = lab.create(), lab.plan()
    journal = open_journal(lab, run_id)
    inbox = Inbox(lab.store, run_id, StopFlag(), monotonic=lambda: 0.0, poll_seconds=1.0)
    context = WorkerContext(
        plan=plan,
        backend=cast("Any", None),
        resume_point=None,
        journal=journal,
        checkpoints=Checkpoints(journal, cast("Any", None), plan=plan, run_id=run_id, lost_paths=set()),
        inbox=inbox,
        watch=Watch(plan, journal, None),
        run_dir=lab.root / run_id,
    )
    commits: list[int] = []
    commit = journal.commit

    def counted(*events: Any, **more: Any) -> None:
        commits.append(len(events))
        commit(*events, **more)

    monkeypatch.setattr(journal, "commit", counted)
    found = [SamplesTaken(step=2, samples=()), Scored(step=2, name="exact", correct=1, total=2)]
    context.record_step(2, {"val_mean_nll": 1.0}, found=found)
    assert commits == [2]
    assert context.is_measured(2)
    batch = lab.store.read(run_id, Cursor())
    assert [stored.event for stored in batch.events][:2] == found
    assert [row.step for row in batch.metrics] == [2]


def test_early_stopping_on_the_score_goes_on_counting_where_the_dead_worker_was(lab: Lab) -> None:
    run_id = lab.create()
    plan = lab.plan().model_copy(update={"watch": WatchPlan(early_stopping=EarlyStopping(metric="score", patience=3))})

    def scored(step: int, correct: int) -> Scored:
        return Scored(step=step, name="exact", correct=correct, total=10)

    def evaluated(journal: Journal, *evals: Scored) -> Watch:
        watch = Watch(plan, journal, None)
        for event in evals:
            row = MetricRow(attempt=journal.attempt, step=event.step, at=0.0, values={})
            journal.commit(event, *watch.look(row, []), *watch.hear([event]), metrics=[row])
        return watch

    journal = open_journal(lab, run_id)
    journal.commit(Launched(fence=journal.fence, pid=1, host="h"))
    evaluated(journal, scored(0, 5), scored(2, 9), scored(4, 4), scored(6, 4))
    journal = open_journal(lab, run_id)
    journal.commit(Launched(fence=journal.fence, pid=2, host="h"), Resumed(step=4, checkpoint="c"))
    watch = evaluated(journal, scored(6, 4))
    assert watch.best_step == 2
    assert watch.order is None, "the eval of step 6 by the first worker is off the lineage"
    assert evaluated(journal, scored(8, 4)).order is not None
