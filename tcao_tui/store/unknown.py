"""The error for what a store does not have."""

from __future__ import annotations

from collections.abc import Iterable

from tcao_tui.errors import UsageError


def unknown(what: str, wanted: str, known: Iterable[str], *, next_step: str) -> UsageError:
    """The error for an id that is not there, with up to three ids that look like it.

    Args:
        what: The kind of thing, with its article: `no run`.
        wanted: The id.
        known: All ids.
        next_step: The command that lists them.
    """
    from difflib import get_close_matches  # not needed to start

    near = get_close_matches(wanted, list(known), n=3, cutoff=0.5)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    return UsageError(f"there is {what} {wanted}{hint}", next_step=next_step)
