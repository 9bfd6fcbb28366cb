"""A sweep on its way: its cells judged by the same gates as any plan, consented to at once, and handed to a sweeper.

The sweeper is `sweep_driver`, a process of its own; following a sweep is `sweep_follow`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tcao_tui.domain.cost import CostRange, total_cost
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.hyperparams import rank_limit
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.range_test import range_settings
from tcao_tui.domain.sweep import Cell, Overrides, expand, grid, shares, sweep_hash, varied, words
from tcao_tui.errors import TcaoError
from tcao_tui.services.approve import require_consent
from tcao_tui.services.backends import Profile
from tcao_tui.services.driver_start import start_driver
from tcao_tui.services.facts import Sources, sources
from tcao_tui.services.proposals import Proposal, propose
from tcao_tui.store.port import Approval
from tcao_tui.store.sweep_file import LOG_NAME, CellRecord, SweepRecord, create_sweep, read_sweep, sweep_dir

Purpose = Literal["sweep", "range_test"]


@dataclass(frozen=True, slots=True)
class SweepProposal:
    """What a person consents to: every cell passed all gates but the approval.

    Attributes:
        hash: What consent to all of them is bound to.
    """

    name: str
    profile: Profile
    cells: tuple[tuple[Cell, Proposal], ...]
    hash: str

    @property
    def cost(self) -> CostRange:
        """Of all cells; unknown as soon as one of them is."""
        return total_cost(proposal.cost.total for _, proposal in self.cells)

    @property
    def is_free(self) -> bool:
        """Whether nothing can cost anything."""
        return all(proposal.quote.is_free for _, proposal in self.cells)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What a person should know before consenting, each once."""
        found = {(f.path, f.got): f for _, proposal in self.cells for f in proposal.warnings}
        return tuple(found.values())

    def consent(self, given: str | None, *, by: str, typed: bool = False) -> tuple[Approval, ...]:
        """An approval for each cell, when `given` is the hash of all, or "auto" where nothing can cost anything.

        Raises:
            NeedsInput: Consent is missing or for something else.
        """
        how = require_consent(
            given,
            self.hash,
            is_free=self.is_free,
            what="this sweep at these prices",
            other="another sweep or other prices",
            details={"cells": len(self.cells), "cost": asdict(self.cost)},
        )
        return tuple(
            proposal.consent("auto" if how == "auto" else proposal.hash, by=by, typed=typed)
            for _, proposal in self.cells
        )


def propose_sweep(
    plan: Plan,
    overrides: Sequence[Overrides],
    profile: Profile,
    *,
    name: str,
    files_from: Path | None = None,
    max_cost_usd: float | None = None,
    measure: Sources | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> SweepProposal:
    """Judge every cell by all gates; spends nothing.

    Args:
        plan: What is varied.
        overrides: What each cell changes.
        profile: Where the runs would be.
        name: Of the sweep.
        files_from: Where relative paths of data files that cells name start.
        max_cost_usd: A cap on all cells together, USD; shared out by what each is expected to cost.
        measure: What measures; the real ones when None.
        report: Is told which cell is being judged.

    Raises:
        UsageError: A key path is none, or two cells are the same.
        PlanInvalid: A cell does not pass a gate; names the cell.
        BudgetExceeded: The cap cannot hold what the cells are expected to cost.
    """
    cells = expand(plan.model_dump(mode="json"), overrides, name=name, files_from=files_from)
    proposals = _judged(cells, profile, measure, caps=[None] * len(cells), known=None, report=report)
    if max_cost_usd is not None:
        caps = shares(max_cost_usd, [p.cost.total.expected_usd for p in proposals])
        proposals = _judged(cells, profile, measure, caps=caps, known=proposals[-1].facts, report=report)
    found = tuple(zip(cells, proposals, strict=True))
    return SweepProposal(name, profile, found, sweep_hash([proposal.hash for proposal in proposals]))


def range_overrides(
    plan: Plan, profile: Profile, *, steps: int, measure: Sources | None = None
) -> tuple[Overrides, ...]:
    """The cells of a learning-rate and rank range test, within what the server says of the model.

    Raises:
        UsageError: The method has no loss that could be read.
        TcaoError: The server is away.
    """
    offered = (measure or sources()).capabilities(profile).model(plan.training.base_model)
    return grid(range_settings(plan, steps=steps, rank_limit=rank_limit(offered)))


def make_sweep(
    runs_root: Path,
    proposal: SweepProposal,
    approvals: Sequence[Approval],
    *,
    by: str,
    max_parallel: int,
    purpose: Purpose = "sweep",
    clock: Callable[[], float] = time.time,
) -> SweepRecord:
    """Make an approved sweep known; nothing runs yet. Raises `Refused` when its name is taken."""
    cells = tuple(
        CellRecord(
            index=cell.index,
            name=judged.plan.training.run_name,
            overrides=cell.overrides,
            plan=judged.plan,
            approval=approval,
            cost=judged.cost,
        )
        for (cell, judged), approval in zip(proposal.cells, approvals, strict=True)
    )
    record = SweepRecord(
        name=proposal.name,
        created_at=clock(),
        profile=proposal.profile.name,
        max_parallel=max_parallel,
        by=by,
        purpose=purpose,
        cells=cells,
    )
    create_sweep(runs_root, record)
    return record


def start_sweeper(runs_root: Path, name: str, *, environ: Mapping[str, str] | None = None) -> int:
    """Spawn a sweeper that goes on with the unfinished cells, and wait until it has the sweep; returns its pid.

    Raises:
        UsageError: There is no such sweep.
        Refused: A sweeper has it already.
        TcaoError: It ended before it took the sweep; says why.
    """
    read_sweep(runs_root, name)
    place = sweep_dir(runs_root, name)
    argv = [sys.executable, "-m", "tcao_tui", "--runs-dir", str(runs_root), "sweep", "--resume", name, "--foreground"]
    return start_driver(
        argv,
        place,
        place / LOG_NAME,
        what=f"sweep {name}",
        next_step=f"tcao sweep --show {name}",
        environ=os.environ if environ is None else environ,
    )


def _judged(
    cells: Sequence[Cell],
    profile: Profile,
    measure: Sources | None,
    *,
    caps: Sequence[float | None],
    known: Facts | None,
    report: Callable[[str], None],
) -> list[Proposal]:
    """Each cell judged; what was measured for one is not measured again for the next."""
    found: list[Proposal] = []
    keys = varied([cell.overrides for cell in cells])
    for cell, cap in zip(cells, caps, strict=True):
        which = f"cell {cell.index} ({words(cell.overrides, keys)})"
        report(f"checking {which} of {len(cells)}")
        try:
            proposal = propose(cell.plan, profile, max_cost_usd=cap, known=known, measure=measure)
            proposal.require_worker()
        except TcaoError as error:
            error.what = f"{which}: {error.what}"
            raise
        known = proposal.facts
        found.append(proposal)
    return found
