"""How the command line makes, drives and shows sweeps."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tcao_tui.cli.context import CliContext
from tcao_tui.cli.launching import command_again, consented, person
from tcao_tui.cli.render.json import to_json
from tcao_tui.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tcao_tui.domain.plan import Plan
    from tcao_tui.domain.sweep import Overrides
    from tcao_tui.domain.sweep_table import SweepTable
    from tcao_tui.services.backends import Profile
    from tcao_tui.services.sweep import Purpose, SweepProposal
    from tcao_tui.store.port import Approval


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What was asked for on the command line."""

    plan_file: Path
    settings: tuple[str, ...]
    list_file: Path | None
    steps: int | None
    name: str | None
    by: str | None
    parallel: int
    range_test: bool
    approve: str | None
    max_cost_usd: float | None
    backend: str | None
    foreground: bool

    def again(self) -> str:
        """The command line to repeat, without `--approve`."""
        words = [
            command_again(
                "sweep", shlex.quote(str(self.plan_file)), backend=self.backend, max_cost_usd=self.max_cost_usd
            )
        ]
        words += [f"--set {shlex.quote(setting)}" for setting in self.settings]
        words += [f"--list {shlex.quote(str(self.list_file))}"] if self.list_file else []
        words += ["--range-test"] if self.range_test else []
        words += [f"--steps {self.steps}"] if self.steps else []
        words += [f"--name {self.name}"] if self.name else []
        return " ".join(words)


def new_sweep(console: CliContext, request: SweepRequest) -> None:
    """Judge, ask for consent, make the sweep and hand it to a sweeper; an approved one of the same cells goes on."""
    from tcao_tui.domain.range_test import LOSSES
    from tcao_tui.domain.sweep_table import measure_for
    from tcao_tui.services.plans import load_plan
    from tcao_tui.services.sweep import make_sweep, propose_sweep

    plan = load_plan(request.plan_file)
    profile = console.profile(request.backend)
    purpose: Purpose = "range_test" if request.range_test else "sweep"
    overrides = _range_test(plan, profile, request) if request.range_test else _overrides(request)
    by = LOSSES[plan.method] if request.range_test else measure_for(plan, request.by).key
    name = request.name or f"{plan.training.run_name[:48]}-{purpose.replace('_', '-')}"
    proposal = propose_sweep(
        plan,
        overrides,
        profile,
        name=name,
        files_from=(request.list_file or Path("-")).absolute().parent,
        max_cost_usd=request.max_cost_usd,
        report=console.progress,
    )
    if not _is_made(console, proposal):
        approvals = consent(console, proposal, request)
        make_sweep(console.runs_root, proposal, approvals, by=by, max_parallel=request.parallel, purpose=purpose)
    else:
        console.progress(f"sweep {name} is made and approved already: going on with its unfinished cells")
    go_on(console, name, foreground=request.foreground)


def consent(console: CliContext, proposal: SweepProposal, request: SweepRequest) -> tuple[Approval, ...]:
    """The approvals that were given, or asked for in a terminal. Raises `NeedsInput`."""
    from tcao_tui.cli.render.sweep import sweep_proposal_lines

    return consented(
        console,
        lambda given, typed: proposal.consent(given, by=person(), typed=typed),
        given=request.approve,
        wanted=proposal.hash,
        lines=lambda: sweep_proposal_lines(proposal),
        purpose="to launch all of them",
        command=request.again(),
    )


def go_on(console: CliContext, name: str, *, foreground: bool) -> None:
    """Drive the unfinished cells here, or start a process that does."""
    if foreground:
        _drive(console, name)
        return
    from tcao_tui.services.sweep import start_sweeper
    from tcao_tui.services.sweep_follow import sweep_now

    with console.store(create=True) as store:
        _, found, _ = sweep_now(store, console.runs_root, name)
        if all(row.status == "completed" for row in found.rows):
            console.progress("every cell is completed: nothing is left to do")
            _print(console, found)
            return
        pid = start_sweeper(console.runs_root, name, environ=console.environ)
    if console.wants_json:
        console.result(to_json({"type": "sweep_started", "name": name, "sweeper_pid": pid}))
        return
    console.result(name)
    console.progress(f"sweeper {pid} works on it; it goes on when this terminal is closed")
    console.progress(f"  table:  tcao sweep --show {name}\n  go on:  tcao sweep --resume {name}")


def show_sweep(console: CliContext, name: str) -> None:
    """Print the table of a sweep."""
    from tcao_tui.services.sweep_follow import sweep_now

    with console.store() as store:
        _, found, _ = sweep_now(store, console.runs_root, name)
    _print(console, found)


def list_sweeps(console: CliContext) -> None:
    """Print the sweeps with how far they are, the one that changed last first."""
    from tcao_tui.cli.render.sweep import sweep_dict
    from tcao_tui.services.sweep_follow import sweep_now
    from tcao_tui.store.sweep_file import sweep_names

    names = sweep_names(console.runs_root)
    if not names and not console.wants_json:
        console.progress(f"no sweeps yet (in {console.runs_root})")
        return
    found: list[SweepTable] = []
    if names:
        with console.store() as store:
            found = [sweep_now(store, console.runs_root, name)[1] for name in names]
    if console.wants_json:
        console.result(to_json([sweep_dict(table) for table in found], indent=2))
        return
    for table in found:
        over = sum(row.is_over for row in table.rows)
        console.result(f"{table.name}  {over} of {len(table.rows)} cells over  {table.verdict}")


def _print(console: CliContext, found: SweepTable) -> None:
    from tcao_tui.cli.render.sweep import sweep_dict, sweep_lines

    if console.wants_json:
        console.result(to_json(sweep_dict(found), indent=2))
    else:
        console.result("\n".join(sweep_lines(found, console.style)))


def _drive(console: CliContext, name: str) -> None:
    from tcao_tui.services.sweep_driver import Sweeper
    from tcao_tui.services.sweep_follow import sweep_now
    from tcao_tui.store.sweep_file import read_sweep

    profile = console.profile(read_sweep(console.runs_root, name).profile)
    with console.store(create=True) as store:
        try:
            Sweeper(store, console.runs_root, name, profile, report=console.progress).run()
        except KeyboardInterrupt:
            console.progress(f"\nthe runs go on, further ones are not started: tcao sweep --resume {name}")
            raise
        _, found, _ = sweep_now(store, console.runs_root, name)
    _print(console, found)
    if any(row.status != "completed" for row in found.rows):
        console.progress(f"go on with: tcao sweep --resume {name}")
        click.get_current_context().exit(ExitCode.RESUMABLE)


def _is_made(console: CliContext, proposal: SweepProposal) -> bool:
    """Whether a sweep of this name consists of exactly these cells."""
    from tcao_tui.store.sweep_file import read_sweep, sweep_names

    if proposal.name not in sweep_names(console.runs_root):
        return False
    made = [cell.approval.approval_hash for cell in read_sweep(console.runs_root, proposal.name).cells]
    return made == [judged.hash for _, judged in proposal.cells]


def _range_test(plan: Plan, profile: Profile, request: SweepRequest) -> tuple[Overrides, ...]:
    from tcao_tui.domain.range_test import DEFAULT_STEPS
    from tcao_tui.services.sweep import range_overrides

    if request.settings or request.list_file or request.by:
        raise UsageError(
            "--range-test chooses what to vary, and reads the training loss: leave out --set, --list, --by"
        )
    return range_overrides(plan, profile, steps=request.steps or DEFAULT_STEPS)


def _overrides(request: SweepRequest) -> tuple[Overrides, ...]:
    from tcao_tui.domain.sweep import STEPS_KEY, grid, listed, parse_setting
    from tcao_tui.store.yaml_document import read_document

    common: list[tuple[str, tuple[Any, ...]]] = [(STEPS_KEY, (request.steps,))] if request.steps else []
    if request.list_file is not None:
        if request.settings:
            raise UsageError("--list and --set exclude each other", next_step="write all values into the file")
        rows = listed(read_document(request.list_file).values.get("cells"))
        return tuple((*row, *((path, value) for path, (value,) in common)) for row in rows)
    if not request.settings:
        raise UsageError(
            "nothing to vary", next_step="--set training.learning_rate=1e-4,3e-4, --list FILE or --range-test"
        )
    return grid([*map(parse_setting, request.settings), *common])
