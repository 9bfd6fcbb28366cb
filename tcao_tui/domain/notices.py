"""What of a run is worth telling a person who does not look: an end, a loss, an alert, a need for consent. Pure.

Sending is `sinks.notify`; the console shows desktop notices through `desktop_notice`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from tcao_tui.domain.events import Finished, PhaseChanged, StoredEvent
from tcao_tui.domain.expiring import Expiring
from tcao_tui.domain.headlines import told_by
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.domain.training_events import Alert
from tcao_tui.domain.wording import money_text

NoticeKind = Literal["done", "failed", "lost", "alert", "approval"]
NOTICE_KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)

TEST_RUN = "test"
"""Run id of a notice that tries the channels."""

_TITLE_CHARACTERS, _TEXT_CHARACTERS = 120, 800
_ENDS: dict[str, tuple[NoticeKind, str]] = {
    "completed": ("done", "completed"),
    "stopped": ("done", "stopped at a checkpoint"),
    "failed": ("failed", "failed"),
    "interrupted": ("failed", "was interrupted and can be resumed"),
    "budget": ("failed", "stopped at its budget"),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One fact for a person; its texts are plain and on one line.

    Attributes:
        at: Unix seconds.
    """

    kind: NoticeKind
    run_id: str
    name: str
    title: str
    text: str
    at: float


def notice(kind: NoticeKind, *, run_id: str, name: str, said: str, text: str, at: float) -> Notice:
    """A notice with its foreign text made safe; `said` completes the sentence that begins with the run's name."""
    title = one_line(f"{name} {said}", _TITLE_CHARACTERS)
    return Notice(kind, run_id, one_line(name), title, one_line(text, _TEXT_CHARACTERS), at)


def notice_of(stored: StoredEvent, name: str, standing: str = "") -> Notice | None:
    """What an event is worth telling; None for most.

    Args:
        stored: The event.
        name: Of the run.
        standing: How the run stands, for the notice of its end.
    """
    match stored.event:
        case Finished() as end:
            kind, said = _ENDS[end.outcome]
            text = ". ".join(part for part in (end.what, end.next_step, standing) if part)
        case Alert(action="notify" | "pause" | "stop") as alert:
            kind, said = "alert", f"{alert.rule.replace('_', ' ')} at step {alert.step}"
            text = ". ".join(part for part in (alert.evidence, alert.suggestion) if part)
        case PhaseChanged(phase="paused", detail=str(detail)) if detail:
            # A pause that a person asked for has no reason; these wait for one.
            kind, said = "approval", "is paused and waits for you"
            text = f"{detail}. tcao resume {stored.run_id}"
        case _:
            return None
    return notice(kind, run_id=stored.run_id, name=name, said=said, text=text, at=stored.at)


def standing_text(run: RunSummary) -> str:
    """`80 of 80 steps, loss 0.21, loss 0.24 held out, $1.20`."""
    parts = [f"{run.step} of {run.total_steps} steps"]
    trained, held_out = told_by(run)
    parts += [trained.text] if trained is not None else []
    parts += [f"{held_out.text} held out"] if held_out is not None else []
    return ", ".join([*parts, money_text(run.cost_usd)])


def expiry_notice(expiring: Expiring, *, at: float) -> Notice:
    """A run that is paused or down would lose what it goes on from."""
    own = expiring.checkpoint.own
    run_id, name = (own.run_id, own.run_name) if own else ("", one_line(expiring.checkpoint.path))
    text = f"{expiring.describe()}. tcao ckpt keep {expiring.checkpoint.path}"
    return notice("alert", run_id=run_id, name=name, said="would lose its resume point", text=text, at=at)


def lost_notice(run_id: str, name: str, *, at: float) -> Notice:
    """Its worker is gone or silent."""
    text = f"its worker is gone or silent. tcao resume {run_id}"
    return notice("lost", run_id=run_id, name=name, said="is lost", text=text, at=at)
