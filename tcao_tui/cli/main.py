"""The `tcao` command: a table of commands, and the one place where errors become messages and exit codes.

`tcao --help` imports none of the commands; each command imports what it needs when it is called.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tcao_tui import __version__
from tcao_tui.cli.context import CliContext
from tcao_tui.cli.group import LazyGroup
from tcao_tui.errors import ExitCode, TcaoError

_AT = "tcao_tui.cli.commands."
COMMANDS = {
    "demo": (f"{_AT}demo:demo", "Train the included plan on the local engine and show the score before and after."),
    "plan": (f"{_AT}plan:plan", "Make a plan by being asked; nothing runs before it is approved."),
    "data": (f"{_AT}data:data", "Inspect, preview, split, compare and clean data files."),
    "check": (f"{_AT}check:check", "Judge a saved plan by every gate; spends nothing."),
    "run": (f"{_AT}run:run", "Launch a saved plan: estimate, approval, detached worker."),
    "sweep": (f"{_AT}sweep:sweep", "Vary a plan over a grid or a list: launch, resume and compare its cells."),
    "watch": (f"{_AT}watch:watch", "Follow a run, or a directory that the tinker-cookbook writes."),
    "ls": (f"{_AT}ls:ls", "List runs."),
    "show": (f"{_AT}show:show", "Show one run."),
    "stop": (f"{_AT}control:stop", "Ask a run to save a checkpoint and end."),
    "pause": (f"{_AT}control:pause", "Ask a run to save a checkpoint and wait."),
    "resume": (f"{_AT}control:resume", "Go on with a paused, stopped, failed or lost run."),
    "checkpoint": (f"{_AT}control:checkpoint", "Ask a run to save a checkpoint now."),
    "set": (f"{_AT}control:set_setting", "Change a setting of a run while it trains."),
    "compare": (f"{_AT}compare:compare", "Over-lay runs on one chart; say where each ended and what differs."),
    "eval": (f"{_AT}eval:evaluate", "Say which checkpoint is best by its evals, and how sure that is."),
    "evalset": (f"{_AT}evalset:evalset", "Build a small set of cases that stands for the product; version it by hash."),
    "notify": (f"{_AT}notify:notify", "Tell who wants to know what happens to a run; `--test` tries it."),
    "sink": (f"{_AT}sink:sink", "Copy a run's numbers to TensorBoard, W&B, trackio or MLflow."),
    "diagnose": (f"{_AT}diagnose:diagnose", "Explain a run in words: state, what stands out, what to do next."),
    "rollouts": (f"{_AT}rollouts:rollouts", "Show the answers that a step of RL was trained on."),
    "download": (f"{_AT}take_away:download", "Fetch the weights of a checkpoint, with checksums."),
    "export": (f"{_AT}take_away:export", "Make a checkpoint an adapter or a model to serve, and prove it right."),
    "push": (f"{_AT}take_away:push", "Upload an export to the Hugging Face Hub."),
    "ckpt": (f"{_AT}ckpt:ckpt", "List, keep, share and delete the checkpoints of a server."),
    "verify-run": (f"{_AT}verify_run:verify_run", "Prove from store and server that a run is whole."),
    "replay": (f"{_AT}replay:replay", "Carry out a run's plan again, or play its record."),
    "qlora": (f"{_AT}qlora:qlora", "Write what trains the like of a run on one's own GPU."),
    "chat": (f"{_AT}chat:chat", "Talk to checkpoints and base models, side by side and blind; keep what is said."),
    "models": (f"{_AT}models:models", "List the backend's base models with size, context, price and thinking."),
    "doctor": (f"{_AT}doctor:doctor", "Say what is found and what is missing on this machine."),
    "engine": (f"{_AT}engine:engine", "Start, stop and inspect the local engine."),
    "completion": (f"{_AT}completion:completion", "Print the completion script of a shell."),
}


class _Commands(LazyGroup):
    table = COMMANDS


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="tcao", message="%(prog)s %(version)s")
@click.option("--runs-dir", type=click.Path(file_okay=False, path_type=Path), help="Where runs lie; TCAO_RUNS_DIR.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def tcao(context: click.Context, runs_dir: Path | None, debug: bool) -> None:
    """A console for LLM post-training on the Tinker API: plan, approve, train, watch, resume, prove.

    Without a command, opens the console in a terminal.

    \b
    Examples:
      tcao demo                       see it work, no key needed
      tcao run plan.yaml              estimate, approve, launch
      tcao watch latest               follow the newest run
      tcao resume latest --wait       go on after a crash

    \b
    Exit codes: 0 ok, 1 failed, 2 usage, 3 plan invalid, 4 needs approval, 5 credentials,
    6 budget, 7 backend, 8 refused, 75 resumable, 130 interrupted.
    """
    console = context.ensure_object(CliContext)
    console.debug = debug
    if runs_dir is not None:
        console.runs_root = runs_dir.absolute()
    if context.invoked_subcommand is None:
        context.exit(_open_console(console))


def _open_console(console: CliContext) -> int:
    if console.is_interactive:
        from tcao_tui.tui.app import run_app

        return run_app(console.runs_root, load_settings=console.settings, theme=console.theme())
    from tcao_tui.cli.commands.ls import print_runs

    print_runs(console)
    console.progress("no terminal, so the console was not opened; see `tcao --help`")
    return ExitCode.OK


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point: runs one command and exits with its code."""
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None, console: CliContext | None = None) -> int:
    """Carry out one command line and return its exit code.

    Args:
        argv: Arguments without the program; None for those of the process.
        console: The context that commands get; tests pass their own.
    """
    console = console or CliContext()
    try:
        code = tcao.main(args=argv, prog_name="tcao", standalone_mode=False, obj=console)
        return code if isinstance(code, int) else ExitCode.OK
    except TcaoError as error:
        return _report(console, error)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        console.progress("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`tcao ls | head`); Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except Exception as error:
        from tcao_tui.cli.crash import report_crash

        return report_crash(console, error)


def _report(console: CliContext, error: TcaoError) -> int:
    from tcao_tui.cli.render.text import error_text

    if console.debug:
        import traceback

        console.progress(traceback.format_exc())
    if console.wants_json:
        from tcao_tui.cli.render.json import error_json

        console.result(error_json(error))
    console.progress(error_text(error, console.style))
    return error.exit_code
