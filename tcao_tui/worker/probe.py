"""`python -m tcao_tui.worker.probe checkpoints --runs-root DIR RUN_ID`: what the server has of a run, as JSON.

A short-lived helper process for whoever must not import the SDK: `verify-run`, and the console.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tcao_tui.clients.tinker_port import RemoteCheckpoint
from tcao_tui.domain.checkpoints import RUN_KEY
from tcao_tui.errors import TcaoError
from tcao_tui.store.plan_file import PLAN_NAME, read_plan
from tcao_tui.store.sqlite import open_store
from tcao_tui.worker.connect import Connector, ProfileConnector


def probe_main(
    arguments: Sequence[str] | None = None, make_connector: Callable[[str], Connector] = ProfileConnector
) -> int:
    """Print a JSON list of the run's checkpoints on the server, or a JSON object with an error.

    Args:
        arguments: Command line without the program; None is that of the process.
        make_connector: Gives access to the server of a profile.

    Returns:
        The exit code; that of the error, when there was one.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tcao_tui.worker.probe", description="What the server has of a run."
    )
    parser.add_argument("what", choices=["checkpoints"])
    parser.add_argument("--runs-root", type=Path, required=True)
    parser.add_argument("run_id")
    given = parser.parse_args(arguments)
    try:
        store = open_store(given.runs_root, create=False)
        connector = make_connector(store.run(given.run_id).backend)
        found = asyncio.run(_checkpoints(given.runs_root, given.run_id, connector))
    except TcaoError as error:
        told = {"what": error.what, "where": error.where, "next_step": error.next_step}
        sys.stdout.write(json.dumps({"error": told}) + "\n")
        return error.exit_code
    sys.stdout.write(json.dumps([_plain(c) for c in found]) + "\n")
    return 0


async def _checkpoints(runs_root: Path, run_id: str, connector: Connector) -> Sequence[RemoteCheckpoint]:
    plan = read_plan(runs_root / run_id / PLAN_NAME)
    backend = await connector.connect(
        plan, None, metadata={RUN_KEY: run_id, "purpose": "probe"}, on_waiting=lambda reason, over, detail: None
    )
    try:
        return await backend.checkpoints_of(run_id)
    finally:
        await backend.close("success")


def _plain(checkpoint: RemoteCheckpoint) -> dict[str, Any]:
    return {
        "path": checkpoint.path,
        "name": checkpoint.name,
        "kind": checkpoint.kind,
        "metadata": dict(checkpoint.metadata),
        "expires_at": checkpoint.expires_at,
        "size_bytes": checkpoint.size_bytes,
    }


if __name__ == "__main__":
    sys.exit(probe_main())
