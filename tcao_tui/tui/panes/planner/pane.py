"""The planner's pane: holds the interview, gives it the person's words, and draws what comes of it.

What a person decides about the plan (edit, approve, copy, fork) is in `acts`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from textual import events, on
from textual.message import Message
from textual.timer import Timer
from textual.worker import Worker, WorkerState

from tcao_tui.errors import TcaoError, UsageError
from tcao_tui.planner.port import Countdown, Streamed, ToolProgress
from tcao_tui.tui.interview_port import InterviewSession
from tcao_tui.tui.keys import Scope
from tcao_tui.tui.messages import BackToRuns, NotDone
from tcao_tui.tui.panes.planner.acts import AT_WORK, Acts
from tcao_tui.tui.panes.planner.card_view import CardView
from tcao_tui.tui.panes.planner.commands import completions
from tcao_tui.tui.panes.planner.layout import PlannerLayout
from tcao_tui.tui.panes.planner.plan_card import PlanCard
from tcao_tui.tui.panes.planner.status_line import standing_of
from tcao_tui.tui.panes.planner.talk import Talk
from tcao_tui.tui.panes.planner.turns import Turns, is_planners_turn, progress_text
from tcao_tui.tui.widgets.offers import Offers

TURN = "turn"
_ENDS = (WorkerState.SUCCESS, WorkerState.ERROR, WorkerState.CANCELLED)


class PlannerPane(PlannerLayout):
    """Conversation and plan of one interview.

    Args:
        clock: Seconds that only grow.
        edit_text: Lets the person edit a text in an editor of their own; None when they gave up.
    """

    scopes = (Scope.PLANNER, Scope.PLAN)

    class TurnChanged(Message):
        """Whose turn it is, or what one can do in it, changed."""

    def __init__(self, clock: Callable[[], float], edit_text: Callable[[str], str | None]) -> None:
        super().__init__(clock)
        self._turns = Turns(clock)
        self._session: InterviewSession | None = None
        self._is_dirty = False
        self._is_leaving = False
        self._tick: Timer | None = None
        self._acts = Acts(self)
        self.edit_text = edit_text

    @property
    def session(self) -> InterviewSession | None:
        """The interview; None while it is opened."""
        return self._session

    @property
    def is_busy(self) -> bool:
        """Whether the planner works."""
        return self._turns.is_busy

    @property
    def senseless_keys(self) -> frozenset[str]:
        """Ids of the keys that do nothing now."""
        return frozenset({"planner.back"} if self.is_busy else {"planner.stop"}) | (
            frozenset() if self._standing else {"planner.approve"}
        )

    @property
    def _standing(self) -> str:
        return "" if self._session is None else standing_of(self._session.state, self._session.sheet)

    def take(self, session: InterviewSession, opening: str = "") -> None:
        """Show an interview and let it go on.

        Args:
            session: The interview.
            opening: The person's first words.
        """
        self._session = session
        session.listen(self._changed, self._streamed)
        self._changed()
        words = "\n".join(part for part in (opening, self._turns.take_queue()) if part)
        if words:
            self.work(session.say(words))
        elif is_planners_turn(session.state):
            self.work(session.go_on())

    def on_unmount(self) -> None:
        """Let the store go."""
        if self._session is not None:
            self._session.close()

    def work(self, turn: Coroutine[Any, Any, None], doing: str = "the planner is at work") -> None:
        """Let the planner, or what follows an approval, work.

        Args:
            turn: Ends when it is the person's turn again.
            doing: What to say of it until something is heard.
        """
        self._turns.begin(doing)
        self._tick = self.set_interval(1.0, self._tell)
        self.run_worker(turn, group=TURN, exit_on_error=False)
        self._tell()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A turn is over."""
        if event.worker.group != TURN or event.state not in _ENDS:
            return
        event.stop()
        self._turns.end()
        if self._tick is not None:
            self._tick.stop()
        self._changed()
        self.call_next(self._after_turn, event.worker.error)

    async def _after_turn(self, error: BaseException | None) -> None:
        await self.talk.transcript.drop_reply()
        if error is not None:
            _tell_error(self, error)
        session, waiting = self._session, self._turns.take_queue()
        if session is None or not waiting:
            return
        if session.state.open_card is not None or error is not None:
            self.talk.give_back(waiting)  # written before the question was there, so it is no answer to it yet
        else:
            self.work(session.say(waiting))

    def _changed(self) -> None:
        if not self._is_dirty:
            self._is_dirty = True
            self.call_next(self._catch_up)

    def _streamed(self, piece: Streamed) -> None:
        self._turns.hear(piece)
        match piece:
            case ToolProgress():
                self.talk.transcript.progress(piece.call_id, progress_text(piece.text, piece.share))
            case Countdown():
                self.call_next(self.talk.transcript.drop_reply)  # the model starts its turn over
            case _:
                pass
        self._changed()

    async def _catch_up(self) -> None:
        self._is_dirty = False
        if self._session is None:
            return
        if text := self._turns.take_text():
            await self.talk.transcript.write(text)
        state = self._session.state
        self._turns.run_tools([tool.tool for tool in state.running_tools])
        with self.app.batch_update():
            await self.draw(state, self._session.sheet)
            self._tell()

    def _tell(self) -> None:
        self.talk.tell(self._turns.status(self.talk.card.form, standing=self._standing))
        self.post_message(self.TurnChanged())

    def complete(self, line: str, cursor: int) -> Offers:
        """Commands, key paths and files; called in a thread."""
        form = self.talk.card.form
        wants_file = form is not None and form.question.kind == "file"
        directory = "." if self._session is None else self._session.state.directory
        return completions(line, cursor, directory=Path(directory), wants_file=wants_file)

    @on(Talk.Spoke)
    def _spoke(self, event: Talk.Spoke) -> None:
        if self._session is None or self.is_busy:
            self._turns.wait_with(event.text)
            self._tell()
        else:
            self.work(self._session.say(event.text))

    @on(CardView.Answered)
    def _answered(self, event: CardView.Answered) -> None:
        if self._session is None or self.is_busy:
            self.talk.warn(AT_WORK)
        else:
            answer = self._session.answer
            self.work(answer(event.card_id, event.answers, defaults_for_rest=event.defaults_for_rest))

    @on(CardView.Changed)
    def _form_changed(self) -> None:
        self._tell()

    @on(Talk.SentNothing)
    def _sent_nothing(self) -> None:
        if self._standing:
            self._acts.approve()

    @on(Talk.Commanded)
    def _commanded(self, event: Talk.Commanded) -> None:
        self._acts.carry_out(event.command, event.argument)

    @on(PlanCard.EditWanted)
    def _edit_wanted(self, event: PlanCard.EditWanted) -> None:
        self._acts.edit(event.path)

    @on(PlanCard.Left)
    def _plan_left(self) -> None:
        self.show_talk()

    def on_key(self, event: events.Key) -> None:
        """Only a second Esc in a row leaves."""
        if event.key != "escape":
            self._is_leaving = False

    def action_stop(self) -> None:
        """Interrupt the planner; when it is idle, leave at the second press."""
        if self.is_busy and self._session is not None:
            self._is_leaving = False
            self.talk.give_back(self._turns.take_queue())
            self._session.interrupt()
        elif self.screen.focused is not self.talk.composer:
            self.show_talk()
        elif self._is_leaving:
            self.app.post_message(BackToRuns())
        else:
            self._is_leaving = True
            self.talk.warn("esc again goes back to the run list; the interview is kept")

    def action_approve(self) -> None:
        """Look at the plan and approve it."""
        self._acts.approve()


def _tell_error(pane: PlannerPane, error: BaseException) -> None:
    """What ended a turn too early, as a toast; an answer that does not fit is asked again."""
    match error:
        case UsageError():
            pane.talk.card.ask_again(error.where)
            pane.talk.warn(error.what)
        case TcaoError():
            pane.app.post_message(NotDone(str(error), error.next_step, error.title))
        case Exception():
            pane.app.post_message(NotDone(f"{type(error).__name__}: {error}", "tcao doctor"))
        case _:
            pass
