"""`tcao eval`: evaluations of checkpoints. This is the group; commands are in the modules of its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import click

from tcao_tui.cli.group import LazyGroup

_AT = "tcao_tui.cli.commands."
_START = "start"


class _Commands(LazyGroup):
    table: ClassVar[Mapping[str, tuple[str, str]]] = {
        _START: (f"{_AT}eval_start:start", "Evaluate checkpoints; what `tcao eval RUN` does."),
        "ls": (f"{_AT}eval_look:ls", "List the evaluations."),
        "show": (f"{_AT}eval_look:show", "Show the scores of one, or of all of a run, and how far it is."),
        "resume": (f"{_AT}eval_act:resume", "Go on with what is unfinished; no answer is paid twice."),
        "drain": (f"{_AT}eval_act:drain", "Let what is under way end, and begin nothing more."),
        "cancel": (f"{_AT}eval_act:cancel", "End it now; what was answered is kept."),
        "verdict": (
            f"{_AT}eval_report:verdict",
            "Say which checkpoint to use, how sure that is, and why; a build's gate.",
        ),
        "report": (f"{_AT}eval_report:report", "Write it all down: Markdown, HTML with charts, the run's record."),
        "choose": (f"{_AT}eval_report:choose", "Say which weights are used, and why, whatever the rule says."),
        "tasks": (f"{_AT}eval_catalogue:tasks", "List public benchmarks: what they measure, need and cost."),
        "check": (f"{_AT}eval_catalogue:check", "Say what this machine lacks for benchmarks, and what mends it."),
        "judge": (f"{_AT}eval_judge:judge", "Measure how far a judge agrees with people's grades."),
        "open": (f"{_AT}eval_open:open_logs", "Open Inspect logs in the console, whoever made them."),
        "compare": (f"{_AT}eval_compare:compare", "Hold Inspect logs of one task against the first of them."),
    }

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Words that are no command are what is to be evaluated."""
        helps = ctx.help_option_names
        if args and args[0] not in self.table and args[0] not in helps:
            args = [_START, *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_Commands,
    epilog="""\b
Examples:
  tcao eval latest                          the evals of its plan, over the base and its checkpoints
  tcao eval latest --task quality.py@task   a task of one's own
  tcao eval show latest
  tcao eval compare base.eval run-40.eval
""",
)
def evaluate() -> None:
    """Evaluate checkpoints: training metrics, public benchmarks, your own evals; say which one is best and how sure
    that is."""
