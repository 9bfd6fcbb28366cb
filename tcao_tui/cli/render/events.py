"""Events of a run as lines for people; the ones that only repeat what the progress line says give None."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcao_tui.cli.render.text import score_text
from tcao_tui.domain.event_words import event_text
from tcao_tui.domain.events import (
    CheckpointDeleted,
    CheckpointSaved,
    ControlHandled,
    DataLoaded,
    Finished,
    Launched,
    LogLine,
    PhaseChanged,
    Resumed,
    SamplesTaken,
    Scored,
    UnknownEvent,
    Waiting,
)
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import count_text

if TYPE_CHECKING:
    from tcao_tui.domain.events import RunEvent

_SHOWN_PHASES = frozenset({"connecting", "loading", "paused"})


def event_line(event: RunEvent | UnknownEvent) -> str | None:
    """One line for one event."""
    match event:
        case Launched(pid=pid):
            return f"worker {pid} started" + (f" at step {event.resume_step}" if event.resume_step else "")
        case Resumed(step=step, checkpoint=name):
            return f"resumed from checkpoint {one_line(name, 80)} at step {step}"
        case PhaseChanged(phase=phase, detail=detail):
            return one_line(f"{phase} {detail}", 100) if phase in _SHOWN_PHASES else None
        case Waiting(over=True, reason=reason):
            return f"{reason} is over"
        case Waiting(reason=reason, detail=detail):
            return one_line(f"waiting for {reason}: {detail}", 120)
        case DataLoaded():
            return _data_line(event)
        case CheckpointSaved(checkpoint=saved):
            return f"checkpoint of step {saved.step} ({saved.reason}): {one_line(saved.state_path)}"
        case CheckpointDeleted(name=name, reason=reason):
            return one_line(f"deleted checkpoint {name}: {reason}", 120)
        case SamplesTaken(samples=samples):
            first = f': "{one_line(samples[0].prompt, 40)}" -> "{one_line(samples[0].text, 60)}"' if samples else ""
            return f"sample at step {event.step}{first}"
        case Scored():
            return f"score at {score_text(event)}"
        case ControlHandled(verb=verb, accepted=accepted, reason=reason):
            return one_line(f"{verb} {'accepted' if accepted else 'refused'} {reason}", 120)
        case LogLine(level=level, message=message):
            return one_line(message if level == "info" else f"{level}: {message}", 160)
        case Finished(outcome=outcome, what=what):
            return one_line(f"{outcome}: {what}" if what else outcome, 200)
        case UnknownEvent(kind=kind):
            return f"unknown event {one_line(kind, 40)}"
        case _:
            return one_line(event_text(event)[1], 200)


def _data_line(data: DataLoaded) -> str:
    cut = f", {data.truncated_rows} rows cut to max_seq_len" if data.truncated_rows else ""
    return (
        f"data: {data.train_rows} training rows, {data.val_rows} validation rows, "
        f"{count_text(data.train_tokens)} tokens, {data.batches_per_epoch} batches per epoch{cut}"
    )
