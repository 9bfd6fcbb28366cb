"""Taking a run: the kernel's lock, the plan and its data as approved, the fence, and the `Launched` event.

All of it is light and quick, because a launcher waits for it; Tinker and torch are imported afterwards.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import sys
from importlib.metadata import version
from pathlib import Path

from tcao_tui.domain.events import ControlHandled, Launched
from tcao_tui.domain.plan import Plan, PriceQuote, config_hash
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.errors import Refused, TcaoError
from tcao_tui.services.launch import check_approval
from tcao_tui.services.plans import changed_data
from tcao_tui.store.lease import RunLock
from tcao_tui.store.plan_file import PLAN_NAME, read_plan
from tcao_tui.store.port import Fenced, RunStore
from tcao_tui.worker.heartbeat import leave_to_successor
from tcao_tui.worker.inbox import Inbox
from tcao_tui.worker.journal import Journal
from tcao_tui.worker.runner import Parts, Worker, failed
from tcao_tui.worker.stopping import StopFlag


def take_run(
    store: RunStore,
    runs_root: Path,
    run_id: str,
    *,
    parts: Parts,
    stop: StopFlag,
    back_to: tuple[str, str] = ("", ""),
) -> int:
    """Take a run and carry it out.

    Args:
        store: The run store.
        runs_root: Its root.
        run_id: The run.
        parts: Everything from outside.
        stop: The flag that ends the worker.
        back_to: Name of the checkpoint to go back to in place of the furthest one, and who chose that.

    Returns:
        The exit code of the process.
    """
    lock = RunLock(runs_root / run_id)
    try:
        with parts.effects.point("lease.acquire"):
            lock.acquire()
        return _carry_out(store, runs_root, run_id, parts, stop, back_to=back_to)
    except Fenced:
        leave_to_successor()
    except TcaoError as error:
        return tell(error)
    finally:
        lock.release()


def tell(error: TcaoError) -> int:
    """Write an error where the launcher looks for it, the end of worker.log; returns its exit code."""
    told = {"what": error.what, "where": error.where, "next_step": error.next_step}
    print(json.dumps({"error": told}), file=sys.stderr, flush=True)
    return error.exit_code


def _carry_out(
    store: RunStore, runs_root: Path, run_id: str, parts: Parts, stop: StopFlag, *, back_to: tuple[str, str]
) -> int:
    if store.run(run_id).recorded_status is RunStatus.COMPLETED:
        # Two consoles launched it, and the other's worker was done before the lock came free.
        return tell(Refused(f"{run_id} is completed: nothing is left to do", next_step=f"tcao show {run_id}"))
    mirror = parts.open_mirror(runs_root, run_id)
    journal = Journal(store, run_id, mirror=mirror, effects=parts.effects, clock=parts.clock)
    try:
        plan, quote = _approved(store, runs_root / run_id, run_id)
    except TcaoError as error:
        journal.open_attempt()
        journal.commit(failed(error, run_id))
        return tell(error)
    inbox = Inbox(store, run_id, stop, monotonic=parts.monotonic, poll_seconds=parts.timing.poll_seconds)
    stale = [
        ControlHandled(request_id=r.request_id, verb=r.verb, accepted=False, reason="asked before this worker started")
        for r in store.pending_controls(run_id)
    ]
    _launch(journal, config_hash(plan), stale, back_to)

    def relaunch() -> None:
        _launch(journal, config_hash(plan), [], journal.lineage.back_to)

    worker = Worker(
        run_id=run_id,
        run_dir=runs_root / run_id,
        plan=plan,
        quote=quote,
        journal=journal,
        inbox=inbox,
        parts=parts,
        relaunch=relaunch,
    )
    return worker.run()


def _approved(store: RunStore, run_dir: Path, run_id: str) -> tuple[Plan, PriceQuote]:
    """The plan of the run's directory, if it and its data are what was approved."""
    plan = read_plan(run_dir / PLAN_NAME)
    if problems := changed_data(plan):
        raise Refused(
            "\n".join(problems), where=run_id, next_step="restore the file, or start a new run with `tcao run`"
        )
    return plan, check_approval(plan, store.approvals(run_id))


def _launch(journal: Journal, wanted_hash: str, answers: list[ControlHandled], back_to: tuple[str, str]) -> None:
    journal.open_attempt()
    journal.lineage.back_to = name, by = back_to
    point = next(iter(journal.lineage.resume_points(wanted_hash)), None)
    journal.commit(
        Launched(
            fence=journal.fence,
            pid=os.getpid(),
            host=socket.gethostname(),
            resume_step=point.step if point else 0,
            resumed_from=point.state_path if point else "",
            back_to=name,
            by=by,
            versions={"python": platform.python_version(), "tcao": version("tcao-tui"), "tinker": version("tinker")},
        ),
        *answers,
    )
