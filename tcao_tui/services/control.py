"""What a person asks of a run that is being carried out; each request is refused with a reason where it makes no sense.

The worker answers a request with a `ControlHandled` event. Starting a worker is `services.launch`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tcao_tui.domain.events import Verb
from tcao_tui.domain.liveness import with_status
from tcao_tui.domain.run_view import RunStatus
from tcao_tui.domain.setting_request import SettingRequest
from tcao_tui.errors import Refused
from tcao_tui.store.port import RunStore

Clock = Callable[[], float]


def stop(store: RunStore, run_id: str, *, by: str, clock: Clock = time.time) -> int:
    """Ask for a checkpoint and an end; returns the request's id. Raises `Refused`."""
    return _post(store, run_id, "stop", by, clock)


def pause(store: RunStore, run_id: str, *, by: str, clock: Clock = time.time) -> int:
    """Ask for a checkpoint and a wait; returns the request's id. Raises `Refused`."""
    return _post(store, run_id, "pause", by, clock)


def resume(store: RunStore, run_id: str, *, by: str, clock: Clock = time.time) -> int:
    """Ask a paused run to go on; returns the request's id. Raises `Refused`."""
    return _post(store, run_id, "resume", by, clock)


def checkpoint(store: RunStore, run_id: str, *, by: str, clock: Clock = time.time) -> int:
    """Ask for a checkpoint now; returns the request's id. Raises `Refused`."""
    return _post(store, run_id, "checkpoint", by, clock)


def change(store: RunStore, run_id: str, request: SettingRequest, *, by: str, clock: Clock = time.time) -> int:
    """Ask for another value of a setting from the next update on; returns the request's id. Raises `Refused`."""
    return _post(store, run_id, "change", by, clock, body=request.model_dump_json())


def refusal(status: RunStatus, pending: Sequence[Verb], verb: Verb) -> str:
    """Why `verb` makes no sense for a run in this state; empty when it does."""
    if not status.is_live:
        return f"not running: {status}"
    if "stop" in pending:
        return "it is stopping already"
    if verb in pending and verb not in ("resume", "change"):
        return f"a {verb} is already asked for"
    paused = status is RunStatus.PAUSED and "resume" not in pending
    will_pause = paused or "pause" in pending
    match verb:
        case "pause" if paused:
            return "it is paused already"
        case "resume" if not will_pause:
            return "it is not paused"
        case "checkpoint" if paused:
            return "it is paused, and was checkpointed when it paused"
        case _:
            return ""


def _post(store: RunStore, run_id: str, verb: Verb, by: str, clock: Clock, *, body: str = "") -> int:
    status = with_status(store.run(run_id), store.lease(run_id)).status
    pending: list[Verb] = [request.verb for request in store.pending_controls(run_id)]
    if reason := refusal(status, pending, verb):
        next_step = f"tcao resume {run_id}" if status.is_resumable else f"tcao show {run_id}"
        raise Refused(f"cannot {verb} {run_id}: {reason}", next_step=next_step)
    return store.post_control(run_id, verb, by=by, at=clock(), body=body)
