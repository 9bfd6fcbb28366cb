"""From an approved interview to a worker: the same path as `tcao run`, bound to what the person approved."""

from __future__ import annotations

from pathlib import Path

from tcao_tui.domain.facts import Facts
from tcao_tui.domain.interview import Approved
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.errors import Refused, TcaoError
from tcao_tui.planner.consent import approved_plan
from tcao_tui.services.backends import Profile
from tcao_tui.store.port import RunStore


def launch_approved(store: RunStore, runs_root: Path, profile: Profile, approved: Approved) -> str:
    """Start a run of exactly what was approved; blocks until the worker has it.

    Returns:
        The run's id.

    Raises:
        Refused: Data or prices are not what was approved.
        TcaoError: The engine's or the worker's own error.
    """
    from tcao_tui.services.proposals import carry_out, propose  # loads the readers, which an interview does not need

    plan, _ = approved_plan(approved)
    proposal = propose(plan, profile)
    if proposal.hash != approved.approval_hash:
        raise Refused(
            "prices or data changed since the plan was approved", next_step="look at the plan, then approve it again"
        )
    consent = proposal.consent(approved.approval_hash, by=approved.by, typed=approved.how == "typed")
    return carry_out(store, runs_root, proposal, consent).run_id


def write_files(directory: Path, sheet: PlanSheet, facts: Facts) -> tuple[str, ...]:
    """Write the files of an approved plan and return their names, in the order in which a person reads them.

    Raises:
        TcaoError: The directory cannot be written.
    """
    from tcao_tui.planner.artefacts.write import write_artefacts  # loads the templates' readers, for this moment only

    if sheet.plan is None:
        raise Refused("there is no complete plan to write")
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        written = write_artefacts(directory, sheet.plan, sheet, facts)
    except OSError as error:
        raise TcaoError(f"the plan's files cannot be written: {error.strerror}", where=str(directory)) from error
    return tuple(str(path.relative_to(directory)) for path in written)
