"""`python -m tcao_tui.probes.backend --profile NAME`: carries out the calls of a server, see `probes.serving`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Sequence

import httpx
import tinker

from tcao_tui.clients.backend_calls import Shape
from tcao_tui.clients.tinker_errors import translate
from tcao_tui.errors import ExitCode
from tcao_tui.probes.server import Server
from tcao_tui.probes.serving import Handler, serve_stdin
from tcao_tui.registry import Registry

CALLS: Registry[Handler[Server]] = Registry(
    "tcao_tui.backend_calls",
    {
        "chat.reply": "tcao_tui.probes.chat:reply",
        "checkpoints.list": "tcao_tui.probes.checkpoints:list_checkpoints",
        "checkpoints.describe": "tcao_tui.probes.checkpoints:describe",
        "checkpoints.ttl": "tcao_tui.probes.checkpoints:set_ttl",
        "checkpoints.publish": "tcao_tui.probes.checkpoints:set_public",
        "checkpoints.delete": "tcao_tui.probes.checkpoints:delete",
        "checkpoints.offers": "tcao_tui.probes.checkpoints:offers",
        "weights.download": "tcao_tui.probes.weights:download",
        "weights.build": "tcao_tui.probes.exporting:build",
        "parity.backend": "tcao_tui.probes.parity:ask_backend",
        "parity.export": "tcao_tui.probes.parity:measure_export",
        "hub.push": "tcao_tui.probes.hub:push",
    },
)
"""Handlers by `Call.name`."""


async def answered(answering: Awaitable[Shape]) -> Shape:
    """The answer; what the SDK and its transport raise comes out as a `TcaoError`."""
    try:
        return await answering
    except (tinker.TinkerError, httpx.HTTPError) as error:
        raise translate(error, "asking the server") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a process of its own. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tcao_tui.probes.backend", description="Calls of a server.")
    parser.add_argument("--profile", required=True)
    parser.add_argument("--purpose", default="console")
    given = parser.parse_args(arguments)
    serve_stdin(Server(given.profile, given.purpose), CALLS, answered)
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
