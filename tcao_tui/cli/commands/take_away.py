"""`tcao download`, `export`, `push`: weights on this machine, in a form that is served, and on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tcao_tui import paths
from tcao_tui.cli.checkpoints import checkpoint_argument, complete
from tcao_tui.cli.context import CliContext, pass_context
from tcao_tui.cli.options import Decorator, backend_option, output_option
from tcao_tui.cli.render.json import to_json
from tcao_tui.cli.taking import agree, export_now, helper, meant, tell_left_behind, telling
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import bytes_text
from tcao_tui.errors import ExitCode

if TYPE_CHECKING:
    from tcao_tui.clients.weight_calls import ExportForm
    from tcao_tui.services.exports import ExportReport
    from tcao_tui.services.pushing import PushPlan


def _out_option() -> Decorator:
    return click.option("--out", type=click.Path(path_type=Path), help="New folder; below exports/ unless given.")


def _yes_option() -> Decorator:
    return click.option("--yes", is_flag=True, help="Agree to what it may cost without being asked.")


def _form_option() -> Decorator:
    return click.option(
        "--as",
        "form",
        type=click.Choice(["peft", "merged"]),
        default="peft",
        show_default=True,
        help="A PEFT adapter, or a whole Hugging Face model with the adapter merged in.",
    )


@click.command(
    epilog="""\b
Examples:
  tcao download latest
  tcao download demo:60 --out ./weights
  tcao download tinker://RUN/external_weights/NAME --yes
"""
)
@checkpoint_argument()
@_out_option()
@_yes_option()
@backend_option()
@output_option("text", "json")
@pass_context
def download(console: CliContext, reference: str, *, out: Path | None, yes: bool, backend: str | None) -> None:
    """Fetch the weights of CKPT as the server has them, with SHA256SUMS.

    CKPT is RUN (its final or furthest), RUN:STEP, or a tinker:// path. A download that breaks goes on where it broke
    when the command is given again.
    """
    from tcao_tui.services import exports

    found = meant(console, reference, backend)
    target = _target(out, f"{found.source.label}-weights")
    agree(console, found, yes=yes)
    with helper(found.profile) as running:
        result = exports.download(running, found.source, target, telling(console))
    tell_left_behind(console, result)
    if console.wants_json:
        console.result(to_json({"folder": str(target), **result.model_dump(mode="json")}, indent=2))
        return
    console.result(str(target))
    console.progress(f"{len(result.files)} files, {bytes_text(result.total_bytes)}; check: sha256sum -c SHA256SUMS")


@click.command(
    epilog="""\b
Examples:
  tcao export latest
  tcao export demo:80 --as merged --out ./my-model
  tcao export latest --output json | jq .ready_to_serve
"""
)
@checkpoint_argument()
@_form_option()
@_out_option()
@click.option("--no-parity", is_flag=True, help="Skip the proof; the export then never counts as ready to serve.")
@_yes_option()
@backend_option()
@output_option("text", "json")
@pass_context
def export(
    console: CliContext,
    reference: str,
    *,
    form: ExportForm,
    out: Path | None,
    no_parity: bool,
    yes: bool,
    backend: str | None,
) -> None:
    """Make CKPT a PEFT adapter or a merged model, and prove that it answers as the backend does.

    CKPT is RUN (its final or furthest), RUN:STEP, or a tinker:// path. The proof holds the logprobs of the same tokens,
    and greedy answers, of both sides against each other. Ends with code 1 when they differ by more than rounding
    explains.
    """
    found = meant(console, reference, backend)
    target = _target(out, f"{found.source.label}-{form}")
    agree(console, found, yes=yes)
    report = export_now(console, found, form, target, proved=not no_parity)
    _report_export(console, report)
    if report.failed:
        click.get_current_context().exit(ExitCode.FAILED)


@click.command(
    epilog="""\b
Examples:
  tcao push ./exports/demo-000080-peft --repo me/tickets
  tcao push latest --as merged --repo me/tickets
  tcao push ./my-model --repo me/tickets --public --confirm me/tickets
"""
)
@click.argument("what", metavar="CKPT|DIR", shell_complete=complete)
@click.option("--repo", required=True, metavar="USER/NAME", help="Repository; made when missing.")
@click.option("--private/--public", default=True, show_default=True, help="Who may read it.")
@click.option("--confirm", default="", metavar="USER/NAME", help="Consent to --public: the repository once more.")
@_form_option()
@_yes_option()
@backend_option()
@output_option("text", "json")
@pass_context
def push(
    console: CliContext,
    what: str,
    *,
    repo: str,
    private: bool,
    confirm: str,
    form: ExportForm,
    yes: bool,
    backend: str | None,
) -> None:
    """Upload an export to the Hugging Face Hub; a CKPT is exported and proved first.

    The token is that of `hf auth login` or HF_TOKEN. An export whose proof failed, or whose files were altered, is
    refused.
    """
    from tcao_tui.services import pushing

    folder = Path(what).expanduser()
    profile = console.profile(backend)
    if not folder.is_dir():
        found = meant(console, what, backend)
        profile, folder = found.profile, _target(None, f"{found.source.label}-{form}")
        if not folder.is_dir():
            agree(console, found, yes=yes)
            export_now(console, found, form, folder, proved=True)
        pushing.require_export_of(folder, found.source.path)
    plan = pushing.plan_push(folder, repo, private=private)
    typed = _confirmed(console, plan, confirm)
    with helper(profile) as running:
        url = pushing.push(running, plan, typed=typed, on_progress=telling(console))
    told = {"url": url, "repository": repo, "private": private, "folder": str(folder)}
    console.result(to_json(told, indent=2) if console.wants_json else one_line(url))


def _confirmed(console: CliContext, plan: PushPlan, given: str) -> str:
    console.progress("\n".join(plan.consequences))
    if plan.confirm and not given and console.is_interactive:
        return click.prompt(f"Type {plan.confirm} to publish it", default="", show_default=False, err=True)
    return given


def _target(out: Path | None, name: str) -> Path:
    return (out.expanduser() if out is not None else paths.exports_dir() / name).absolute()


def _report_export(console: CliContext, report: ExportReport) -> None:
    from tcao_tui.domain.model_card import verdict
    from tcao_tui.domain.serving import servers, warnings

    ways = servers(report.served)
    if console.wants_json:
        parity = report.parity.model_dump(mode="json") if report.parity is not None else None
        told = {
            "folder": str(report.folder),
            "ready_to_serve": report.ready_to_serve,
            **report.built.model_dump(mode="json"),
            "parity": parity,
            "warnings": warnings(report.served),
            "serve": {way.name: way.commands for way in ways if way.commands and not report.failed},
        }
        console.result(to_json(told, indent=2))
        return
    console.result(str(report.folder))
    colour = "green" if report.ready_to_serve else "yellow" if report.parity is None else "red"
    console.progress("\n" + console.style(verdict(report.parity).replace("**", ""), colour))
    if report.failed:
        console.progress(f"what differs, token by token: {report.folder / 'parity.json'}")
        return
    for warning in warnings(report.served):
        console.progress("\n" + console.style(warning, "yellow"))
    for way in ways:
        console.progress("\n" + "\n  ".join([console.style(way.name, bold=True), *way.commands, *way.notes]))
