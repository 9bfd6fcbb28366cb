"""What a person does with checkpoints: a method for each act of `keys`; each says what it would do before it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from textual.message import Message

from tcao_tui.domain.checkpoint_actions import Action
from tcao_tui.domain.checkpoint_listing import CheckpointKind, ListedCheckpoint, OwnCheckpoint
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.pruning import Pruning
from tcao_tui.tui import checkpoint_taking
from tcao_tui.tui.chat_port import ChatWanted
from tcao_tui.tui.checkpoint_commands import Asked, fork_question, go_back_question, resume_question
from tcao_tui.tui.evals_port import EvalsWanted
from tcao_tui.tui.interview_port import InterviewWanted
from tcao_tui.tui.messages import GoBackTo, OpenChat, OpenEvals, OpenInterview, ResumeRun
from tcao_tui.tui.screens.act_on_checkpoints import ActScreen
from tcao_tui.tui.screens.confirm import ConfirmScreen
from tcao_tui.tui.screens.prune import PruneScreen

if TYPE_CHECKING:
    from tcao_tui.tui.screens.checkpoints import CheckpointsScreen

MOST_CONTENDERS = 4
"""As many as a chat holds."""

OFFERS: Mapping[str, str] = {
    "publish": "publish",
    "ttl": "ttl",
    "delete": "delete",
    "prune": "delete",
    "download": "download",
    "export": "download",
    "push": "download",
}
"""What a server must offer for an act; what is not named needs nothing of it."""


class CheckpointActs:
    """The acts on the checkpoints of one screen.

    Args:
        screen: Shows the questions.
        do: Has an action done.
        prune: Has a prune done.
    """

    def __init__(
        self, screen: CheckpointsScreen, do: Callable[[Asked], None], prune: Callable[[Pruning], None]
    ) -> None:
        self._screen, self._do, self._prune = screen, do, prune

    def carry_out(self, act: str, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """An act by its name, unless the server does not offer it."""
        if why_not := self._screen.why_not(act):
            self._say(f"{why_not[:1].upper()}{why_not[1:]}.")
        else:
            getattr(self, act)(checkpoints)

    def _say(self, text: str) -> None:
        self._screen.notify(text, markup=False)

    def _ask(self, action: Action, checkpoints: tuple[ListedCheckpoint, ...], text: str = "") -> None:
        def answered(asked: Asked | None) -> None:
            if asked is not None:
                self._do(asked)

        self._screen.app.push_screen(
            ActScreen(Asked(action, checkpoints, text, self._screen.backend), self._screen.now()), answered
        )

    def ttl(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Let expire, or keep."""
        self._ask("ttl", checkpoints)

    def pin(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Pin them, or unpin them when all are pinned."""
        self._ask("unpin" if all(c.note.pinned for c in checkpoints) else "pin", checkpoints)

    def label(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Name them."""
        self._ask("label", checkpoints, checkpoints[0].note.label)

    def publish(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Publish them, or take that back when all are public."""
        self._ask("unpublish" if all(c.server.public for c in checkpoints) else "publish", checkpoints)

    def delete(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Delete them."""
        self._ask("delete", checkpoints)

    def prune(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Delete those that no policy keeps."""

        def answered(pruning: Pruning | None) -> None:
            if pruning is not None:
                self._prune(pruning)

        self._screen.app.push_screen(PruneScreen(checkpoints, self._screen.backend), answered)

    def _one(self, checkpoints: Sequence[ListedCheckpoint], doing: str) -> ListedCheckpoint | None:
        if len(checkpoints) == 1:
            return checkpoints[0]
        self._say(f"Choose one checkpoint to {doing}; {len(checkpoints)} are chosen.")
        return None

    def _training_state(self, checkpoints: Sequence[ListedCheckpoint], doing: str) -> ListedCheckpoint | None:
        """The one to train on from: itself, or what was saved beside the weights to sample from."""
        chosen = self._one(checkpoints, doing)
        if chosen is None or chosen.server.kind == "training":
            return chosen
        saved = self._saved_with(chosen, "training")
        if saved is not chosen:
            return saved
        self._say("These weights have no training state: one can sample from them, not train on.")
        return None

    def _saved_with(self, checkpoint: ListedCheckpoint, kind: CheckpointKind) -> ListedCheckpoint:
        """The same weights in another form, where the server has that; else the checkpoint itself."""

        def named(c: ListedCheckpoint) -> tuple[str, str]:
            return c.server.training_run, c.server.name

        same = (c for c in self._screen.listed if c.server.kind == kind and named(c) == named(checkpoint))
        return next(same, checkpoint)

    def fork(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Plan a new run that starts from it."""
        chosen = self._training_state(checkpoints, "start from")
        if chosen is not None:
            wanted = InterviewWanted(backend=self._screen.backend or None, start_from=chosen)
            self._confirm(fork_question(chosen.path, self._screen.backend), OpenInterview(wanted))

    def _confirm(self, question: str, then: Message) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._screen.app.post_message(then)

        self._screen.app.push_screen(ConfirmScreen(question), answered)

    def resume(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Let its run go on from here: from its newest checkpoint at once, or back at an earlier one."""
        chosen = self._training_state(checkpoints, "resume from")
        if chosen is None:
            return
        own = chosen.own
        if own is None:
            self._say("No run here saved this checkpoint; press n to start a new run from it.")
        elif own.is_worked_on:
            self._say(f"{one_line(own.run_name)} is {own.status.value} already.")
        elif chosen.is_resume_point:
            self._confirm(resume_question(own), ResumeRun(own.run_id))
        elif own.status.is_live:
            newest = one_line(own.resume_points[0]) if own.resume_points else "nothing"
            self._say(
                f"{one_line(own.run_name)} is {own.status.value}, and its worker would go on from {newest}: "
                "stop the run first, then press r here again."
            )
        elif not own.status.is_resumable:
            self._say(f"{one_line(own.run_name)} is {own.status.value}; press n to start a new run from here.")
        else:
            self._go_back(chosen, own)

    def _go_back(self, chosen: ListedCheckpoint, own: OwnCheckpoint) -> None:
        def ask(consequence: str) -> None:
            self._confirm(go_back_question(own, chosen.path, consequence), GoBackTo(own.run_id, chosen.path))

        self._screen.find_out(lambda source: source.plan_go_back(chosen), ask)

    def evaluate(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Score them beside their base model."""
        run_ids = {c.own.run_id if c.own is not None else "" for c in checkpoints}
        if len(run_ids) != 1 or "" in run_ids:
            self._say("Choose checkpoints of one run of this console; others: tcao eval PATH --base MODEL in a shell.")
            return
        paths = tuple(dict.fromkeys(self._saved_with(c, "sampler").path for c in checkpoints))
        self._screen.app.post_message(OpenEvals(EvalsWanted(run_ids.pop(), checkpoints=paths)))

    def chat(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Talk to them, side by side when there are several."""
        paths = tuple(dict.fromkeys(self._saved_with(c, "sampler").path for c in checkpoints))
        if len(paths) > MOST_CONTENDERS:
            self._say(f"At most {MOST_CONTENDERS} answer side by side; {len(paths)} are chosen. Mark some with space.")
        else:
            self._screen.app.post_message(OpenChat(ChatWanted(paths, backend=self._screen.backend or None)))

    def download(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Fetch the weights."""
        if (chosen := self._one(checkpoints, "download")) is not None:
            checkpoint_taking.take_away(self._screen, self._saved_with(chosen, "training"), "weights")

    def export(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Make files that are served elsewhere."""
        if (chosen := self._one(checkpoints, "export")) is not None:
            checkpoint_taking.export(self._screen, self._saved_with(chosen, "training"))

    def push(self, checkpoints: tuple[ListedCheckpoint, ...]) -> None:
        """Put the weights on the Hub."""
        if (chosen := self._one(checkpoints, "push")) is not None:
            checkpoint_taking.push(self._screen, self._saved_with(chosen, "training"))
