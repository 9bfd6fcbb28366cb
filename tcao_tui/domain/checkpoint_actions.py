"""What an action on checkpoints would do, said before it is done: consequences, refusals, what must be typed. Pure."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Literal

from tcao_tui.domain.checkpoint_listing import ListedCheckpoint, OwnCheckpoint, total_storage
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import bytes_text, duration_text, money_text

Action = Literal["keep", "ttl", "pin", "unpin", "label", "publish", "unpublish", "delete"]
"""`keep` removes the TTL; `ttl` sets one."""

MIN_TTL_SECONDS = 3600
MAX_TTL_SECONDS = 10 * 366 * 86400
"""Bounds of a TTL, from the SDK's documentation: one hour to ten years."""


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """An action as a person asked for it.

    Attributes:
        action: What to do.
        typed: What the person typed, for actions that demand it.
        ttl_seconds: For `ttl`.
        label: For `label`; empty removes it.
    """

    action: Action
    typed: str = ""
    ttl_seconds: int | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What is said before an action.

    Attributes:
        lines: What happens, most important first, each a sentence for people.
        refusal: Why it is not done at all; empty when it may be.
        confirm: What a person must type to have it done; empty when a plain yes is enough.
        warns: A line is a warning: something is lost that somebody may want.
    """

    lines: tuple[str, ...]
    refusal: str = ""
    confirm: str = ""
    warns: bool = False


def consequences(
    action: Action, checkpoints: Sequence[ListedCheckpoint], *, now: float, ttl_seconds: int | None = None
) -> Consequences:
    """Say what `action` does to these checkpoints at Unix time `now`; `ttl_seconds` is for `ttl`."""
    match action:
        case "delete":
            return _delete(checkpoints, now)
        case "ttl":
            return _ttl(checkpoints, ttl_seconds or 0, now)
        case "keep":
            return _said(f"{_count(checkpoints)} will be kept until somebody deletes them.", _storage(checkpoints))
        case "pin":
            return _said(
                f"{_count(checkpoints)} will be kept: no TTL, and neither the run nor a prune deletes it.",
                _storage(checkpoints),
            )
        case "unpin":
            return _said(
                f"{_count(checkpoints)} may be thinned out by their run and pruned again; no TTL is set by this."
            )
        case "publish":
            who = "Every Tinker user who knows the path will be able to load and download these weights."
            return Consequences((f"{_count(checkpoints)}: {who}",), confirm="publish", warns=True)
        case "unpublish":
            return _said(f"{_count(checkpoints)} will be yours alone again; copies that others took stay with them.")
        case "label":
            return _said("The label is kept on this machine only; name and path on the server stay as they are.")


def _said(*lines: str) -> Consequences:
    return Consequences(tuple(line for line in lines if line))


def _delete(checkpoints: Sequence[ListedCheckpoint], now: float) -> Consequences:
    if pinned := [c for c in checkpoints if c.note.pinned]:
        return Consequences((), refusal=f"{_names(pinned)} pinned; unpin first")
    lines = [f"{_count(checkpoints)} will be deleted from the server for good.", _storage(checkpoints, "freed")]
    warnings = _losses(checkpoints)
    confirm = checkpoints[0].server.name if len(checkpoints) == 1 else f"delete {len(checkpoints)}"
    return Consequences((*warnings, *filter(None, lines)), confirm=confirm, warns=bool(warnings))


def _ttl(checkpoints: Sequence[ListedCheckpoint], ttl_seconds: int, now: float) -> Consequences:
    if not MIN_TTL_SECONDS <= ttl_seconds <= MAX_TTL_SECONDS:
        return Consequences((), refusal="a TTL is between one hour and ten years")
    if pinned := [c for c in checkpoints if c.note.pinned]:
        return Consequences((), refusal=f"{_names(pinned)} pinned, kept for good; unpin first")
    lines = [f"{_count(checkpoints)} will be deleted by the server in {duration_text(ttl_seconds)}."]
    sooner = [c for c in checkpoints if c.server.expires_at is None or c.server.expires_at > now + ttl_seconds]
    warnings = _losses(sooner)
    return Consequences((*warnings, *lines), warns=bool(warnings))


def _losses(checkpoints: Sequence[ListedCheckpoint]) -> list[str]:
    """What is lost with these weights that a run or a person may need."""
    going = {c.path for c in checkpoints}
    runs = {c.own.run_id: c.own for c in checkpoints if c.own is not None and c.own.is_active}
    said = [sentence for own in runs.values() if (sentence := _resume_loss(own, going))]
    if finals := [c for c in checkpoints if c.own is not None and c.own.reason == "final"]:
        said.append(f"{_names(finals)} the final result of a run.")
    if shared := [c for c in checkpoints if c.server.public]:
        said.append(f"{_names(shared)} public: others may be using that.")
    return said


def _resume_loss(own: OwnCheckpoint, going: Set[str]) -> str:
    """What it means for a run that may go on, empty when it would go on from the same place."""
    if not own.resume_points or own.resume_points[0] not in going:
        return ""
    run = f"{one_line(own.run_name)} is {own.status}"
    left = [path for path in own.resume_points if path not in going]
    if not left:
        return f"{run}, and this leaves it no resume point: it could only start again from nothing."
    return f"{run} and would resume from here; it will go back to {one_line(left[0])} and train the steps since anew."


def _count(checkpoints: Sequence[ListedCheckpoint]) -> str:
    return one_line(checkpoints[0].path) if len(checkpoints) == 1 else f"{len(checkpoints)} checkpoints"


def _names(checkpoints: Sequence[ListedCheckpoint]) -> str:
    """`PATH is`, or `PATH and 2 more are`."""
    more = len(checkpoints) - 1
    return f"{one_line(checkpoints[0].path)} {f'and {more} more are' if more else 'is'}"


def _storage(checkpoints: Sequence[ListedCheckpoint], verb: str = "kept") -> str:
    size, usd, unknown = total_storage(checkpoints)
    if unknown == len(checkpoints):
        return ""
    more = f", and {unknown} of unknown size" if unknown else ""
    return f"{bytes_text(size)} {verb}{more}; storage {money_text(usd)} a month."
