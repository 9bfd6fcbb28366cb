"""What the `tcao ckpt` commands share: the server asked through its helper, checkpoints by name, consent."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcao_tui.cli.context import CliContext
from tcao_tui.cli.render.checkpoints import report_lines
from tcao_tui.cli.render.json import to_json
from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import NeedsInput, Refused, TcaoError, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from tcao_tui.cli.options import Decorator
    from tcao_tui.domain.checkpoint_actions import Action, Consequences
    from tcao_tui.domain.checkpoint_listing import CheckpointListing, ListedCheckpoint
    from tcao_tui.services.backend_helper import BackendHelper
    from tcao_tui.services.backends import Profile
    from tcao_tui.services.checkpoints import ActionReport, CheckpointDesk
    from tcao_tui.store.port import RunStore


@dataclass(frozen=True, slots=True)
class Counter:
    """A server's checkpoints, and the store that knows which of them are ours."""

    store: RunStore
    profile: Profile
    helper: BackendHelper
    desk: CheckpointDesk

    def named(self, references: Sequence[str]) -> tuple[CheckpointListing, list[ListedCheckpoint]]:
        """The listing, and the rows that are meant, each once: RUN or RUN:STEP means all that was saved of a step.

        Raises:
            UsageError: Nothing is meant.
            Refused: The server has it no more.
        """
        from tcao_tui.services.checkpoint_names import SCHEME, resolve_checkpoint

        paths = {reference: resolve_checkpoint(self.store, reference) for reference in references}
        listing = self.desk.listing()
        rows: dict[str, ListedCheckpoint] = {}
        for reference, path in paths.items():
            if (row := listing.at(path)) is None:
                raise Refused(f"{path} is not on the server: it was deleted or has expired", next_step="tcao ckpt ls")
            rows[path] = row
            if not reference.startswith(SCHEME):
                place = row.server.training_run, row.server.name
                same = (r for r in listing.checkpoints if (r.server.training_run, r.server.name) == place)
                rows |= {r.path: r for r in same}
        return listing, [*rows.values()]


@contextmanager
def counter(console: CliContext, backend: str | None, references: Sequence[str] = ()) -> Generator[Counter]:
    """Opens store, server and helper; without `--backend`, the server of the first run that is named.

    Raises:
        TcaoError: The server has no key, or the engine does not run.
    """
    from tcao_tui.services.backend_helper import BackendHelper
    from tcao_tui.services.backends import connection
    from tcao_tui.services.checkpoints import CheckpointDesk

    with console.store(create=True) as store:
        profile = console.profile(backend or _backend_of(console, store, references))
        if profile.key_source.kind != "command":
            connection(profile)  # said at once instead of after the seconds of the helper's imports
        with BackendHelper(profile.name, purpose="checkpoints") as helper:
            yield Counter(store, profile, helper, CheckpointDesk(store, profile, helper))


def _backend_of(console: CliContext, store: RunStore, references: Sequence[str]) -> str | None:
    from tcao_tui.services.checkpoint_names import SCHEME

    runs = [reference.partition(":")[0] for reference in references if not reference.startswith(SCHEME)]
    return console.find(store, runs[0]).backend if runs else None


def interview_from(console: CliContext, reference: str, backend: str | None) -> str:
    """Make a new interview whose plan starts from a checkpoint; returns its id.

    Raises:
        UsageError: There is no such checkpoint, or nothing can be trained on from it.
    """
    from tcao_tui.planner import open as opening

    with counter(console, backend, (reference,)) as open_counter:
        _, rows = open_counter.named((reference,))
        return opening.interview_from(
            open_counter.store,
            console.runs_root,
            rows[0],
            settings=console.settings(),
            profile=open_counter.profile,
            directory=Path.cwd(),
            environ=console.environ,
        )


def carry_out(
    console: CliContext,
    references: Sequence[str],
    action: Action,
    *,
    backend: str | None,
    confirm: str = "",
    yes: bool = False,
    ttl_seconds: int | None = None,
    label: str = "",
) -> None:
    """Say what an action will do, ask where that is needed, do it, and report."""
    import time

    from tcao_tui.domain.checkpoint_actions import ActionRequest, consequences

    with counter(console, backend, references) as open_counter:
        _, rows = open_counter.named(references)
        said = consequences(action, rows, now=time.time(), ttl_seconds=ttl_seconds)
        if said.refusal:
            raise Refused(said.refusal, next_step="tcao ckpt ls")
        typed = consent(console, said, action, confirm=confirm, yes=yes)
        request = ActionRequest(action, typed=typed, ttl_seconds=ttl_seconds, label=label)
        report = open_counter.desk.act(request, rows)
    report_action(console, action, report)


def consent(console: CliContext, said: Consequences, action: str, *, confirm: str, yes: bool) -> str:
    """Tell the consequences on stderr, and give back what the person typed.

    Raises:
        NeedsInput: Nobody can be asked and nothing was confirmed.
        Refused: The person said no.
    """
    for line in said.lines:
        console.progress(console.style(line, "yellow") if said.warns else line)
    if said.confirm and not confirm:
        if not console.is_interactive:
            raise NeedsInput(" ".join(said.lines), next_step=f"add --confirm {one_line(said.confirm)!r} to {action}")
        return click.prompt(f"type {one_line(said.confirm)} to {action}", default="", show_default=False, err=True)
    if said.warns and not said.confirm and not yes:
        if not console.is_interactive:
            raise NeedsInput(" ".join(said.lines), next_step=f"add --yes to {action}")
        if not click.confirm("Do it?", default=False, err=True):
            raise Refused("nothing was done")
    return confirm


def report_action(console: CliContext, action: str, report: ActionReport) -> None:
    """What came of it, as text or JSON. Raises `TcaoError` when some of it failed."""
    if console.wants_json:
        failed = [{"path": path, "error": error} for path, error in report.failed]
        console.result(to_json({"action": action, "done": list(report.done), "failed": failed}, indent=2))
    else:
        for line in report_lines(report, action):
            console.result(line)
    if report.failed:
        click.get_current_context().exit(TcaoError.exit_code)


def checkpoint_argument(*, many: bool = False) -> Decorator:
    """CKPT: RUN, RUN:STEP, RUN:NAME, or a `tinker://` path."""
    if many:
        return click.argument("references", metavar="CKPT...", nargs=-1, required=True, shell_complete=complete)
    return click.argument("reference", metavar="CKPT", shell_complete=complete)


def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Runs, then RUN:STEP, or paths that runs recorded; asks no server."""
    from click.shell_completion import CompletionItem

    from tcao_tui.cli.options import complete_runs
    from tcao_tui.services.checkpoint_names import SCHEME, completions

    console = context.ensure_object(CliContext)
    if ":" not in incomplete and not SCHEME.startswith(incomplete[:6] or "-"):
        return complete_runs(context, parameter, incomplete)
    if not console.has_store:
        return []
    try:
        with console.store() as store:
            return [CompletionItem(text, help=said) for text, said in completions(store, incomplete)]
    except (TcaoError, OSError):
        return []


def seconds_of(text: str) -> int:
    """A duration that a person typed. Raises `UsageError`."""
    from tcao_tui.domain.wording import duration_seconds

    if (seconds := duration_seconds(text)) is None:
        raise UsageError(f"{text!r} is no duration", next_step="such as 12h, 7d or 2w")
    return seconds
