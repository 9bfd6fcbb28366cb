"""What a person has done with evaluations: asked for with its consequence and the same in a shell, then done."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from tcao_tui.domain.plain_text import one_line
from tcao_tui.tui.evals_port import EvalOffer, EvalProposal, EvalsWanted, EvalVerb
from tcao_tui.tui.messages import Done, OpenEvals
from tcao_tui.tui.panes.evals.heading import rule_text
from tcao_tui.tui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from tcao_tui.tui.screens.evals import EvalsScreen

_QUESTIONS: dict[EvalVerb, str] = {
    "drain": "Let the answers under way end, then stop? What was answered is scored and kept; resuming goes on.",
    "cancel": "Stop at once? What was answered and written down is kept, answers under way are lost and paid again.",
    "resume": "Go on with the cells that wait, were stopped, failed or were lost? It spends what was approved at most.",
}
_OPENING = (
    "The base's log comes first; the others are held against it, item by item.\n"
    "In a shell: tcao eval open LOG...      ⏎ open   esc leave it"
)
_DOING: dict[EvalVerb, str] = {"drain": "draining ...", "cancel": "cancelling ...", "resume": "starting a driver ..."}


@dataclass
class Offered(Message):
    """What can be evaluated was read; `checkpoints` are the paths to begin with."""

    offer: EvalOffer
    checkpoints: Sequence[str]


class EvalActs:
    """Asks and does.

    Args:
        screen: Shows the dialogs, and has the port.
    """

    def __init__(self, screen: EvalsScreen) -> None:
        self._screen = screen

    def carry_out(self, act: str, subject: str) -> None:
        """Begin what was asked for."""
        match act:
            case "start":
                self.start(())
            case "drain" | "cancel" | "resume":
                self._control(act)
            case "choose":
                self._choose(subject)
            case "report":
                self._screen.in_thread("writing the report ...", lambda port: Done(port.report()))
            case "logs":
                self._logs()
            case _:
                self._view()

    def start(self, checkpoints: Sequence[str]) -> None:
        """Read what can be evaluated."""
        self._screen.in_thread("reading what can be evaluated ...", lambda port: Offered(port.offers(), checkpoints))

    def offered(self, event: Offered) -> None:
        """Ask what of it, show what that costs, and start it with consent."""
        from tcao_tui.tui.screens.evals_start import StartEvalScreen

        source = self._screen.source

        def answered(proposal: EvalProposal | None) -> None:
            if proposal is not None:
                self._screen.in_thread("starting a driver ...", lambda port: Done(port.start(proposal)))

        if source is not None:
            self._screen.app.push_screen(StartEvalScreen(event.offer, source.propose, event.checkpoints), answered)

    def _command(self, act: str) -> str:
        source = self._screen.source
        command = source.commands().get(act, "") if source is not None else ""
        return f"\n\nIn a shell: {command}" if command else ""

    def _control(self, verb: EvalVerb) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._screen.in_thread(_DOING[verb], lambda port: Done(port.control(verb)))

        self._screen.app.push_screen(ConfirmScreen(_QUESTIONS[verb] + self._command(verb)), answered)

    def _choose(self, subject: str) -> None:
        from tcao_tui.tui.screens.ask_line import AskLineScreen

        matrix = self._screen.pane.matrix
        if matrix is None or not subject:
            return

        def answered(reason: str | None) -> None:
            if reason is not None:
                self._screen.in_thread("recording the choice ...", lambda port: Done(port.choose(subject, reason)))

        asking = AskLineScreen(
            f"Use {one_line(subject)}",
            _reason,
            above=[rule_text(subject, matrix)],
            placeholder="why, for the record",
            below=[self._command("choose").strip(), "⏎ choose it   esc leave it"],
        )
        self._screen.app.push_screen(asking, answered)

    def _logs(self) -> None:
        from tcao_tui.tui.screens.ask_line import AskLineScreen

        def answered(paths: tuple[Path, ...] | None) -> None:
            if paths:
                self._screen.app.post_message(OpenEvals(EvalsWanted(logs=paths)))

        asking = AskLineScreen(
            "Open Inspect logs",
            _logs_named,
            placeholder="base.eval other.eval ..., or a directory of logs",
            below=[_OPENING],
        )
        self._screen.app.push_screen(asking, answered)

    def _view(self) -> None:
        command = self._screen.source.commands().get("view", "") if self._screen.source is not None else ""
        if command:
            self._screen.app.copy_to_clipboard(command)
            self._screen.notify(f"{command}\nIt is copied.", title="Open in Inspect's viewer", timeout=8, markup=False)
        else:
            self._screen.notify("There are no Inspect logs here yet.", markup=False)


def _reason(text: str) -> str:
    if reason := one_line(text):
        return reason
    raise ValueError("Say why: the report quotes it.")


def _logs_named(text: str) -> tuple[Path, ...] | None:
    """Paths on one line, quoted where they have spaces; None for none."""
    try:
        paths = tuple(Path(part).expanduser().absolute() for part in shlex.split(text))
    except ValueError as error:
        raise ValueError("A quote is not closed.") from error
    if gone := next((path for path in paths if not path.exists()), None):
        raise ValueError(f"There is no {gone}.")
    return paths or None
