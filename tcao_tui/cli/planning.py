"""What `tcao plan` does: opens the interview, lets a person or a file answer, then writes, approves and launches."""

from __future__ import annotations

import asyncio
import json
import shlex
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

import click

from tcao_tui import __version__
from tcao_tui.cli.context import CliContext
from tcao_tui.cli.interviewing import LineInterview
from tcao_tui.cli.launching import person
from tcao_tui.cli.plan_answers import AnsweredInterview, read_answers
from tcao_tui.cli.render.interview import entry_lines, plan_lines
from tcao_tui.cli.render.json import error_json, to_json
from tcao_tui.cli.render.plan import sheet_dict
from tcao_tui.cli.render.text import error_text, table
from tcao_tui.domain.interview import PlannerName, StoredEntry
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import duration_text, money_text
from tcao_tui.errors import NeedsInput, TcaoError
from tcao_tui.planner.open import FOLDER_NAME, find_interview, open_session, read_state
from tcao_tui.planner.port import Streamed
from tcao_tui.planner.recorded import Listener
from tcao_tui.planner.session import Outcome, Session
from tcao_tui.services.backends import Profile
from tcao_tui.services.check import Examined, obstacle
from tcao_tui.store.atomic_file import write_text
from tcao_tui.store.plan_file import PLAN_NAME, plan_text
from tcao_tui.store.port import RunStore


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of `tcao plan`."""

    opening: str
    answers: Path | None
    out: Path | None
    takes_defaults: bool
    resume: str | None
    fork: str | None
    planner: str | None
    approve: str | None
    max_cost_usd: float | None
    launch: bool
    backend: str | None

    @property
    def planner_name(self) -> PlannerName | None:
        """Who asks; a file of answers is asked by the rules unless somebody says otherwise."""
        match self.planner:
            case "llm":
                return "llm"
            case None if self.answers is None:
                return None
            case _:
                return "rules"


def list_interviews(console: CliContext) -> None:
    """Print the interviews of this runs root, the one that moved last first."""
    if not console.has_store:
        found = []
    else:
        with console.store() as store:
            found = store.interviews.interviews()
    if console.wants_json:
        console.result(to_json([asdict(one) for one in found], indent=2 if console.output == "json" else None))
    elif found:
        ages = [duration_text(time.time() - one.updated_at) for one in found]
        rows = [(i.interview_id, i.status, age, one_line(i.title, 60)) for i, age in zip(found, ages, strict=True)]
        console.result("\n".join(line.rstrip() for line in table(("INTERVIEW", "STATUS", "AGE", "TITLE"), rows)))
    else:
        console.progress("no interviews yet; `tcao plan` starts one")


def run_interview(console: CliContext, wanted: Wanted) -> None:
    """Carry an interview as far as it goes and report. Raises `TcaoError`."""
    answers = read_answers(wanted.answers) if wanted.answers is not None else {}
    with console.store(create=True) as store, asyncio.Runner() as runner:
        call = _open(console, wanted, store, runner)
        try:
            if console.is_interactive and wanted.answers is None:
                _at_a_terminal(call)
            else:
                _headless(call, answers)
        except TcaoError as error:
            _fail(call, error)


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of `tcao plan`."""

    console: CliContext
    wanted: Wanted
    store: RunStore
    runner: asyncio.Runner
    profile: Profile
    session: Session


def _open(console: CliContext, wanted: Wanted, store: RunStore, runner: asyncio.Runner) -> _Call:
    backend, interview_id, forked_from = wanted.backend, None, ""
    if wanted.resume:
        interview_id = find_interview(store.interviews, wanted.resume)
        backend = backend or read_state(store.interviews, interview_id).profile
    elif wanted.fork:
        forked_from = find_interview(store.interviews, wanted.fork)
        backend = backend or read_state(store.interviews, forked_from).profile
    profile = console.profile(backend)
    session = open_session(
        store,
        console.runs_root,
        settings=console.settings(),
        profile=profile,
        directory=Path.cwd(),
        interview_id=interview_id,
        forked_from=forked_from,
        planner=wanted.planner_name,
        can_ask=console.is_interactive and wanted.answers is None,
        listener=_listener(console),
        environ=console.environ,
    )
    if console.output == "stream-json":
        console.result(to_json({"type": "init", "version": __version__, **_about(session)}))
    return _Call(console, wanted, store, runner, profile, session)


def _listener(console: CliContext) -> Listener:
    """Headless, what happens goes to stderr as text, or to stdout as one JSON object a line."""

    def tell(news: StoredEntry | Streamed) -> None:
        if not isinstance(news, StoredEntry):
            return
        if console.output == "stream-json":
            body = news.entry.model_dump(mode="json")
            console.result(to_json({"type": "entry", "seq": news.seq, "at": news.at, **body}))
        elif console.output == "text":
            for line in entry_lines(news.entry, console.style):
                console.progress(line)

    return tell


def _at_a_terminal(call: _Call) -> None:
    console, session = call.console, call.session
    console.progress(f"Interview {session.state.interview_id}; every answer is kept. /help lists commands.")
    wants_to_approve = LineInterview(console, session, call.runner).talk(call.wanted.opening)
    if wants_to_approve:
        _approve_at_a_terminal(call)
    _write_out(call)
    if not session.state.run_id:
        console.progress(f"go on: tcao plan --resume {session.state.interview_id}")


def _approve_at_a_terminal(call: _Call) -> None:
    console, session, sheet = call.console, call.session, call.session.sheet
    amount = None
    if sheet.quote is not None and not sheet.quote.is_free:
        cost = None if sheet.cost is None else sheet.cost.total.expected_usd
        console.progress(f"Expected cost: {money_text(cost)}. Type the amount in US dollars that it may cost at most.")
        amount = click.prompt("amount", type=click.FloatRange(min=0), err=True)
    session.approve(given=sheet.approval_hash or "", by=person(), max_cost_usd=amount, typed=True)
    starts = _can_train(session) and (
        call.wanted.launch or click.confirm("Start training now?", default=False, err=True)
    )
    _after_approval(call, starts=starts)


def _headless(call: _Call, answers: dict[str, Any]) -> None:
    session, wanted = call.session, call.wanted
    answered = AnsweredInterview(session, answers, takes_defaults=wanted.takes_defaults)
    call.runner.run(answered.go(wanted.opening))
    sheet = session.sheet
    if (error := obstacle(Examined(sheet, session.state.facts))) is not None:
        raise error
    _write_out(call)
    outcome = None
    if wanted.approve is not None:
        session.approve(given=wanted.approve, by=person(), max_cost_usd=wanted.max_cost_usd)
        outcome = _after_approval(call, starts=wanted.launch)
    elif wanted.launch:
        raise NeedsInput("training starts only from an approved plan", next_step=f"--approve {sheet.approval_hash}")
    _report(call, outcome)


def _after_approval(call: _Call, *, starts: bool) -> Outcome:
    """Write the approved plan's files, and start a worker where that is wanted and possible."""
    session, console = call.session, call.console
    if starts:
        outcome = call.runner.run(session.carry_out(call.store, console.runs_root, call.profile))
    else:
        folder = console.runs_root / FOLDER_NAME / session.state.interview_id
        outcome = Outcome(call.runner.run(session.write_files(folder)))
    if outcome.run_id:
        console.progress(f"  follow: tcao watch {outcome.run_id}\n  end:    tcao stop {outcome.run_id}")
    elif (approved := session.state.approved) is not None and _can_train(session):
        plan = shlex.quote(str(outcome.directory / PLAN_NAME))
        console.progress(f"  train:  tcao run {plan} --approve {approved.approval_hash}")
    return outcome


def _can_train(session: Session) -> bool:
    """Whether a worker here can carry out the plan's method."""
    plan = session.sheet.plan
    return plan is not None and plan.method in session.state.facts.methods


def _write_out(call: _Call) -> None:
    plan, out = call.session.sheet.plan, call.wanted.out
    if plan is None or out is None:
        return
    try:
        write_text(out, plan_text(plan, in_one_file=True))
    except OSError as error:
        raise TcaoError(f"the plan cannot be written: {error.strerror}", where=str(out)) from error


def _report(call: _Call, outcome: Outcome | None) -> None:
    console, session, wanted = call.console, call.session, call.wanted
    if console.wants_json:
        console.result(to_json({"type": "result", **_result(call, outcome)}, indent=_indent(console)))
    elif outcome is not None:
        console.result(outcome.run_id or str(outcome.directory))
    elif wanted.out is not None:
        console.result(str(wanted.out))
    else:
        console.result("\n".join(plan_lines(session.sheet, console.style)))
    if outcome is None:
        again = f"tcao plan --resume {session.state.interview_id} --approve {session.sheet.approval_hash}"
        console.progress(f"  approve: {again}")


def _result(call: _Call, outcome: Outcome | None) -> dict[str, Any]:
    session, sheet = call.session, call.session.sheet
    return {
        **_about(session),
        "questions": session.state.questions,
        "values": {path: filled.model_dump(mode="json") for path, filled in sheet.draft.items()},
        **sheet_dict(sheet),
        "plan": None if sheet.plan is None else sheet.plan.model_dump(mode="json", exclude={"decisions"}),
        "plan_file": None if call.wanted.out is None else str(call.wanted.out),
        "approved": session.state.approved is not None,
        "directory": None if outcome is None else str(outcome.directory),
        "run_id": session.state.run_id or None,
    }


def _fail(call: _Call, error: TcaoError) -> NoReturn:
    """End with an error that names the interview, so that it can be resumed; a stream ends with its result."""
    error.details = {**error.details, "interview_id": call.session.state.interview_id}
    if call.console.output != "stream-json":
        call.console.progress(f"  go on: tcao plan --resume {call.session.state.interview_id}")
        raise error
    told = {"type": "result", **json.loads(error_json(error)), **_result(call, None)}
    call.console.result(to_json(told))
    call.console.progress(error_text(error, call.console.style))
    click.get_current_context().exit(error.exit_code)


def _about(session: Session) -> dict[str, Any]:
    state = session.state
    return {"interview_id": state.interview_id, "backend": state.profile, "planner": state.planner}


def _indent(console: CliContext) -> int | None:
    return 2 if console.output == "json" else None
