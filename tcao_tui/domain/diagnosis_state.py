"""The plain part of a diagnosis: what a run does or how it ended, its numbers, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.headlines import headlines
from tcao_tui.domain.run_view import RunStatus, RunView
from tcao_tui.domain.wording import count_text, duration_text, money_text, number_text


def state_of(view: RunView, now: float) -> str:
    """One or two sentences: state, since when, why."""
    where = f"step {view.step} of {view.total_steps}" if view.total_steps else f"step {view.step}"
    match view.status:
        case RunStatus.CREATED:
            return f"It was made {_since(now, view.created_at)} ago and no worker took it yet."
        case RunStatus.STARTING:
            return f"A worker has it and gets ready: {view.phase_detail or view.phase or 'starting'}."
        case RunStatus.WAITING if view.waiting is not None:
            detail = f" ({view.waiting.detail})" if view.waiting.detail else ""
            reason = view.waiting.reason.replace("_", " ")
            return (
                f"It waits at {where} for the server, for {_since(now, view.waiting.since)}: {reason}{detail}. "
                "It goes on by itself, and waiting costs nothing."
            )
        case RunStatus.PAUSED:
            why = f": {view.phase_detail}" if view.phase_detail else ", as a person asked"
            return f"It is paused at {where}, for {_since(now, _paused_at(view))}{why}. It waits for a person."
        case RunStatus.STOPPING:
            return f"It is stopping at {where}: the worker saves a checkpoint first."
        case RunStatus.LOST:
            return f"Its worker is gone for about {_since(now, _last_seen(view, now))}; it stood at {where}."
        case RunStatus.COMPLETED:
            return f"It completed all {view.total_steps} steps, {_since(now, view.updated_at)} ago."
        case status if not status.is_live:
            why = f": {view.finished.what}" if view.finished is not None and view.finished.what else ""
            return f"It ended as {status} at {where}, {_since(now, view.updated_at)} ago{why}."
        case _:
            doing = view.phase if view.phase != "training" else "training"
            left = f", about {duration_text(view.eta_seconds)} to go" if view.eta_seconds is not None else ""
            asked = f" A {view.pending_verb} is asked for and not answered yet." if view.pending_verb else ""
            return f"It is {doing or 'running'} at {where}{left}.{asked}"


def facts_of(view: RunView, cap_usd: float | None) -> Iterator[str]:
    """Numbers worth a line each."""
    for headline in headlines(view):
        series = view.series[headline.key]
        if len(series) > 1:
            first, last = headline.text(series.values[0]), headline.text(series.last)
            yield f"{headline.word} {first} at step {series.steps[0]}, {last} at step {series.last_step}"
    if (pace := view.series.get("step_seconds")) is not None and len(pace):
        yield f"the last step took {number_text(pace.last)} s"
    cost = money_text(view.cost_usd) + (f" of at most {money_text(cap_usd)}" if cap_usd is not None else "")
    yield f"{count_text(view.tokens)} tokens, {cost}, in {duration_text(view.elapsed_seconds)}"
    if view.attempt > 1:
        again = f"; {view.superseded_rows} steps were trained again" if view.superseded_rows else ""
        yield f"attempt {view.attempt}{again}"
    if view.checkpoints:
        newest = view.checkpoints[-1]
        yield f"{len(view.checkpoints)} checkpoints, the newest of step {newest.step} ({newest.reason})"
    for change in view.marks.changes:
        yield f"{change.key} was changed to {change.value:g} from step {change.step} on, by {change.by or 'somebody'}"


def next_commands(view: RunView) -> Iterator[str]:
    """What makes sense to type now, best first."""
    run = view.run_id
    if view.status is RunStatus.PAUSED:
        yield from (f"tcao resume {run}", f"tcao stop {run}")
    elif view.status.is_live:
        yield from (f"tcao watch {run}", f"tcao pause {run}")
    elif view.status is RunStatus.COMPLETED:
        yield from (f"tcao show {run} --samples", f"tcao verify-run {run}")
    elif view.status is RunStatus.BUDGET:
        yield f"tcao show {run}"
    else:
        if view.finished is not None and view.finished.next_step.startswith("tcao "):
            yield view.finished.next_step
        if view.status.is_resumable and (view.finished is None or view.finished.next_step != f"tcao resume {run}"):
            yield f"tcao resume {run}"
        yield f"tcao show {run}"


def _paused_at(view: RunView) -> float:
    from tcao_tui.domain.events import PhaseChanged  # imports pydantic, which whoever has such an event has loaded

    pauses = [s.at for s in view.events if isinstance(s.event, PhaseChanged) and s.event.phase == "paused"]
    return pauses[-1] if pauses else view.updated_at


def _last_seen(view: RunView, now: float) -> float:
    age = view.heartbeat_age_seconds
    return view.updated_at if age is None else now - age


def _since(now: float, at: float) -> str:
    return duration_text(max(0.0, now - at))
