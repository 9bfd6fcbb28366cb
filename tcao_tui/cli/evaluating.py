"""How the command line makes, drives and follows evaluations."""

from __future__ import annotations

import shlex
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import click

from tcao_tui.cli.context import CliContext
from tcao_tui.cli.launching import command_again, consented, person
from tcao_tui.cli.render.json import to_json
from tcao_tui.errors import ExitCode, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tcao_tui.domain.evaluation import CellRecord, EvalTask, EvaluationSpec
    from tcao_tui.services.eval_subjects import Meant
    from tcao_tui.services.eval_tasks import Wanted
    from tcao_tui.services.evaluations import EvaluationProposal, How
    from tcao_tui.store.port import RunStore

_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What was asked for on the command line."""

    weights: tuple[str, ...]
    wanted: Wanted
    last: int | None
    base_model: str
    title: str
    at_once: int
    approve: str | None
    max_cost_usd: float | None
    backend: str | None
    wait: bool

    def again(self) -> str:
        """The command line to repeat, without `--approve`."""
        wanted = self.wanted
        words = [command_again("eval", shlex.join(self.weights), backend=self.backend, max_cost_usd=self.max_cost_usd)]
        words += [f"--task {shlex.quote(task)}" for task in wanted.tasks]
        words += [f"--suite {shlex.quote(suite)}" for suite in wanted.suites]
        words += [f"--layer {layer}" for layer in wanted.layers]
        for option, value in (
            ("--limit", wanted.limit),
            ("--seed", wanted.seed),
            ("--epochs", wanted.epochs),
            ("--judge", wanted.judge or None),
            ("--last", self.last),
            ("--base", self.base_model or None),
            ("--title", self.title or None),
            ("--parallel", self.at_once if self.at_once > 1 else None),
        ):
            words += [f"{option} {shlex.quote(str(value))}"] if value is not None else []
        return " ".join([*words, *(["--wait"] if self.wait else [])])


def start_new(console: CliContext, request: StartRequest) -> None:
    """Find out what is meant, ask for consent, make the evaluation and hand it to a driver."""
    from tcao_tui.services.backends import ensure_engine
    from tcao_tui.services.eval_sizes import task_sizes
    from tcao_tui.services.eval_subjects import subjects_meant
    from tcao_tui.services.eval_tasks import tasks_meant
    from tcao_tui.services.evaluations import make_evaluation, propose_evaluation

    with console.store(create=True) as store:
        meant = subjects_meant(
            store, console.runs_root, request.weights, last=request.last, base_model=request.base_model
        )
        tasks = tasks_meant(request.wanted, meant.plan)
        profile = console.profile(request.backend or (meant.run.backend if meant.run else None))
        require_possible(console, meant, tasks)
        proposal = propose_evaluation(_spec(meant, tasks, request, profile.name), profile, task_sizes(tasks))
        how = consent(console, proposal, request)
        ensure_engine(profile)
        record = make_evaluation(store.evaluations, proposal, how, by=person())
        go_on(console, store, record.evaluation_id, at_once=request.at_once, wait=request.wait)


def require_possible(console: CliContext, meant: Meant, tasks: Sequence[EvalTask]) -> None:
    """Tell what misleads, and stop before anything is spent when something is missing. Raises `Refused`."""
    from tcao_tui.domain.plain_text import one_line
    from tcao_tui.domain.policy.renderer import thinks
    from tcao_tui.services.eval_preflight import preflight

    console.progress("looking for what these evals need")
    found = preflight(tasks, console.environ, thinks=thinks(meant.subjects[0].renderer))
    for obstacle in found:
        if not obstacle.blocks:
            console.progress(f"  {one_line(obstacle.task)}: {one_line(obstacle.what, 300)}")
    if blocking := [obstacle for obstacle in found if obstacle.blocks]:
        raise Refused(
            "; ".join(f"{obstacle.task}: {obstacle.what}" for obstacle in blocking),
            next_step="; ".join(dict.fromkeys(obstacle.fix for obstacle in blocking)),
            details={"obstacles": [asdict(obstacle) for obstacle in found]},
        )


def _spec(meant: Meant, tasks: Sequence[EvalTask], request: StartRequest, profile: str) -> EvaluationSpec:
    from tcao_tui.domain.evaluation import EvaluationSpec

    return EvaluationSpec.model_validate(
        {
            "title": request.title or (meant.run.name if meant.run else meant.subjects[-1].name),
            "profile": profile,
            "run_id": meant.run.run_id if meant.run else "",
            "subjects": meant.subjects,
            "tasks": tuple(tasks),
            "max_cost_usd": request.max_cost_usd,
        }
    )


def consent(console: CliContext, proposal: EvaluationProposal, request: StartRequest) -> How:
    """How consent was given, or asked for in a terminal; what is free needs none. Raises `NeedsInput`."""
    from tcao_tui.cli.render.evaluation import proposal_lines

    given = request.approve or ("auto" if proposal.is_free else None)
    how: How = consented(
        console,
        lambda hash_or_auto, typed: proposal.consent(hash_or_auto, typed=typed),
        given=given,
        wanted=proposal.hash,
        lines=lambda: proposal_lines(proposal),
        purpose="to evaluate",
        command=request.again(),
    )
    if given is not None and not console.wants_json:
        console.progress("\n".join(proposal_lines(proposal)))
    return how


def go_on(console: CliContext, store: RunStore, evaluation_id: str, *, at_once: int, wait: bool) -> None:
    """Start a process that drives it, and follow it to its end when that is wanted."""
    from tcao_tui.services.evaluations import resume_evaluation

    pid = resume_evaluation(console.runs_root, evaluation_id, by=person(), at_once=at_once, environ=console.environ)
    if wait:
        wait_and_report(console, store, evaluation_id)
        return
    if console.wants_json:
        console.result(to_json({"type": "evaluation_started", "evaluation_id": evaluation_id, "driver_pid": pid}))
        return
    console.result(evaluation_id)
    console.progress(f"process {pid} carries it out; it goes on when this terminal is closed")
    console.progress(f"  scores: tcao eval show {evaluation_id}\n  go on:  tcao eval resume {evaluation_id}")


def wait_and_report(console: CliContext, store: RunStore, evaluation_id: str) -> None:
    """Follow it until nobody drives it, print it, and end this command with the code of its outcome."""
    from tcao_tui.cli.render.evaluation import cell_line
    from tcao_tui.services.evaluations import is_driven

    told: dict[object, str] = {}
    try:
        driven = True
        while driven:
            driven = is_driven(console.runs_root, evaluation_id)
            for cell in store.evaluations.cells(evaluation_id):
                if cell.tried and told.get(cell.key) != (line := cell_line(cell)):
                    told[cell.key] = line
                    console.progress(line)
            if driven:
                time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        console.progress(f"\nno longer following; it goes on: tcao eval show {evaluation_id}")
        raise
    show_evaluations(console, store, evaluation_id=evaluation_id)
    end_with(outcome(store.evaluations.cells(evaluation_id)))


def show_evaluations(
    console: CliContext, store: RunStore, *, evaluation_id: str | None = None, run_id: str | None = None
) -> None:
    """Print the matrix of an evaluation, or of all evaluations of a run."""
    from tcao_tui.cli.render.evaluation import matrix_dict, matrix_lines
    from tcao_tui.services.eval_reference import follow_evaluations

    matrix = follow_evaluations(store, console.runs_root, evaluation_id or run_id or "").poll()
    if console.wants_json:
        console.result(to_json({"evaluation_id": evaluation_id, "run_id": run_id, **matrix_dict(matrix)}, indent=2))
    else:
        console.result("\n".join(matrix_lines(matrix, console.style)))


def drive(console: CliContext, store: RunStore, evaluation_id: str, *, at_once: int) -> None:
    """Carry it out here; ends this command with the code of its outcome."""
    from tcao_tui.services.backends import ensure_engine
    from tcao_tui.services.evaluation_driver import EvaluationDriver

    profile = console.profile(store.evaluations.evaluation(evaluation_id).spec.profile)
    ensure_engine(profile)
    driver = EvaluationDriver(
        store.evaluations,
        console.runs_root,
        evaluation_id,
        profile=profile,
        report=console.progress,
        at_once=at_once,
        environ=console.environ,
    )
    end_with(outcome(driver.run()))


def end(console: CliContext, store: RunStore, evaluation_id: str, verb: Literal["drain", "cancel"]) -> None:
    """Ask for an end, and say what becomes of it."""
    from tcao_tui.services.evaluations import end_evaluation

    hears = end_evaluation(
        store.evaluations, console.runs_root, evaluation_id, verb, by=person(), environ=console.environ
    )
    if console.wants_json:
        console.result(to_json({"type": "asked", "evaluation_id": evaluation_id, "verb": verb, "heard": hears}))
    elif not hears:
        console.progress("nothing of it is under way")
    else:
        what = "what is under way ends, nothing more begins" if verb == "drain" else "it ends now"
        console.progress(f"{evaluation_id}: {what}; what was answered is kept")
        console.progress(f"  go on:  tcao eval resume {evaluation_id}")


def outcome(cells: Sequence[CellRecord]) -> ExitCode:
    """0 when every cell is done, 75 when `resume` has something left to do."""
    return ExitCode.OK if all(cell.state == "done" for cell in cells) else ExitCode.RESUMABLE


def end_with(code: ExitCode) -> None:
    """End this command with a code."""
    click.get_current_context().exit(code)
