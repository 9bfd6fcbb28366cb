"""Starting an evaluation: what of whom, what that costs, and the word that lets it start."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static
from textual.worker import Worker, WorkerState

from tcao_tui.tui.evals_port import EvalChoice, EvalOffer, EvalProposal
from tcao_tui.tui.intents import not_done
from tcao_tui.tui.screens.confirm import GRACE_SECONDS
from tcao_tui.tui.widgets.line_view import Line, LineView
from tcao_tui.tui.widgets.sentences import hanging_lines
from tcao_tui.tui.widgets.text_block import fit, wrapped

SPENDING_WORD = "approve"
FREE_WORD = "y"

_CHOOSING = "↑↓ move   space take or leave   ⏎ what it costs   esc leave it"
_CONSENT = "esc back to the choice"


class StartEvalScreen(ModalScreen[EvalProposal | None]):
    """Answers with a proposal that a person consented to, or None.

    Args:
        offer: What can be evaluated.
        propose: Judges a choice and estimates its cost; called in a thread.
        checkpoints: `tinker://` paths to begin with, instead of what the offer proposes.
        clock: Seconds that only grow, for the grace period.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("space", "turn", show=False),
        Binding("enter", "propose", show=False),
    ]
    DEFAULT_CSS = """
    StartEvalScreen {
        align: center middle;
        & #box { width: 96; max-width: 96%; height: auto; max-height: 96%; padding: 1 2; }
        & #box { background: $surface; border: round $line; }
        & Static { height: auto; }
        & #title { text-style: bold; }
        & #choices { height: auto; margin: 1 0; }
        & #facts { height: auto; margin: 1 0; display: none; }
        & Input { height: 1; border: none; padding: 0 1; background: $panel; display: none; }
        & Input:focus { border: none; }
        & #hint { color: $foreground-muted; }
        &.-proposed #choices { display: none; }
        &.-proposed #facts { display: block; }
        &.-proposed.-startable Input { display: block; }
    }
    """

    def __init__(
        self,
        offer: EvalOffer,
        propose: Callable[[EvalChoice], EvalProposal],
        checkpoints: Sequence[str] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._offer, self._propose, self._clock = offer, propose, clock
        base = [name for name, _about in offer.subjects[:1]]
        asked = [name for name, path in offer.subjects if path in checkpoints]
        wanted = [*base, *asked] if asked else offer.chosen.subjects
        self._taken = {("task", name) for name in offer.chosen.tasks} | {("subject", name) for name in wanted}
        self._rows = [("task", name) for name, _ in offer.tasks] + [("subject", name) for name, _ in offer.subjects]
        self._proposal: EvalProposal | None = None
        self._shown_at = 0.0

    def compose(self) -> ComposeResult:
        """Choices, then facts and the word."""
        with Vertical(id="box"):
            yield Static("Evaluate", id="title", markup=False)
            yield LineView(pick=True, id="choices")
            yield LineView(id="facts")
            yield Input()
            yield Static(_CHOOSING, id="hint", markup=False)

    def on_mount(self) -> None:
        """Keys go to the screen until a word is typed."""
        self.query_one("#choices", LineView).can_focus = False
        self.query_one(Input).can_focus = False

    def on_resize(self, event: events.Resize) -> None:
        """Fit the width and the height."""
        for place in ("#choices", "#facts"):
            self.query_one(place).styles.max_height = max(event.size.height - 10, 4)
        self.call_after_refresh(self._draw)

    @property
    def choice(self) -> EvalChoice:
        """What is taken now."""
        tasks = tuple(name for name, _ in self._offer.tasks if ("task", name) in self._taken)
        subjects = tuple(name for name, _ in self._offer.subjects if ("subject", name) in self._taken)
        return EvalChoice(tasks, subjects, self._offer.chosen.limit)

    def _draw(self) -> None:
        view = self.query_one("#choices", LineView)
        width = (view.size.width or 80) - 1
        about = {("task", name): text for name, text in self._offer.tasks}
        about |= {("subject", name): text for name, text in self._offer.subjects}
        longest = min(max((len(name) for _kind, name in self._rows), default=0), width // 2)

        def line(row: tuple[str, str]) -> Line:
            is_taken = row in self._taken
            what = "eval" if row[0] == "task" else "weights"
            return (
                (" [x] " if is_taken else " [ ] ", "accent" if is_taken else "muted"),
                (f"{what:<8}", "muted"),
                (f"{fit(row[1], longest)}  ", "strong" if is_taken else "text"),
                (fit(about[row], max(width - longest - 15, 0)).rstrip(), "muted"),
            )

        view.show([line(row) for row in self._rows])

    def action_move(self, by: int) -> None:
        """Move the cursor, or scroll the facts."""
        if self._proposal is None:
            view = self.query_one("#choices", LineView)
            view.move_to(view.cursor + by)
        else:
            self.query_one("#facts", LineView).scroll_lines(by)

    def action_turn(self) -> None:
        """Take what is under the cursor, or leave it."""
        if self._proposal is None and self._rows:
            self._taken ^= {self._rows[self.query_one("#choices", LineView).cursor]}
            self._draw()

    def action_propose(self) -> None:
        """Find out what it costs."""
        choice = self.choice
        if self._proposal is not None:
            return
        if not choice.tasks or not choice.subjects:
            self.notify("Take at least one eval and one of the weights.", severity="warning", markup=False)
            return
        self._hint("Measuring what it costs ...")
        self.run_worker(
            lambda: self._propose(choice), group="propose", thread=True, exclusive=True, exit_on_error=False
        )

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Show the proposal, or why there is none."""
        worker: Worker[EvalProposal] = event.worker
        event.stop()
        if event.state is WorkerState.SUCCESS and worker.result is not None:
            self._show(worker.result)
        elif event.state is WorkerState.ERROR:
            self._hint(_CHOOSING)
            self.app.post_message(not_done(worker.error))

    def _show(self, proposal: EvalProposal) -> None:
        self._proposal, self._shown_at = proposal, self._clock()
        view, field = self.query_one("#facts", LineView), self.query_one(Input)
        view.show(proposal_lines(proposal, (self.query_one("#choices").size.width or 80) - 1))
        self.add_class("-proposed")
        self.set_class(not proposal.problems, "-startable")
        if proposal.problems:
            self._hint(f"It cannot be started as it is.   {_CONSENT}")
            return
        field.value, field.can_focus = "", True
        field.placeholder = f"type {self._word} and press Enter to start; Enter alone is No"
        field.focus()
        costs = "It runs on without this console." if proposal.is_free else "This spends money on your account."
        self._hint(f"{costs}   {_CONSENT}")

    @property
    def _word(self) -> str:
        return FREE_WORD if self._proposal is not None and self._proposal.is_free else SPENDING_WORD

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip().lower() == self._word and self._clock() - self._shown_at >= GRACE_SECONDS:
            self.dismiss(self._proposal)
        elif not event.value.strip():
            self.action_back()
        else:
            event.input.value = ""

    def _hint(self, text: str) -> None:
        self.query_one("#hint", Static).update(text)

    def action_back(self) -> None:
        """From the facts to the choice, from there away."""
        if self._proposal is None:
            self.dismiss(None)
            return
        self._proposal = None
        self.query_one(Input).can_focus = False
        self.set_focus(None)
        self.remove_class("-proposed", "-startable")
        self._hint(_CHOOSING)


def proposal_lines(proposal: EvalProposal, width: int) -> list[Line]:
    """Labelled lines, what is wrong, and the same in a shell."""
    lines: list[Line] = []
    for label, text in proposal.facts:
        ink = "strong" if label == "cost" else "text"
        lines += hanging_lines((f"{label:>11}  ", "muted"), text, ink, width - 1, most=4)
    for problem in proposal.problems:
        lines += [(), *hanging_lines(("✗ ", "bad"), problem, "bad", width)]
    if proposal.command:
        lines += [(), *(((line, "muted"),) for line in wrapped(f"In a shell: {proposal.command}", width))]
    return lines
