"""The console: opens screens, hands intents to the services and tells what came of them. Nothing else lives here."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.command import Provider
from textual.screen import Screen
from textual.worker import Worker

from tcao_tui.domain.plain_text import plain_text
from tcao_tui.errors import TcaoError
from tcao_tui.tui.desktop import START_SECONDS, tell_terminal
from tcao_tui.tui.evals_port import EvalsWanted
from tcao_tui.tui.intents import carry_out, outcome_of
from tcao_tui.tui.interview_port import InterviewWanted
from tcao_tui.tui.keys import Scope, bindings
from tcao_tui.tui.messages import (
    BackToRuns,
    ControlRun,
    Diagnosed,
    Done,
    Intent,
    InterviewOpened,
    InterviewsListed,
    NotDone,
    OpenChat,
    OpenEvals,
    OpenInterview,
    OpenRun,
    OpenSweeps,
    PlanRead,
    RolloutsRead,
    RunsCompared,
    SourceFailed,
)
from tcao_tui.tui.ports import Ports
from tcao_tui.tui.terminal_app import TerminalApp
from tcao_tui.tui.theme import DARK, LIGHT, theme_for, themes
from tcao_tui.tui.wiring import wire

if TYPE_CHECKING:
    from tcao_tui.settings import Settings


def _key_commands() -> type[Provider]:
    from tcao_tui.tui.palette import KeyCommands

    return KeyCommands


class TcaoApp(TerminalApp):
    """The console.

    Args:
        ports: What may be asked for; fakes in tests.
        run_ref: A run to open at once.
        interview: An interview to open at once.
        evals: Evaluations to open at once; without any of these, the run list.
        theme: Name of a theme; None takes what the terminal says.
    """

    TITLE = "tcao"
    COMMANDS: ClassVar = {_key_commands}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.APP)]
    CSS = "Screen { background: $background; } Toast { max-width: 76; }"

    def __init__(
        self,
        ports: Ports,
        *,
        run_ref: str | None = None,
        interview: InterviewWanted | None = None,
        evals: EvalsWanted | None = None,
        theme: str | None = None,
    ) -> None:
        super().__init__()
        for each in themes():
            self.register_theme(each)
        wanted = theme_for(theme, os.environ)
        self.theme = wanted if wanted in self.available_themes else DARK
        self._ports = ports
        self._run_ref, self._interview, self._evals = run_ref, interview, evals

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, for themes that are not ours."""
        return {"line": "ansi_bright_black"}

    def get_default_screen(self) -> Screen[None]:
        """The run list, or what was asked for."""
        if self._run_ref is not None:
            return self._run_screen(self._run_ref)
        if self._evals is not None:
            return _evals_screen(self._ports, self._evals)
        return _runs_screen(self._ports) if self._interview is None else _interview_screen(self._interview)

    def on_ready(self) -> None:
        """Tell the terminal what happens to runs from now on."""
        self.set_timer(START_SECONDS, self._tell_notices)

    @work(group="notices", exit_on_error=False)
    async def _tell_notices(self) -> None:
        try:
            await tell_terminal(self._ports.open_notices, self.write_to_terminal, os.environ)
        except TcaoError as error:
            self.post_message(NotDone(str(error), error.next_step, "No desktop notices"))

    def _run_screen(self, ref: str) -> Screen[None]:
        from tcao_tui.tui.screens.run import RunScreen

        return RunScreen(self._ports, ref)

    @on(OpenChat)
    def _open_chat(self, event: OpenChat) -> None:
        from tcao_tui.tui.screens.chat import ChatScreen

        self.push_screen(ChatScreen(self._ports, event.wanted))

    @on(OpenEvals)
    def _open_evals(self, event: OpenEvals) -> None:
        self.push_screen(_evals_screen(self._ports, event.wanted))

    @on(OpenInterview)
    def _open_interview(self, event: OpenInterview) -> None:
        self.push_screen(_interview_screen(event.wanted))

    @on(InterviewOpened)
    def _interview_opened(self, event: InterviewOpened) -> None:
        from tcao_tui.tui.screens.interview import InterviewScreen

        for screen in self.screen_stack:
            if isinstance(screen, InterviewScreen):
                screen.take(event)

    @on(InterviewsListed)
    def _choose_interview(self, event: InterviewsListed) -> None:
        from tcao_tui.tui.screens.choose_interview import choose_interview

        choose_interview(self, event.summaries)

    @on(Diagnosed)
    def _diagnosed(self, event: Diagnosed) -> None:
        from tcao_tui.tui.screens.diagnosis import DiagnosisScreen

        self.push_screen(DiagnosisScreen(event.found))

    @on(RunsCompared)
    def _compared(self, event: RunsCompared) -> None:
        from tcao_tui.tui.screens.compare import CompareScreen

        if isinstance(self.screen, CompareScreen):
            self.screen.take(event.found)
        else:
            self.push_screen(CompareScreen(event.found))

    @on(RolloutsRead)
    def _rollouts_read(self, event: RolloutsRead) -> None:
        from tcao_tui.tui.screens.rollouts import RolloutsScreen

        for screen in self.screen_stack:
            if isinstance(screen, RolloutsScreen):
                screen.take(event)

    @on(OpenRun)
    def _open(self, event: OpenRun) -> None:
        self.push_screen(self._run_screen(event.run_id))

    @on(OpenSweeps)
    def _open_sweeps(self) -> None:
        from tcao_tui.tui.screens.sweeps import SweepsScreen

        self.push_screen(SweepsScreen(self._ports))

    @on(BackToRuns)
    def _back(self) -> None:
        screen = self.screen
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self._ports.is_read_only:
            self.exit(0)
        else:
            # Textual cannot switch its default screen, so the list becomes a mode and this screen falls silent.
            self.add_mode("runs", lambda: _runs_screen(self._ports))
            self.switch_mode("runs")
            screen.remove_children()

    @on(Intent)
    def _carry_out(self, intent: Intent) -> None:
        if not (isinstance(intent, ControlRun) and intent.verb == "stop"):
            carry_out(self, self._ports, intent)
            return
        from tcao_tui.tui.screens.confirm import ConfirmScreen

        def answered(yes: bool | None) -> None:
            if yes:
                carry_out(self, self._ports, intent)

        self.push_screen(ConfirmScreen("Stop this run? It saves a checkpoint first and can be resumed."), answered)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Take the outcome of an intent."""
        if (outcome := outcome_of(event.worker, event.state)) is not None:
            self.post_message(outcome)

    @on(Done)
    def _done(self, event: Done) -> None:
        self.notify(event.text, timeout=4, markup=False)
        self._look_again()

    @on(PlanRead)
    def _plan_read(self, event: PlanRead) -> None:
        from tcao_tui.tui.screens.new_run import NewRunScreen

        if isinstance(self.screen, NewRunScreen):
            self.screen.show_plan(event)

    @on(NotDone)
    def _not_done(self, event: NotDone) -> None:
        from tcao_tui.tui.screens.new_run import NewRunScreen

        if isinstance(self.screen, NewRunScreen):
            self.screen.show_refusal(event)
            return
        self.notify(plain_text(event.text), title=event.title, severity="error", timeout=10, markup=False)
        self._look_again()

    @on(SourceFailed)
    def _source_failed(self, event: SourceFailed) -> None:
        self.notify(f"{event.what}\n{event.next_step}".strip(), severity="error", markup=False)

    def _look_again(self) -> None:
        from tcao_tui.tui.screens.run import RunScreen

        if isinstance(self.screen, RunScreen):
            self.screen.ask()

    def action_show_help(self) -> None:
        """Show all keys."""
        from tcao_tui.tui.screens.help import HelpScreen

        scopes: tuple[Scope, ...] = getattr(self.screen, "scopes", ())
        more = getattr(self.screen, "more_help", tuple[()])
        self.push_screen(HelpScreen(scopes, more()))

    def action_switch_theme(self) -> None:
        """Dark or light."""
        self.theme = DARK if self.theme == LIGHT else LIGHT


def _runs_screen(ports: Ports) -> Screen[None]:
    from tcao_tui.tui.screens.runs import RunsScreen

    return RunsScreen(ports)


def _evals_screen(ports: Ports, wanted: EvalsWanted) -> Screen[None]:
    from tcao_tui.tui.screens.evals import EvalsScreen

    return EvalsScreen(ports, wanted)


def _interview_screen(wanted: InterviewWanted) -> Screen[None]:
    from tcao_tui.tui.screens.interview import InterviewScreen

    return InterviewScreen(wanted)


def run_app(
    runs_root: Path,
    *,
    run_ref: str | None = None,
    cookbook_dir: Path | None = None,
    interview: InterviewWanted | None = None,
    evals: EvalsWanted | None = None,
    load_settings: Callable[[], Settings],
    theme: str | None = None,
) -> int:
    """Open the console and stay until the person leaves.

    Args:
        runs_root: Directory of the run store.
        run_ref: A run to open: id, unique prefix, name or `latest`.
        cookbook_dir: A run directory of the tinker-cookbook to open instead.
        interview: An interview to open, new or not.
        evals: Evaluations to open.
        load_settings: Reads the person's settings; called after the first paint, since validating them loads pydantic.
        theme: Name of the theme; None follows the terminal.

    Returns:
        The exit code of the command.
    """
    ref = run_ref if cookbook_dir is None else str(cookbook_dir)
    ports = wire(runs_root, load_settings, cookbook_dir)
    app = TcaoApp(ports, run_ref=ref, interview=interview, evals=evals, theme=theme)
    return app.run() or app.return_code or 0
