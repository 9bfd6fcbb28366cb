"""`tcao notify`: tell who wants to know what happens to a run; try it with `--test`."""

from __future__ import annotations

import time

import click

from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import output_option, run_argument
from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import ExitCode, NeedsInput, UsageError


@click.command(
    epilog="""\b
Examples:
  tcao notify --test                 send a test notice to everybody whom the settings name
  tcao notify latest                 watch a run from here; launching does this by itself

\b
Settings (settings.yaml; `tcao doctor` says where it is):
  notifications:
    when: [done, failed, lost, alert, approval]
    command: [notify-send, tcao]
    webhook_env: MY_WEBHOOK_URL
    slack_env: MY_SLACK_URL
    desktop: true
"""
)
@run_argument(required=False)
@click.option("--test", "is_test", is_flag=True, help="Send a test notice and say what came of it.")
@output_option()
@pass_context
def notify(console: CliContext, run: str | None, is_test: bool) -> None:
    """Watch RUN to its end and tell who the settings name: a command, a webhook, Slack.

    Every launched run gets such a process of its own when the settings name somebody. Each fact is told once; what
    cannot be delivered is written to notify.log in the run's directory and changes nothing else.
    """
    if is_test == (run is not None):
        raise UsageError("give a run, or --test", next_step="tcao notify --help")
    if run is None:
        _test(console)
    else:
        _watch(console, run)


def _watch(console: CliContext, reference: str) -> None:
    from tcao_tui.domain.notices import Notice
    from tcao_tui.sinks.notifier import Notifier
    from tcao_tui.sinks.notify import send

    settings = console.settings().notifications

    def tell(notice: Notice) -> None:
        if notice.kind not in settings.when:
            return
        for channel, problem in send(notice, settings, console.environ):
            if problem:
                console.progress(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {notice.kind}: {channel}: {problem}")

    with console.store() as store:
        run_id = console.find(store, reference).run_id
        Notifier(store, console.runs_root / run_id, run_id, tell).watch()


def _test(console: CliContext) -> None:
    from tcao_tui.cli.render.json import to_json
    from tcao_tui.domain.desktop_notice import desktop_notice, style_of
    from tcao_tui.domain.notices import TEST_RUN, notice
    from tcao_tui.sinks.notify import send

    settings = console.settings().notifications
    if not settings.needs_process and not settings.desktop:
        raise NeedsInput("the settings name nobody to be told", next_step="tcao notify --help shows what to write")
    text = "This is how tcao tells you that something happened to a run."
    test = notice("done", run_id=TEST_RUN, name="tcao", said="can reach you", text=text, at=time.time())
    found = list(send(test, settings, console.environ))
    if settings.desktop and console.draws_progress:
        in_tmux = bool(console.environ.get("TMUX"))
        click.echo(
            desktop_notice(test.title, text, style=style_of(console.environ), in_tmux=in_tmux), nl=False, err=True
        )
        found.append(("desktop", ""))
    if console.wants_json:
        console.result(
            to_json([{"channel": channel, "problem": problem or None} for channel, problem in found], indent=2)
        )
    else:
        for channel, problem in found:
            console.result(f"{channel}: {one_line(problem, 400) or 'sent'}")
    if any(problem for _, problem in found):
        click.get_current_context().exit(ExitCode.FAILED)
