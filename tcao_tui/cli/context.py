"""What a command is given: places, environment, store and settings, opened when asked for; results and progress.

Results go to stdout, progress and errors to stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from tcao_tui import paths

if TYPE_CHECKING:
    from tcao_tui.domain.run_view import RunSummary
    from tcao_tui.services.backends import Profile
    from tcao_tui.settings import Settings
    from tcao_tui.store.port import RunStore

OutputFormat = Literal["text", "json", "stream-json"]


@dataclass
class CliContext:
    """One call of the command line.

    Attributes:
        output: Format of results, set by `--output`; errors follow it.
        debug: Show tracebacks of errors that are ours.
    """

    runs_root: Path = field(default_factory=paths.runs_root)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    output: OutputFormat = "text"
    debug: bool = False

    @contextmanager
    def store(self, *, create: bool = False) -> Generator[RunStore]:
        """The run store of this call, closed afterwards."""
        from tcao_tui.store.sqlite import open_store

        store = open_store(self.runs_root, create=create)
        try:
            yield store
        finally:
            store.close()

    @property
    def has_store(self) -> bool:
        """Whether any run was ever made here."""
        return (self.runs_root / "state.db").exists()

    def find(self, store: RunStore, reference: str) -> RunSummary:
        """The run meant by an id, a unique prefix, a name or `latest`. Raises `UsageError`."""
        from tcao_tui.services.runs import find_run

        return find_run(store, reference)

    def settings(self) -> Settings:
        """The settings file. Raises `SettingsInvalid`."""
        from tcao_tui.settings import load_settings

        return load_settings()

    def theme(self) -> str | None:
        """The theme that the settings file names, if there is one. Raises `SettingsInvalid`."""
        # Without a file there is nothing to validate, and the console paints before pydantic is loaded.
        return self.settings().theme if paths.settings_file().exists() else None

    def profile(self, name: str | None) -> Profile:
        """The backend to use. Raises `UsageError`."""
        from tcao_tui.services.backends import resolve_profile

        return resolve_profile(self.settings(), name, self.environ)

    @property
    def wants_json(self) -> bool:
        """Whether stdout carries JSON."""
        return self.output != "text"

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked and a screen can be drawn."""
        terminal = sys.stdin.isatty() and sys.stdout.isatty() and self.environ.get("TERM", "") not in ("", "dumb")
        return terminal and not self.wants_json

    @property
    def draws_progress(self) -> bool:
        """Whether a line on stderr may be drawn over."""
        return sys.stderr.isatty() and self.environ.get("TERM", "") not in ("", "dumb")

    @property
    def colours(self) -> bool:
        """Whether stderr and stdout may carry colour; see no-color.org."""
        return not self.environ.get("NO_COLOR") and self.environ.get("TERM", "") not in ("", "dumb")

    def style(self, text: str, colour: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
        """`text` in colour; click drops it again where the output is no terminal."""
        return click.style(text, fg=colour, bold=bold or None, dim=dim or None) if self.colours else text

    def result(self, text: str) -> None:
        """A line of the result, on stdout."""
        click.echo(text)

    def progress(self, text: str) -> None:
        """A line of progress, on stderr."""
        click.echo(text, err=True)


pass_context = click.make_pass_decorator(CliContext)
"""Decorator that hands a command its `CliContext`."""
