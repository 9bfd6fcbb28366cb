"""What the server has of a run, asked through a short-lived helper process that may load the SDK.

The helper is `tcao_tui.worker.probe`; it is only named here, never imported.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tcao_tui.clients.tinker_port import RemoteCheckpoint

HELPER_SECONDS = 90.0
"""Longest wait for the helper: importing the SDK takes seconds, a server that is away keeps it waiting."""


@dataclass(frozen=True, slots=True)
class ServerSide:
    """The answer: `checkpoints` None when the server was not reached, and `why_not` says why."""

    checkpoints: tuple[RemoteCheckpoint, ...] | None
    why_not: str = ""


def ask_server(runs_root: Path, run_id: str, *, timeout_seconds: float = HELPER_SECONDS) -> ServerSide:
    """List the run's checkpoints on its server; never raises."""
    argv = [sys.executable, "-m", "tcao_tui.worker.probe", "checkpoints", "--runs-root", str(runs_root), run_id]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_seconds, check=False
        )
        told: Any = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return ServerSide(None, f"the server did not answer within {timeout_seconds:.0f} s")
    except (OSError, ValueError, IndexError) as error:
        return ServerSide(None, f"the helper that asks the server failed: {error}")
    if isinstance(told, dict):
        return ServerSide(None, str(told.get("error", {}).get("what", "unknown error")))
    return ServerSide(tuple(RemoteCheckpoint(**checkpoint) for checkpoint in told))
