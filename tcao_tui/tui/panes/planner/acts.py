"""What only the person does: edit a value, approve, copy, fork, choose the planner. One method per slash command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcao_tui.domain.interview import PlannerName
from tcao_tui.errors import PlanInvalid, UsageError
from tcao_tui.planner import plan_keys
from tcao_tui.tui.interview_port import InterviewSession, InterviewWanted
from tcao_tui.tui.keys import Scope
from tcao_tui.tui.messages import BackToRuns, Done, NotDone, OpenInterview, OpenRun, SaveText
from tcao_tui.tui.panes.planner.commands import Command, command_lines
from tcao_tui.tui.panes.planner.copying import last_reply, plan_text, whole_talk
from tcao_tui.tui.plan_changes import Edits, draft_text, edits_in, sheet_after, typed_value

if TYPE_CHECKING:
    from tcao_tui.domain.sheet import PlanSheet
    from tcao_tui.tui.panes.planner.pane import PlannerPane
    from tcao_tui.tui.screens.approve_plan import Consent

AT_WORK = "the planner is at work; esc stops it"
OSC_52_CHARACTERS = 50_000
"""Longer texts are cut by terminals, in base64 near 75 kB, so they go to a file."""


class Acts:
    """The person's acts on one interview.

    Args:
        pane: Where they are asked for.
    """

    def __init__(self, pane: PlannerPane) -> None:
        self._pane = pane

    def carry_out(self, command: Command, argument: str) -> None:
        """A slash command."""
        getattr(self, command.name)(argument)

    @property
    def _idle_session(self) -> InterviewSession | None:
        """The interview, when it is the person's turn; says so when it is not."""
        session = self._pane.session
        if session is None or self._pane.is_busy:
            self._pane.talk.warn(AT_WORK)
            return None
        return session

    def defaults(self, _argument: str = "") -> None:
        """Leave the rest to the defaults."""
        if self._pane.talk.card.leave_rest_to_defaults():
            return
        if (session := self._idle_session) is not None:
            self._pane.work(session.say("use defaults for the rest"))

    def say(self, argument: str) -> None:
        """Words that answer no question."""
        if argument and (session := self._idle_session) is not None:
            self._pane.work(session.say(argument))

    def plan(self, _argument: str = "") -> None:
        """The plan card."""
        self._pane.action_plan()

    def help(self, _argument: str = "") -> None:
        """All commands."""
        from tcao_tui.tui.screens.help import HelpScreen

        self._pane.app.push_screen(HelpScreen((Scope.PLANNER, Scope.PLAN), command_lines()))

    def quit(self, _argument: str = "") -> None:
        """Back to the run list."""
        self._pane.app.post_message(BackToRuns())

    def rules(self, _argument: str = "") -> None:
        """The rules planner goes on."""
        self._switch("rules")

    def llm(self, _argument: str = "") -> None:
        """The LLM planner goes on."""
        self._switch("llm")

    def _switch(self, planner: PlannerName) -> None:
        if (session := self._idle_session) is None:
            return

        async def switched() -> None:
            session.switch_planner(planner)
            await session.go_on()

        self._pane.work(switched())

    def fork(self, _argument: str = "") -> None:
        """Another interview from here."""
        if (session := self._idle_session) is not None:
            self._pane.app.post_message(OpenInterview(InterviewWanted(interview_id=session.fork())))

    def model(self, argument: str) -> None:
        """Choose the base model."""
        self.edit(f"training.base_model {argument}")

    def edit(self, argument: str = "") -> None:
        """Change a value, or the whole plan, after showing what it changes."""
        session = self._idle_session
        path, _, text = argument.strip().partition(" ")
        if session is None:
            return
        if path:
            self._edit_value(session, path, text.strip())
            return
        written = self._pane.edit_text(draft_text(session.sheet.draft))
        if written is None:
            return
        try:
            edits = edits_in(written, session.sheet.draft)
        except PlanInvalid as error:
            self._pane.app.post_message(NotDone(str(error), error.next_step, error.title))
            return
        if edits:
            self._review(session, "", edits)

    def _edit_value(self, session: InterviewSession, path: str, text: str) -> None:
        try:
            if not plan_keys.is_known(path):
                plan_keys.checked(path, text)  # raises with the nearest name
            edits = {path: typed_value(path, text)} if text else {}
        except UsageError as error:
            self._pane.talk.warn(str(error))
            return
        self._review(session, path, edits)

    def _review(self, session: InterviewSession, path: str, edits: Edits) -> None:
        from tcao_tui.tui.screens.edit_value import EditValueScreen

        def judge(changed: Edits) -> PlanSheet:
            return sheet_after(session.state.draft, session.state.facts, changed)

        def decided(wanted: Edits | None) -> None:
            if wanted:
                self._pane.work(session.set_values(wanted))

        screen = EditValueScreen(session.sheet, session.state.facts, judge, path=path, edits=edits)
        self._pane.app.push_screen(screen, decided)

    def approve(self, _argument: str = "") -> None:
        """Show the validated plan and ask for consent; nothing happens before."""
        if (session := self._idle_session) is None:
            return
        if session.state.run_id:
            self._pane.app.post_message(OpenRun(session.state.run_id))
            return
        sheet = session.sheet
        if session.state.approved is not None and session.state.written is not None:
            self._pane.talk.warn("this plan is approved and written; a change of it needs a new approval")
            return
        if not sheet.is_ready:
            self._pane.talk.warn(_what_is_missing(session))
            return
        from tcao_tui.tui.screens.approve_plan import ApprovePlanScreen

        def decided(consent: Consent | None) -> None:
            if consent is not None:
                self._pane.work(self._approved(session, consent), "writing the plan's files, starting a worker")

        can_run = sheet.plan is not None and sheet.plan.method in session.state.facts.methods
        self._pane.app.push_screen(ApprovePlanScreen(sheet, can_run=can_run, clock=self._pane.clock), decided)

    async def _approved(self, session: InterviewSession, consent: Consent) -> None:
        outcome = await session.approve(consent.approval_hash, max_cost_usd=consent.max_cost_usd)
        if outcome.run_id:
            self._pane.app.post_message(OpenRun(outcome.run_id))
        else:
            self._pane.app.post_message(Done(f"Approved and written to {outcome.directory}"))

    def copy(self, argument: str) -> None:
        """Copy by the terminal, or to a file where that cannot be."""
        session = self._pane.session
        if session is None:
            return
        words = argument.split()
        what = next((word for word in words if not word.startswith("-")), "reply")
        blocks = self._pane.talk.transcript.blocks
        text = {
            "plan": lambda: plan_text(session.sheet),
            "all": lambda: whole_talk(blocks),
        }.get(what, lambda: last_reply(blocks))()
        if not text:
            self._pane.talk.warn("there is nothing to copy yet")
        elif "--file" in words or len(text) > OSC_52_CHARACTERS:
            suffix = "yaml" if what == "plan" else "md"
            self._pane.app.post_message(SaveText(f"{session.state.interview_id}-{what}.{suffix}", text))
        else:
            self._pane.app.copy_to_clipboard(text)
            sent = f"Sent {len(text):,} characters via OSC 52. If nothing arrived: /copy {what} --file"
            self._pane.app.post_message(Done(sent))


def _what_is_missing(session: InterviewSession) -> str:
    blocker = next(iter(session.sheet.blockers), None)
    if blocker is None:
        return "the plan is not complete yet"
    finding = next((f for f in blocker.findings if f.severity == "error"), None)
    says = blocker.why_open if finding is None else f"{finding}; {finding.fix}"
    return f"not yet: {blocker.gate.value}: {says}"
