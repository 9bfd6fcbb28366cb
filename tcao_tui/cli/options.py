"""Options and arguments that several commands share, with their completion."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from tcao_tui.cli.context import CliContext, OutputFormat
from tcao_tui.errors import TcaoError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

type Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _remember_output(context: click.Context, _: click.Parameter, value: OutputFormat) -> OutputFormat:
    context.ensure_object(CliContext).output = value
    return value


def output_option(*formats: str) -> Decorator:
    """`--output`, kept in the `CliContext` so that errors are written in the same format."""
    return click.option(
        "--output",
        type=click.Choice(formats or ("text", "json")),
        default="text",
        show_default=True,
        expose_value=False,
        is_eager=True,
        callback=_remember_output,
        help="Format of the result on stdout.",
    )


def backend_option() -> Decorator:
    """`--backend NAME`."""
    return click.option(
        "--backend",
        metavar="NAME",
        shell_complete=_complete_backends,
        help="Server profile: local, tinker or one of the settings; TCAO_BACKEND does the same.",
    )


def max_cost_option(help_text: str = "Stop with a checkpoint at this cost.") -> Decorator:
    """`--max-cost USD`."""
    return click.option("--max-cost", type=click.FloatRange(min=0), metavar="USD", help=help_text)


def approve_option() -> Decorator:
    """`--approve HASH|auto`."""
    return click.option("--approve", metavar="HASH|auto", help="Consent; auto only where nothing can cost anything.")


def run_argument(*, required: bool = True) -> Decorator:
    """RUN: an id, a unique prefix of one, a name (the newest run of it) or `latest`."""
    return click.argument("run", required=required, shell_complete=complete_runs)


def complete_runs(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Run ids, newest first, with name and status as their help."""
    from click.shell_completion import CompletionItem

    console = context.ensure_object(CliContext)
    if not console.has_store:
        return []
    try:
        with console.store() as store:
            runs = store.runs(limit=200)
    except (TcaoError, OSError):
        return []
    ids = [CompletionItem(r.run_id, help=f"{r.name} {r.status}") for r in runs if r.run_id.startswith(incomplete)]
    return [*ids, *([CompletionItem("latest", help="the newest run")] if "latest".startswith(incomplete) else [])]


def _complete_backends(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from tcao_tui.settings import RESERVED_PROFILES

    try:
        profiles = context.ensure_object(CliContext).settings().profiles
    except TcaoError:
        profiles = {}
    return [name for name in (*RESERVED_PROFILES, *profiles) if name.startswith(incomplete)]
