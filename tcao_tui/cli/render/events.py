"""Events of a run as lines for people: the words of `domain.event_words`, and what only colour or another panel says.

A line stands alone: severities are words here, and paths and samples, which the console has panels for, are part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcao_tui.domain.event_words import event_text
from tcao_tui.domain.events import CheckpointSaved, DataLoaded, LogLine, PhaseChanged, SamplesTaken, UnknownEvent
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.training_events import Alert

if TYPE_CHECKING:
    from tcao_tui.domain.events import RunEvent

_SHOWN_PHASES = frozenset({"connecting", "loading", "paused"})
_LINE_WIDTH = 240


def event_line(event: RunEvent | UnknownEvent) -> str | None:
    """One line for one event; None for a phase that the progress line names anyway."""
    if isinstance(event, PhaseChanged) and event.phase not in _SHOWN_PHASES:
        return None
    return one_line(f"{_gravity(event)}{event_text(event)[1]}{_more(event)}", _LINE_WIDTH)


def _gravity(event: RunEvent | UnknownEvent) -> str:
    match event:
        case LogLine(level="warning" | "error" as level):
            return f"{level}: "
        case Alert(severity="warning" | "critical" as severity):
            return f"{severity}: "
        case _:
            return ""


def _more(event: RunEvent | UnknownEvent) -> str:
    match event:
        case CheckpointSaved(checkpoint=saved):
            return f": {saved.state_path}"
        case DataLoaded(batches_per_epoch=batches):
            return f", {batches:,} batches per epoch"
        case SamplesTaken(samples=[first, *_]):
            return f': "{one_line(first.prompt, 40)}" -> "{one_line(first.text, 60)}"'
        case Alert(suggestion=suggestion) if suggestion:
            return f"; suggested: {suggestion}"
        case _:
            return ""
