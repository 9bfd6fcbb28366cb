"""Whether a run's worker is there: what the run records of itself, judged by the kernel's lock and the heartbeat.

Loads no pydantic, so that the run list comes up at once.
"""

from __future__ import annotations

from dataclasses import replace

from tcao_tui.domain.run_view import SILENCE_LIMIT_SECONDS, LeaseState, RunStatus, RunSummary


def judge(recorded: RunStatus, lease: LeaseState) -> RunStatus:
    """The status to show: what the run says of itself, unless its worker is gone or silent."""
    if recorded is RunStatus.CREATED:
        return RunStatus.STARTING if lease.held else recorded
    if not recorded.is_live:
        return recorded
    age = lease.heartbeat_age_seconds
    silent = age is not None and age > SILENCE_LIMIT_SECONDS
    return RunStatus.LOST if silent or not lease.held else recorded


def with_status(summary: RunSummary, lease: LeaseState) -> RunSummary:
    """The summary with liveness taken into account."""
    return replace(summary, status=judge(summary.recorded_status, lease))
