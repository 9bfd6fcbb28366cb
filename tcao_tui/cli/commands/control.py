"""`tcao stop`, `pause`, `resume`, `checkpoint`, `set`: what is asked of a run while, and after, it is carried out."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import Decorator, output_option, run_argument
from tcao_tui.cli.render.json import to_json
from tcao_tui.errors import Refused, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tcao_tui.domain.events import ControlHandled, Verb
    from tcao_tui.domain.run_view import RunView
    from tcao_tui.domain.setting_request import SettingRequest
    from tcao_tui.store.port import RunStore


def _wait_option(text: str) -> Decorator:
    return click.option("--wait", is_flag=True, help=text)


@click.command(epilog="\b\nExamples:\n  tcao stop latest\n  tcao stop latest --wait --output json")
@run_argument()
@_wait_option("Return when the worker has ended.")
@output_option("text", "json")
@pass_context
def stop(console: CliContext, run: str, wait: bool) -> None:
    """Ask RUN to save a checkpoint and end; `tcao resume` goes on later."""
    _ask(console, run, "stop", wait=wait)


@click.command(epilog="\b\nExamples:\n  tcao pause latest\n  tcao resume latest")
@run_argument()
@_wait_option("Return when the worker has answered.")
@output_option("text", "json")
@pass_context
def pause(console: CliContext, run: str, wait: bool) -> None:
    """Ask RUN to save a checkpoint and wait; the worker stays, `tcao resume` lets it go on."""
    _ask(console, run, "pause", wait=wait)


@click.command(epilog="\b\nExamples:\n  tcao checkpoint latest --wait")
@run_argument()
@_wait_option("Return when the worker has answered.")
@output_option("text", "json")
@pass_context
def checkpoint(console: CliContext, run: str, wait: bool) -> None:
    """Ask RUN to save a checkpoint after the present step."""
    _ask(console, run, "checkpoint", wait=wait)


@click.command(
    epilog="""\b
Examples:
  tcao resume latest
  tcao resume demo --wait --output json
  tcao resume demo --from 40       train again from step 40
"""
)
@run_argument()
@click.option("--from", "place", metavar="STEP|NAME|PATH", help="Go back to this checkpoint instead of the newest.")
@_wait_option("Follow to the end.")
@output_option("text", "json", "stream-json")
@pass_context
def resume(console: CliContext, run: str, place: str | None, wait: bool) -> None:
    """Go on with RUN: a paused worker at once, an ended or lost run from its newest checkpoint.

    Every batch is trained exactly once along the final lineage; `tcao verify-run` proves it.
    """
    from tcao_tui.cli.watching import wait_and_report

    with console.store() as store:
        run_id = console.find(store, run).run_id
        told = _resume(console, store, run_id) if place is None else _go_back(console, store, run_id, place)
        if console.output == "text" or not wait:
            console.result(to_json(told) if console.wants_json else f"{run_id} goes on ({told['how']})")
        if wait:
            wait_and_report(console, store, run_id)


@click.command(
    name="set",
    epilog="""\b
Examples:
  tcao set latest learning_rate=1e-4 --why "the loss is noisy"
  tcao set latest eval_every=50 --wait
""",
)
@run_argument()
@click.argument("setting", metavar="KEY=VALUE")
@click.option("--why", default="", help="The reason, for the record.")
@_wait_option("Return when the worker has answered.")
@output_option("text", "json")
@pass_context
def set_setting(console: CliContext, run: str, setting: str, why: str, wait: bool) -> None:
    """Change learning_rate or eval_every of RUN from its next step on; for SFT and DPO.

    For learning_rate the value is the peak that the schedule scales. The change is part of the record: it is shown on
    the curve, a resume keeps it, and `tcao replay` repeats it.
    """
    from tcao_tui.cli.launching import person
    from tcao_tui.services import control

    request = _setting(setting, why)
    _post(console, run, "change", lambda store, run_id: control.change(store, run_id, request, by=person()), wait=wait)


def _setting(text: str, why: str) -> SettingRequest:
    from pydantic import ValidationError

    from tcao_tui.domain.setting_request import SettingRequest, what_is_wrong

    key, _, value = text.partition("=")
    try:
        return SettingRequest.model_validate({"key": key.strip(), "value": value.strip(), "why": why})
    except ValidationError as error:
        raise UsageError(
            f"{text}: {what_is_wrong(error)}",
            where="KEY=VALUE",
            next_step="such as learning_rate=1e-4 or eval_every=50",
        ) from error


def _resume(console: CliContext, store: RunStore, run_id: str) -> dict[str, object]:
    from tcao_tui.cli.launching import person
    from tcao_tui.services import control, launch
    from tcao_tui.services.backends import ensure_engine

    summary = console.find(store, run_id)
    ensure_engine(console.profile(summary.backend))
    if summary.status.is_live:
        request_id = control.resume(store, run_id, by=person())
        return {"run_id": run_id, "how": "the paused worker", "request_id": request_id}
    started = launch.resume(store, console.runs_root, run_id)
    return {"run_id": run_id, "how": f"attempt {started.attempt}, worker {started.pid}", "attempt": started.attempt}


def _go_back(console: CliContext, store: RunStore, run_id: str, place: str) -> dict[str, object]:
    from tcao_tui.cli.launching import person
    from tcao_tui.services.backends import ensure_engine
    from tcao_tui.services.go_back import go_back, plan_go_back

    wanted = plan_go_back(store, console.find(store, run_id), place)
    console.progress(wanted.consequence)
    ensure_engine(console.profile(wanted.run.backend))
    started = go_back(store, console.runs_root, wanted, by=person())
    how = f"from step {wanted.record.step}, attempt {started.attempt}, worker {started.pid}"
    return {"run_id": run_id, "how": how, "attempt": started.attempt, "step": wanted.record.step}


def _ask(console: CliContext, reference: str, verb: Verb, *, wait: bool) -> None:
    from tcao_tui.cli.launching import person
    from tcao_tui.services import control

    ask = {"stop": control.stop, "pause": control.pause, "checkpoint": control.checkpoint}[verb]
    _post(console, reference, verb, lambda store, run_id: ask(store, run_id, by=person()), wait=wait)


def _post(console: CliContext, reference: str, verb: Verb, ask: Callable[[RunStore, str], int], *, wait: bool) -> None:
    """Post a request and say so, or what became of it."""
    with console.store() as store:
        run_id = console.find(store, reference).run_id
        request_id = ask(store, run_id)
        if not wait:
            told = {"run_id": run_id, "verb": verb, "request_id": request_id}
            console.result(to_json(told) if console.wants_json else f"asked {run_id} to {verb}")
            return
        view = _answered(store, run_id, request_id, until_ended=verb == "stop")
    answer = _answer(view, request_id)
    if answer is not None and not answer.accepted:
        raise Refused(f"{run_id} refused to {verb}: {answer.reason}", next_step=f"tcao show {run_id}")
    if answer is None and verb != "stop":
        raise Refused(f"{run_id} ended before it answered: {view.status}", next_step=f"tcao show {run_id}")
    told = {"run_id": run_id, "verb": verb, "request_id": request_id, "status": str(view.status), "step": view.step}
    console.result(to_json(told) if console.wants_json else f"{run_id}: {view.status} at step {view.step}")


def _answered(store: RunStore, run_id: str, request_id: int, *, until_ended: bool) -> RunView:
    """Follow quietly until the worker has answered, or ended."""
    from tcao_tui.cli.render.live import SilentReporter, follow
    from tcao_tui.services.follow import Follower

    def done(view: RunView) -> bool:
        return not view.status.is_live or (not until_ended and _answer(view, request_id) is not None)

    with closing(Follower(store, run_id)) as source:
        return follow(source, SilentReporter(), until=done, poll_seconds=0.1)


def _answer(view: RunView, request_id: int) -> ControlHandled | None:
    from tcao_tui.domain.events import ControlHandled

    for stored in reversed(view.events):
        if isinstance(stored.event, ControlHandled) and stored.event.request_id == request_id:
            return stored.event
    return None
