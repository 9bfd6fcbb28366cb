"""What stands above the table of checkpoints, or in its place while there is none to show. Pure."""

from __future__ import annotations

from tcao_tui.domain.checkpoint_listing import CheckpointListing, total_storage
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import bytes_text
from tcao_tui.tui.panes.checkpoints.browsing import Browsing
from tcao_tui.tui.panes.checkpoints.table import EXPIRING, expires_soon, month_text
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.text_block import wrapped

_SERVER = "this server "
"""How the reasons begin, which are told in one sentence."""

FIRST_USE: tuple[Line, ...] = (
    (("  No checkpoints on this server.", "strong"),),
    (),
    (("  A run saves some as it trains; the included demo does so too: esc, then d in the run list.", "text"),),
    (("  In a shell:  tcao demo", "muted"),),
)


def counts_line(seen: Browsing, backend: str, doing: str, now: float) -> Line:
    """Whose checkpoints, how many, which expire, what is done, marked or left out, and what they take."""
    head: Span = (" tcao", "info")
    listing = seen.listing
    if listing is None:
        return (head, (f" checkpoints of {one_line(backend)}" if backend else " checkpoints", "muted"))
    spans: list[Span] = [head, (f" {_counted(listing)} on {one_line(backend)}", "muted")]
    if soon := [c for c in listing.checkpoints if expires_soon(c, now)]:
        needed = sum(c.is_resume_point for c in soon)
        word = f"{len(soon)} expire{'s' if len(soon) == 1 else ''} soon"
        spans.append((f"   {EXPIRING} {word}" + (f", {needed} needed by a run" if needed else ""), "warn"))
    if doing:
        spans.append((f"   {one_line(doing)}", "info"))
    spans += [(f"   ▸ {len(seen.marked)} marked", "accent")] if seen.marked else []
    if seen.arrangement.is_filtered:
        spans.append((f"   {len(seen.in_sight):,} match {_wanted(seen)}", "accent"))
    return (*spans, (_taken(listing), "muted"))


def _counted(listing: CheckpointListing) -> str:
    count = len(listing.checkpoints)
    word = f"checkpoint{'' if count == 1 else 's'}"
    if listing.complete:
        return f"{count:,} {word}"
    return f"{count:,} of {listing.total:,} {word} ..." if listing.total is not None else f"{count:,} {word} ..."


def _taken(listing: CheckpointListing) -> str:
    size, usd, _unknown = total_storage(listing.checkpoints)
    parts = [bytes_text(size)] if size else []
    parts += [f"{month_text(usd)} a month"] if usd else []
    return f"   {' · '.join(parts)}" if parts else ""


def _wanted(seen: Browsing) -> str:
    first = seen.in_sight[0].own if seen.in_sight else None
    run = f"run {one_line(first.run_name if first else seen.arrangement.run_id)}" if seen.arrangement.run_id else ""
    words = f"“{seen.arrangement.wanted}”" if seen.arrangement.wanted else ""
    return " and ".join(part for part in (run, words) if part)


def notes_line(listing: CheckpointListing, width: int) -> Line:
    """What one must know to read the table, and what this server does not offer."""
    lacks = [why.removeprefix(_SERVER) for why in dict.fromkeys(listing.offers.missing.values())]
    said = [*listing.notes, *([f"{_SERVER}{', '.join(lacks)}"] if lacks else [])]
    return ((f" {one_line(' · '.join(said), max(width - 2, 8))}", "muted"),) if said else ()


def waiting_lines(backend: str) -> list[Line]:
    """Nothing has come yet."""
    return [(), ((f"  Asking {one_line(backend) or 'the server'} for its checkpoints ...", "muted"),)]


def failure_lines(what: str, next_step: str, width: int) -> list[Line]:
    """Why there is nothing to show, and what helps."""
    lines: list[Line] = [(("  The checkpoints cannot be listed.", "strong"),), ()]
    lines += [((f"  {line}", "bad"),) for line in wrapped(what, width - 4, most=4)]
    lines += [((f"  Next: {line}", "info"),) for line in (wrapped(next_step, width - 10, most=2) if next_step else ())]
    return [*lines, (), (("  Asked again by itself; esc goes back.", "muted"),)]


def nothing_matches(seen: Browsing) -> list[Line]:
    """The filter hides all."""
    return [(), ((f"  No checkpoint matches {_wanted(seen)}; esc shows all.", "muted"),)]
