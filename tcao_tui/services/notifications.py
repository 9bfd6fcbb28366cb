"""Starting the notifier of a run, where the settings name somebody to be told. The notifier is `sinks.notifier`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tcao_tui.errors import TcaoError
from tcao_tui.services import detached

NOTIFY_LOG = "notify.log"
"""In the run's directory: what could not be delivered, and why."""


def start_notifier(runs_root: Path, run_id: str, environ: Mapping[str, str]) -> int | None:
    """Start a notifier beside a run that has just been launched; returns its pid, None when nobody wants one.

    Nothing that goes wrong here keeps a run from being launched.
    """
    from tcao_tui.settings import load_settings

    with suppress(TcaoError, OSError):
        if load_settings().notifications.needs_process:
            argv = [sys.executable, "-m", "tcao_tui", "--runs-dir", str(runs_root), "notify", run_id]
            return detached.spawn(argv, log_file=runs_root / run_id / NOTIFY_LOG, environ=environ)
    return None
