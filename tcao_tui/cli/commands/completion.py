"""`tcao completion`: the script that a shell loads to complete commands, options and run ids."""

from __future__ import annotations

import click

from tcao_tui.cli.context import CliContext


@click.command(
    epilog="""\b
Examples:
  tcao completion bash >> ~/.bashrc
  tcao completion zsh > ~/.zfunc/_tcao
  tcao completion fish > ~/.config/fish/completions/tcao.fish
"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    context.ensure_object(CliContext).result(found(context.find_root().command, {}, "tcao", "_TCAO_COMPLETE").source())
