"""Listing and finding runs, with liveness judged. Following one run is `follow`."""

from __future__ import annotations

import difflib

from tcao_tui.domain.liveness import with_status
from tcao_tui.domain.run_view import RunStatus, RunSummary
from tcao_tui.errors import UsageError
from tcao_tui.store.port import RunStore

LATEST = "latest"
_NAMED_IN_ERRORS = 5


def list_runs(store: RunStore, *, limit: int = 10_000) -> list[RunSummary]:
    """All runs, newest first; only those that say they are live are looked at twice."""
    return [_judged(store, summary) for summary in store.runs(limit=limit)]


def find_run(store: RunStore, ref: str) -> RunSummary:
    """The run that a person means, with liveness judged.

    Args:
        store: The run store.
        ref: An id, the beginning of exactly one id, a name (its newest run), or `latest`.

    Raises:
        UsageError: Nothing or more than one run is meant; names the candidates.
    """
    runs = store.runs()
    exact = [run for run in runs if run.run_id == ref]
    named = exact or (runs[:1] if ref == LATEST else []) or [run for run in runs if run.name == ref]
    if named:
        return _judged(store, named[0])
    begun = [run for run in runs if ref and run.run_id.startswith(ref)]
    match begun:
        case [only]:
            return _judged(store, only)
        case []:
            raise UsageError(_unknown(ref, runs), next_step="tcao ls" if runs else "tcao demo")
        case _:
            shown = ", ".join(run.run_id for run in begun[:_NAMED_IN_ERRORS])
            more = f" and {len(begun) - _NAMED_IN_ERRORS} more" if len(begun) > _NAMED_IN_ERRORS else ""
            raise UsageError(f"{ref} is the beginning of several runs: {shown}{more}", next_step="give more of the id")


def _unknown(ref: str, runs: list[RunSummary]) -> str:
    if not runs:
        return "there are no runs yet"
    known = dict.fromkeys([run.name for run in runs] + [run.run_id for run in runs])
    near = difflib.get_close_matches(ref, known, n=3, cutoff=0.5)
    return f"there is no run {ref}" + (f"; did you mean {', '.join(near)}?" if near else "")


def _judged(store: RunStore, summary: RunSummary) -> RunSummary:
    if summary.recorded_status is RunStatus.CREATED or summary.recorded_status.is_live:
        return with_status(summary, store.lease(summary.run_id))
    return summary
