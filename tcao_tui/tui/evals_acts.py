"""What a person has done with evaluations: asked for with its consequence and the same in a shell, then done."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from textual.message import Message
from textual.screen import Screen

from tcao_tui.tui.evals_port import EvalOffer, EvalProposal, EvalsWanted, EvaluationsPort, EvalVerb
from tcao_tui.tui.messages import Done, OpenEvals
from tcao_tui.tui.panes.evals.pane import EvalsPane
from tcao_tui.tui.screens.confirm import ConfirmScreen

_QUESTIONS: dict[EvalVerb, str] = {
    "drain": "Let the answers under way end, then stop? What was answered is scored and kept; resuming goes on.",
    "cancel": "Stop at once? What was answered and written down is kept, answers under way are lost and paid again.",
    "resume": "Go on with the cells that wait, were stopped, failed or were lost? It spends what was approved at most.",
}
_DOING: dict[EvalVerb, str] = {"drain": "draining ...", "cancel": "cancelling ...", "resume": "starting a driver ..."}


class EvalsHost(Protocol):
    """The screen that things are done from."""

    @property
    def source(self) -> EvaluationsPort | None:
        """The port, once it is open."""
        ...

    @property
    def pane(self) -> EvalsPane:
        """The matrix."""
        ...

    def in_thread(self, doing: str, work: Callable[[EvaluationsPort], Message | None]) -> None:
        """Have the port do something."""
        ...


@dataclass
class Offered(Message):
    """What can be evaluated was read; `checkpoints` are the paths to begin with."""

    offer: EvalOffer
    checkpoints: Sequence[str]


class EvalActs:
    """Asks and does.

    Args:
        screen: Shows the dialogs.
        host: The same screen as what it offers here.
    """

    def __init__(self, screen: Screen[None], host: EvalsHost) -> None:
        self._screen, self._host = screen, host

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
                self._host.in_thread("writing the report ...", lambda port: Done(port.report()))
            case "logs":
                self._logs()
            case _:
                self._view()

    def start(self, checkpoints: Sequence[str]) -> None:
        """Read what can be evaluated."""
        self._host.in_thread("reading what can be evaluated ...", lambda port: Offered(port.offers(), checkpoints))

    def offered(self, event: Offered) -> None:
        """Ask what of it, show what that costs, and start it with consent."""
        from tcao_tui.tui.screens.evals_start import StartEvalScreen

        source = self._host.source

        def answered(proposal: EvalProposal | None) -> None:
            if proposal is not None:
                self._host.in_thread("starting a driver ...", lambda port: Done(port.start(proposal)))

        if source is not None:
            self._screen.app.push_screen(StartEvalScreen(event.offer, source.propose, event.checkpoints), answered)

    def _command(self, act: str) -> str:
        source = self._host.source
        command = source.commands().get(act, "") if source is not None else ""
        return f"\n\nIn a shell: {command}" if command else ""

    def _control(self, verb: EvalVerb) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._host.in_thread(_DOING[verb], lambda port: Done(port.control(verb)))

        self._screen.app.push_screen(ConfirmScreen(_QUESTIONS[verb] + self._command(verb)), answered)

    def _choose(self, subject: str) -> None:
        from tcao_tui.tui.screens.evals_choose import ChooseWeightsScreen

        matrix = self._host.pane.matrix
        if matrix is None or not subject:
            return

        def answered(reason: str | None) -> None:
            if reason is not None:
                self._host.in_thread("recording the choice ...", lambda port: Done(port.choose(subject, reason)))

        self._screen.app.push_screen(ChooseWeightsScreen(subject, matrix, self._command("choose").strip()), answered)

    def _logs(self) -> None:
        from tcao_tui.tui.screens.evals_logs import OpenLogsScreen

        def answered(paths: tuple[Path, ...] | None) -> None:
            if paths:
                self._screen.app.post_message(OpenEvals(EvalsWanted(logs=paths)))

        self._screen.app.push_screen(OpenLogsScreen(), answered)

    def _view(self) -> None:
        command = self._host.source.commands().get("view", "") if self._host.source is not None else ""
        if command:
            self._screen.app.copy_to_clipboard(command)
            self._screen.notify(f"{command}\nIt is copied.", title="Open in Inspect's viewer", timeout=8, markup=False)
        else:
            self._screen.notify("There are no Inspect logs here yet.", markup=False)


def paths_typed(text: str) -> tuple[Path, ...]:
    """Paths on one line, quoted where they have spaces. Raises `ValueError` for a quote that is not closed."""
    return tuple(Path(part).expanduser().absolute() for part in shlex.split(text))
