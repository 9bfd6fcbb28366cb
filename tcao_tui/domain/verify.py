"""Proof that a run is whole, from its record alone: each invariant is a check with evidence and a next step.

Pure: reading the store, the plan file and the server is `services.verify`. What cannot be judged says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from tcao_tui.domain.checkpoints import DataCursor
from tcao_tui.domain.events import Finished, UnknownEvent
from tcao_tui.domain.lineage import History, TrainedStep, final_lineage, trained_steps
from tcao_tui.domain.proof import MOST_NAMED, Case, Check, Judgement, Outside, Record, VerifyReport
from tcao_tui.domain.run_summary import status_after
from tcao_tui.domain.run_view import RunStatus


def verify(record: Record, outside: Outside) -> VerifyReport:
    """Check every invariant of a run, whatever state it is in."""
    history = History.of(record.events)
    trained = trained_steps(record.rows)
    case = Case(record, outside, history, trained, final_lineage(trained, history))
    checks: list[Check] = []
    for name, title, look in _CHECKS:
        judgement = Judgement()
        look(case, judgement)
        checks.append(judgement.check(name, title))
    return VerifyReport(record.summary.run_id, tuple(checks))


def _every_batch_once(case: Case, found: Judgement) -> None:
    found.next_step = "do not use these weights as the result of the plan; start it anew with `tcao run`"
    counts = case.history.batches_per_epoch
    if not case.trained:
        found.not_checked = "nothing was trained"
        return
    for first_step, seen in counts.items():
        if len(seen) != 1:
            found.fail(f"attempts saw epochs of {sorted(seen)} batches{f' after step {first_step}' * bool(first_step)}")
    if not counts:
        found.fail("no attempt says how long an epoch is")
    if found.problems:
        return
    for before, step in pairwise([TrainedStep(0, 0, 0, 0), *case.lineage]):
        ended = case.history.ended_early.get(step.step - 1)
        if step.step != before.step + 1 and (ended is None or ended.step != before.step):
            how = "trained twice" if step.step <= before.step else f"reached from step {before.step}"
            found.fail(f"step {step.step} of attempt {step.attempt} was {how}", step.step)
        first_step, per_epoch = case.history.planned(step.step) or (0, 1)
        planned = divmod(step.step - 1 - first_step, per_epoch)
        if (step.epoch, step.batch) != planned:
            found.fail(
                f"step {step.step} trained epoch {step.epoch} batch {step.batch}, planned were {planned[0]} and "
                f"{planned[1]}",
                step.step,
            )
    off = len(case.trained) - len(case.lineage)
    last = case.lineage[-1].step if case.lineage else 0
    found.evidence = f"steps 1 to {last} of {case.record.summary.total_steps}" + (
        f"; {off} more were trained and superseded" if off else ""
    )
    for first_step, name in sorted(case.history.stages.items()):
        found.evidence += f"; stage {name} from step {first_step + 1}"
    for ended in case.history.ended_early.values():
        found.evidence += f"; stage {ended.name} ended early at step {ended.step} of {ended.last_step}"
    replays = [f"attempt {r.attempt}: {r.replays}" for r in case.history.resumes.values() if r.replays]
    found.evidence += "".join(f"; {said}" for said in (*replays, *case.history.rewritten))


def _resumes_from_the_last(case: Case, found: Judgement) -> None:
    found.next_step = "see worker.log of that attempt for why it did not take the newer checkpoint"
    resumes = list(case.history.resumes.values())
    for resume in resumes:
        if resume.step < resume.best_step and not resume.chosen_by:
            found.fail(
                f"attempt {resume.attempt} went on from step {resume.step} although step {resume.best_step} was saved",
                resume.step,
            )
        if not resume.known:
            found.fail(f"attempt {resume.attempt} went on from an unrecorded checkpoint", resume.step)
    if not resumes:
        found.not_checked = "it was never resumed"
    chosen = {r.attempt: f", as {r.chosen_by} chose" for r in resumes if r.chosen_by}
    found.evidence = ", ".join(f"attempt {r.attempt} from step {r.step}{chosen.get(r.attempt, '')}" for r in resumes)


def _one_writer(case: Case, found: Judgement) -> None:
    found.next_step = "report this: the fence of the store failed"
    for (attempt, fence), (later, newer) in pairwise(case.history.launches):
        if newer <= fence or later <= attempt:
            found.fail(f"attempt {later} with fence {newer} was launched after attempt {attempt} with fence {fence}")
    for stored, after in pairwise(case.record.events):
        if after.attempt < stored.attempt:
            found.fail(f"attempt {after.attempt} wrote an event after attempt {stored.attempt} had begun")
    for row, next_row in pairwise(case.record.rows):
        if next_row.attempt < row.attempt:
            found.fail(f"attempt {next_row.attempt} wrote a row after attempt {row.attempt} had", next_row.step)
    if not case.history.launches:
        found.not_checked = "no worker took it yet"
    found.evidence = f"{len(case.history.launches)} launches with rising fences"


def _checkpoints_make_sense(case: Case, found: Judgement) -> None:
    found.next_step = "do not resume from these; `tcao show` lists the others"
    history, outside = case.history, case.outside
    for problem in history.contradictions:
        found.fail(problem)
    for record in history.saved.values():
        planned = history.planned(record.step)
        if planned is not None and record.cursor != DataCursor.after(record.step - planned[0], planned[1]):
            found.fail(f"{record.name} has a data cursor that is not that of step {record.step}", record.step)
        if outside.config_hash and record.config_hash != outside.config_hash:
            found.fail(f"{record.name} was saved under another plan", record.step)
    if not history.saved:
        found.not_checked = "no checkpoint was saved"
    adopted = sum(record.adopted for record in history.saved.values())
    found.evidence = f"{len(history.checkpoints)} kept of {len(history.saved)} saved, {adopted} adopted"


def _server_agrees(case: Case, found: Judgement) -> None:
    history, outside = case.history, case.outside
    if outside.remote is None:
        found.not_checked = "the server was not asked, or does not list checkpoints"
        return
    found.next_step = f"tcao resume {case.record.summary.run_id}" if not case.completed else "delete it on the server"
    listed = {checkpoint.path for checkpoint in outside.remote}
    usable = history.usable()
    pending: list[str] = []
    for record in history.checkpoints.values():
        expired = record.expires_at is not None and record.expires_at <= outside.now
        if record.state_path in listed or expired:
            continue
        # A worker that died while it thinned out has deleted on the server first; its successor records that.
        if case.completed or (usable and record.name == usable[-1].name):
            found.fail(f"{record.name} is recorded and not on the server", record.step)
        else:
            pending.append(f"{record.name} is gone")
    ours = {path for r in history.saved.values() for path in (r.state_path, r.sampler_path)}
    for checkpoint in outside.remote:
        if checkpoint.path not in ours and checkpoint.kind == "training" and case.completed:
            found.fail(f"{checkpoint.path} is on the server and was never recorded")
        elif checkpoint.path not in ours:
            pending.append(f"{checkpoint.path} is to be adopted or deleted")
    found.evidence = f"{len(history.checkpoints)} recorded, {len(outside.remote)} listed" + "".join(
        f"; {what}" for what in pending[:MOST_NAMED]
    )


def _ledger_covers(case: Case, found: Judgement) -> None:
    found.next_step = "compare with the bill of the backend"
    spends, outside = case.record.spends, case.outside
    paid = Counter(spend.step for spend in spends if spend.kind == "train" and spend.tokens > 0)
    sent = Counter(step.step for step in case.trained)
    for step, times in sent.items():
        if paid[step] < times:
            found.fail(f"step {step} was trained {times} times and is {paid[step]} times in the ledger", step)
    costs = [spend.usd for spend in spends if spend.usd is not None]
    if outside.cap_usd is not None and len(costs) == len(spends):
        in_flight = max((s.usd or 0.0 for s in spends if s.kind == "train"), default=0.0) * outside.in_flight_steps
        if sum(costs) > outside.cap_usd + in_flight + 1e-9:
            found.fail(f"{sum(costs):.4f} USD were spent, and the cap is {outside.cap_usd:.4f}")
    if not spends:
        found.not_checked = "nothing was spent"
    unknown = len(spends) - len(costs)
    found.evidence = f"{sum(s.tokens for s in spends)} tokens in {len(spends)} entries" + (
        f", {unknown} of unknown price" if unknown else ""
    )


def _approved(case: Case, found: Judgement) -> None:
    found.next_step = "restore the plan file, or start a new run"
    hashes, outside = case.record.approved_hashes, case.outside
    if not outside.plan_hash and not outside.plan_problem:
        found.not_checked = "the plan file was not looked at"
    elif not hashes:
        found.fail("it was never approved")
    elif outside.plan_problem:
        found.fail(outside.plan_problem)
    elif hashes[-1] != outside.plan_hash:
        found.fail(f"the plan file hashes to {outside.plan_hash}, approved was {hashes[-1]}")
    found.evidence = f"approved {outside.plan_hash}"


def _completed(case: Case, found: Judgement) -> None:
    found.next_step = "start the plan anew with `tcao run`"
    summary = case.record.summary
    if not case.completed:
        found.not_checked = f"it is {summary.recorded_status}, not completed"
        return
    last = case.lineage[-1].step if case.lineage else 0
    if last != summary.total_steps:
        found.fail(f"it ends at step {last} of {summary.total_steps}", last)
    finals = [r for r in case.history.usable() if r.reason == "final"]
    if not any(r.step == summary.total_steps for r in finals):
        found.fail(f"no final checkpoint of step {summary.total_steps} is kept", summary.total_steps)
    found.evidence = f"final checkpoint {finals[-1].name}" if finals else ""


def _summary_is_true(case: Case, found: Judgement) -> None:
    found.next_step = "report this: the run list and the run disagree"
    summary, status = case.record.summary, RunStatus.CREATED
    for stored in case.record.events:
        status = status_after(status, stored.event)
    last = case.lineage[-1].step if case.lineage else 0
    tokens = sum(spend.tokens for spend in case.record.spends)
    for what, listed, true in (
        ("status", summary.recorded_status, status),
        ("step", summary.step, last),
        ("tokens", summary.tokens, tokens),
    ):
        if listed != true:
            found.fail(f"the run list says {what} {listed}, the record {true}")
    unknown = sum(isinstance(stored.event, UnknownEvent) for stored in case.record.events)
    ends = sum(isinstance(stored.event, Finished) for stored in case.record.events)
    found.evidence = f"{len(case.record.events)} events, {len(case.record.rows)} rows, {ends} ends" + (
        f", {unknown} events of another version" if unknown else ""
    )


_CHECKS: tuple[tuple[str, str, Callable[[Case, Judgement], None]], ...] = (
    ("lineage", "Every batch was trained exactly once, in the planned order", _every_batch_once),
    ("resume", "Each attempt went on from the last recorded checkpoint", _resumes_from_the_last),
    ("writer", "One writer at a time: no attempt wrote after a newer one", _one_writer),
    ("checkpoints", "Recorded checkpoints fit their steps and this plan", _checkpoints_make_sense),
    ("server", "Store and server know the same checkpoints", _server_agrees),
    ("ledger", "The ledger covers every trained step and keeps the cap", _ledger_covers),
    ("approval", "The plan is the one that was approved", _approved),
    ("completed", "A completed run has all its steps and a final checkpoint", _completed),
    ("summary", "The run list says what the record says", _summary_is_true),
)
