"""What commands that take weights away share: the weights meant, the helper that fetches them, progress, consent."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import bytes_text
from tcao_tui.errors import NeedsInput

if TYPE_CHECKING:
    from tcao_tui.clients.weight_calls import Downloaded, ExportForm, Progress
    from tcao_tui.services.backend_helper import BackendHelper
    from tcao_tui.services.backends import Profile
    from tcao_tui.services.exports import ExportReport
    from tcao_tui.services.weights_source import WeightsSource


@dataclass(frozen=True, slots=True)
class Meant:
    """Weights and the server that has them."""

    source: WeightsSource
    profile: Profile


def meant(console: CliContext, reference: str, backend: str | None) -> Meant:
    """The weights of RUN, RUN:STEP or a `tinker://` path; starts the engine where it has them. Raises `UsageError`."""
    from tcao_tui.services.backends import ensure_engine
    from tcao_tui.services.weights_source import weights_source

    with console.store(create=True) as store:
        source = weights_source(store, console.runs_root, reference)
    profile = console.profile(backend or source.backend)
    ensure_engine(profile)
    return Meant(source, profile)


def agree(console: CliContext, found: Meant, *, yes: bool) -> None:
    """Say what a download does to the bill, and ask where it may cost something. Raises `NeedsInput`."""
    from tcao_tui.services.exports import download_consequence

    console.progress(one_line(download_consequence(found.profile, found.source)))
    costs = found.profile.kind != "engine" and "/external_weights/" not in found.source.path
    if not costs or yes:
        return
    if not console.is_interactive:
        raise NeedsInput("this may be billed, and nobody can be asked", next_step="the same command with --yes")
    if not click.confirm("Go on?", default=False, err=True):
        raise NeedsInput("not agreed; nothing was done")


@contextmanager
def helper(profile: Profile) -> Generator[BackendHelper]:
    """A helper process for what takes long, ended with it."""
    from tcao_tui.services.backend_helper import BackendHelper

    with BackendHelper(profile.name, purpose="taking weights away") as running:
        yield running


def telling(console: CliContext) -> Callable[[Progress], None]:
    """Tells each thing that is done once, and how far it is where a line may be drawn over."""
    said, is_open = "", False

    def tell(progress: Progress) -> None:
        nonlocal said, is_open
        if progress.doing != said:
            said = progress.doing
            console.progress(("\n" if is_open else "") + said)
            is_open = False
        if console.draws_progress and progress.total:
            is_open = progress.done != progress.total
            sys.stderr.write(f"\r  {_far(progress)}\033[K" + ("" if is_open else "\n"))
            sys.stderr.flush()

    return tell


def _far(progress: Progress) -> str:
    total = progress.total or 0
    if progress.unit == "bytes":
        return f"{bytes_text(progress.done)} of {bytes_text(total)} ({100 * progress.done // max(1, total)} %)"
    return f"{progress.done} of {total} {progress.unit}"


def export_now(console: CliContext, found: Meant, form: ExportForm, target: Path, *, proved: bool) -> ExportReport:
    """Export into `target`, telling what is done."""
    from tcao_tui.services.exports import export

    with helper(found.profile) as running:
        report = export(running, found.profile, found.source, form, target, proved=proved, on_progress=telling(console))
    tell_left_behind(console, report.downloaded)
    return report


def tell_left_behind(console: CliContext, downloaded: Downloaded) -> None:
    """Say which temporary export stays on the server, if one does."""
    if downloaded.left_behind:
        console.progress(f"the server keeps {one_line(downloaded.left_behind)} for up to an hour")
