"""One table from what a person asks for to the port that does it, in a thread; the real ports are made in `wiring`.

What a service refuses or cannot do becomes a toast, never a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.message import Message
from textual.worker import Worker, WorkerState

from tcao_tui.errors import TcaoError
from tcao_tui.tui.messages import (
    ChangeSetting,
    ChatAct,
    CompareRuns,
    ControlRun,
    Diagnosed,
    DiagnoseRun,
    Done,
    GoBackTo,
    HoldInterview,
    Intent,
    InterviewOpened,
    InterviewsListed,
    LaunchPlan,
    ListInterviews,
    NotDone,
    OpenRun,
    PlanRead,
    PreviewPlan,
    ReadRollouts,
    ResumeRun,
    RolloutsRead,
    RunDemo,
    RunsCompared,
    SaveText,
)
from tcao_tui.tui.ports import Ports

GROUP = "intents"

INTENTS: dict[type[Intent], Callable[[Ports, Any], Message | None]] = {
    ControlRun: lambda ports, intent: Done(ports.control(intent.run_id, intent.verb)),
    ResumeRun: lambda ports, intent: Done(ports.resume(intent.run_id)),
    GoBackTo: lambda ports, intent: Done(ports.go_back(intent.run_id, intent.path)),
    PreviewPlan: lambda ports, intent: PlanRead(ports.preview(intent.path)),
    LaunchPlan: lambda ports, intent: OpenRun(ports.launch(intent.preview)),
    RunDemo: lambda ports, intent: OpenRun(ports.demo()),
    ListInterviews: lambda ports, intent: InterviewsListed(ports.interviews()),
    HoldInterview: lambda ports, intent: InterviewOpened(intent.wanted, ports.open_interview(intent.wanted)),
    DiagnoseRun: lambda ports, intent: Diagnosed(ports.diagnose(intent.view)),
    ChangeSetting: lambda ports, intent: Done(ports.change(intent.run_id, intent.request)),
    CompareRuns: lambda ports, intent: RunsCompared(ports.compare(intent.run_ids)),
    ReadRollouts: lambda ports, intent: RolloutsRead(intent.taken.step, ports.rollouts(intent.run_id, intent.taken)),
    ChatAct: lambda _ports, intent: intent.act(),
    SaveText: lambda ports, intent: Done(f"Written to {ports.save_text(intent.name, intent.text)}"),
}

WAIT_TEXTS: dict[type[Intent], str] = {
    ResumeRun: "Starting a worker ...",
    GoBackTo: "Starting a worker ...",
    LaunchPlan: "Starting a worker ...",
    RunDemo: "Starting the local engine and a worker ...",
}
"""Said at once for what takes seconds."""


def carry_out(app: App[Any], ports: Ports, intent: Intent) -> None:
    """Do what is asked in a thread; the app gets the outcome as `Worker.StateChanged`.

    Args:
        app: Runs the worker.
        ports: The use cases.
        intent: What a person asks for.
    """
    if text := WAIT_TEXTS.get(type(intent)):
        app.notify(text, timeout=3, markup=False)
    act = INTENTS[type(intent)]
    app.run_worker(lambda: act(ports, intent), group=GROUP, thread=True, exit_on_error=False)


def outcome_of(worker: Worker[Any], state: WorkerState) -> Message | None:
    """The message that a finished intent comes to; None for other workers and states."""
    if worker.group != GROUP:
        return None
    if state is WorkerState.SUCCESS:
        return worker.result
    if state is not WorkerState.ERROR:
        return None
    return not_done(worker.error)


def not_done(error: BaseException | None) -> NotDone:
    """What a person is told of an error."""
    if isinstance(error, TcaoError):
        return NotDone(str(error), error.next_step, error.title)
    return NotDone(f"{type(error).__name__}: {error}", "tcao doctor")
