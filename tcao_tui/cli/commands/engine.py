"""`tcao engine`: the local Tinker-compatible server as a process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tcao_tui import paths
from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option
from tcao_tui.domain.wording import duration_text

if TYPE_CHECKING:
    from tcao_tui.services.engine_server import EngineStatus

_EXISTING_DIR = click.Path(exists=True, file_okay=False, path_type=Path)
_EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_without_option = click.option(
    "--without", default="", metavar="FEATURE,...", help="Do not offer ttl, publish, delete, ..., as other servers may."
)


@click.group(
    epilog="""\b
Examples:
  tcao engine start                      the embedded default, without a key or a network
  tcao engine start --model-dir ~/models/Qwen3-0.6B
  tcao engine status --output json
"""
)
def engine() -> None:
    """The local engine: a server that speaks the Tinker API, for trying, testing and offline work.

    Commands that need it start it by themselves. It binds to loopback only and asks for a key of its own.
    """


@engine.command()
@click.option("--model-dir", type=_EXISTING_DIR, help="A further Hugging Face causal model to serve.")
@click.option("--faults", type=_EXISTING_FILE, help="Script of faults to inject, for tests.")
@_without_option
@output_option("text", "json")
@pass_context
def start(console: CliContext, model_dir: Path | None, faults: Path | None, without: str) -> None:
    """Start it in the background, unless it runs."""
    from tcao_tui.services import engine_server

    before = engine_server.status(paths.engine_dir())
    if not before.answers:
        console.progress("starting the engine")
    found = engine_server.start(
        paths.engine_dir(),
        model_dir=model_dir.absolute() if model_dir else None,
        faults=faults.absolute() if faults else None,
        without=without,
    )
    if before.answers and (model_dir or faults or without):
        console.progress("it runs already, so the options were not used; `tcao engine stop` first")
    _print_status(console, found)


@engine.command()
@output_option("text", "json")
@pass_context
def stop(console: CliContext) -> None:
    """End it; checkpoints stay. Runs that train on it wait until it is back."""
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.services import engine_server

    ended = engine_server.stop(paths.engine_dir())
    if console.wants_json:
        console.result(to_json({"stopped": ended}))
    else:
        console.result("stopped" if ended else "it was not running")


@engine.command()
@output_option("text", "json")
@pass_context
def status(console: CliContext) -> None:
    """Say whether it runs, where, since when and with which models."""
    from tcao_tui.services import engine_server

    _print_status(console, engine_server.status(paths.engine_dir()))


@engine.command()
@click.option("--model-dir", type=_EXISTING_DIR, help="A further Hugging Face causal model to serve.")
@click.option("--faults", type=_EXISTING_FILE, help="Script of faults to inject, for tests.")
@_without_option
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port; 0 for the last one, or any free one.")
def serve(model_dir: Path | None, faults: Path | None, without: str, port: int) -> None:
    """Run it in the foreground, until interrupted."""
    from tcao_tui.services.engine_server import engine_command, free_last_port

    state_dir = paths.engine_dir()
    argv = engine_command(
        state_dir,
        port=port or free_last_port(state_dir),
        model_dir=model_dir.absolute() if model_dir else None,
        faults=faults.absolute() if faults else None,
        without=without,
    )
    os.execv(argv[0], argv)


def _print_status(console: CliContext, found: EngineStatus) -> None:
    from tcao_tui.cli.render.json import to_json

    if console.wants_json:
        console.result(to_json(status_dict(found), indent=2))
        return
    if found.url is None:
        console.result(f"stopped  (state in {found.state_dir})")
        return
    console.result(f"{'running' if found.answers else 'not answering'}  {found.url}  pid {found.pid}")
    console.result(f"  up {duration_text(found.uptime_seconds)}, version {found.version}, state in {found.state_dir}")
    if found.models:
        console.result(f"  models: {', '.join(found.models)}")
    if found.checkpoints is not None:
        console.result(f"  checkpoints kept: {found.checkpoints}")


def status_dict(found: EngineStatus) -> dict[str, Any]:
    """The status for scripts."""
    state = "stopped" if found.url is None else "running" if found.answers else "not answering"
    return {
        "status": state,
        "url": found.url,
        "pid": found.pid,
        "version": found.version or None,
        "uptime_seconds": found.uptime_seconds,
        "models": list(found.models),
        "checkpoints": found.checkpoints,
        "state_dir": str(found.state_dir),
    }
