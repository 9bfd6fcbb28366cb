"""How commands ask for consent and report a launch; shared by `run`, `replay` and the like."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING, Any

import click

from tcao_tui.cli.context import CliContext
from tcao_tui.cli.render.json import to_json
from tcao_tui.cli.render.plan import cost_lines
from tcao_tui.cli.render.text import table
from tcao_tui.cli.watching import wait_and_report
from tcao_tui.domain.plain_text import one_line, plain_text
from tcao_tui.domain.wording import money_text
from tcao_tui.errors import NeedsInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tcao_tui.domain.plan import Plan
    from tcao_tui.services.launch import LaunchResult
    from tcao_tui.services.proposals import Proposal
    from tcao_tui.store.port import Approval

CHECKING = "checking the plan: its rows, the backend's models, what it may cost"
"""Said before it is done: tokenising rows and asking a server take seconds."""


def person() -> str:
    """Who gives consent and makes requests, for the record."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


def command_again(verb: str, what: str, *, backend: str | None, max_cost_usd: float | None) -> str:
    """The command line to repeat, without `--approve`."""
    words = ["tcao", verb, what]
    words += ["--backend", backend] if backend else []
    words += ["--max-cost", f"{max_cost_usd:g}"] if max_cost_usd is not None else []
    return " ".join(words)


def propose_plan(console: CliContext, plan: Plan, backend: str | None, max_cost_usd: float | None) -> Proposal:
    """The plan, judged; says that judging it takes a while. Raises as `services.proposals.propose` does."""
    from tcao_tui.services.proposals import propose

    profile = console.profile(backend)
    console.progress(CHECKING)
    return propose(plan, profile, max_cost_usd=max_cost_usd)


def consent(console: CliContext, proposal: Proposal, given: str | None, command: str) -> Approval:
    """The approval that was given, or asked for in a terminal.

    Args:
        console: Where to ask.
        proposal: What for.
        given: `--approve`.
        command: The command line to repeat with `--approve`, without it.

    Raises:
        NeedsInput: Nobody can be asked, or the answer was no; says the hash and the command.
        Refused: No worker here can carry the plan out, whatever anybody approves.
    """
    proposal.require_worker()
    return consented(
        console,
        lambda hash_or_auto, typed: proposal.consent(hash_or_auto, by=person(), typed=typed),
        given=given,
        wanted=proposal.hash,
        lines=lambda: proposal_lines(proposal),
        purpose="to launch",
        command=command,
    )


def consented[T](
    console: CliContext,
    consent: Callable[[str | None, bool], T],
    *,
    given: str | None,
    wanted: str,
    lines: Callable[[], Sequence[str]],
    purpose: str,
    command: str,
    nothing: str = "nothing was started",
) -> T:
    """What consent gives, be it given or asked for in a terminal, to anything that may cost.

    Args:
        console: Where to ask.
        consent: Takes the hash, "auto" or None, and whether a person typed it; raises `NeedsInput`.
        given: `--approve`, or "auto" where nothing can cost anything.
        wanted: The hash of what was shown.
        lines: What a person reads before consenting.
        purpose: What approval is asked for: `to launch`.
        command: The command line to repeat with `--approve`, without it.
        nothing: What is told when the answer was no.

    Raises:
        NeedsInput: Nobody can be asked, or the answer was no; says the hash and the command.
    """
    if given is None and console.is_interactive:
        console.progress("\n".join(lines()))
        answer = click.prompt(f"Type approve {purpose}", default="", show_default=False, err=True)
        if answer.strip().lower() != "approve":
            raise NeedsInput(f"not approved; {nothing}")
        return consent(wanted, True)
    try:
        return consent(given, False)
    except NeedsInput as error:
        if given is None and not console.wants_json:
            console.progress("\n".join(lines()))
        error.next_step = f"{command} --approve {wanted}"
        raise


def proposal_lines(proposal: Proposal) -> list[str]:
    """The plan, what is odd about it, its estimate and its hash as a person reads them before consenting."""
    plan, config = proposal.plan, proposal.plan.training
    score = plan.evals.score
    sizes = [f"{proposal.rows(config.train_file)} training rows"]
    sizes += [f"{proposal.rows(config.val_file)} validation rows"] if config.val_file else []
    sizes += [f"score on {min(score.max_rows, proposal.rows(score.file))} rows"] if score else []
    cap = plan.budget.max_cost_usd
    rows = [
        ("goal", one_line(plan.goal, 100) or "-"),
        ("method", f"{one_line(plan.method)} on {one_line(config.base_model)}, LoRA rank {config.lora_rank}"),
        ("data", f"{one_line(str(config.train_file))}: {', '.join(sizes)}"),
        ("steps", f"{config.num_steps} of {config.step_size}, learning rate {config.learning_rate:g}"),
        ("backend", f"{proposal.profile.name} ({plain_text(proposal.profile.why)})"),
        ("cap", money_text(cap) if cap is not None else "none"),
        *(("warning", one_line(f"{w.path}: {w.got}; expected {w.expected}", 160)) for w in proposal.warnings),
        ("hash", proposal.hash),
    ]
    told = table(("plan", one_line(config.run_name)), rows)
    return ["", *[f"  {line.rstrip()}" for line in (*told, "", *cost_lines(proposal.cost))], ""]


def launched_dict(result: LaunchResult, proposal: Proposal) -> dict[str, Any]:
    """A launch for scripts."""
    return {
        "run_id": result.run_id,
        "run_dir": str(result.run_dir),
        "worker_pid": result.pid,
        "attempt": result.attempt,
        "backend": proposal.profile.name,
        "approval_hash": proposal.hash,
    }


def report_launch(console: CliContext, result: LaunchResult, proposal: Proposal) -> None:
    """Say that a worker has the run, and what can be done now."""
    if console.wants_json:
        console.result(to_json({"type": "launched", **launched_dict(result, proposal)}))
        return
    console.result(result.run_id)
    console.progress(f"worker {result.pid} has it; it goes on when this terminal is closed")
    console.progress(f"  follow: tcao watch {result.run_id}\n  end:    tcao stop {result.run_id}")


def launch_and_report(console: CliContext, proposal: Proposal, approval: Approval, *, detach: bool) -> None:
    """Hand an approved proposal to a worker, report it, and follow it to its end unless detached."""
    from tcao_tui.services.proposals import carry_out

    if proposal.profile.kind == "engine":
        console.progress("making sure that the local engine runs")
    with console.store(create=True) as store:
        result = carry_out(store, console.runs_root, proposal, approval)
        if detach:
            report_launch(console, result, proposal)
            return
        if console.output != "json":
            report_launch(console, result, proposal)
        wait_and_report(console, store, result.run_id)
