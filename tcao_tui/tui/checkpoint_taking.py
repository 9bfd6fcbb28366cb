"""Acts of the browser that take weights elsewhere: download, export, push; each says what it does before it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tcao_tui.tui.checkpoint_commands import take_away_question
from tcao_tui.tui.screens.choose import ChooseScreen
from tcao_tui.tui.screens.confirm import ConfirmScreen
from tcao_tui.tui.screens.push import PushScreen

if TYPE_CHECKING:
    from tcao_tui.domain.checkpoint_listing import ListedCheckpoint
    from tcao_tui.domain.hub_push import HubPush
    from tcao_tui.tui.ports import PushOffer, TakeAway, TakenForm
    from tcao_tui.tui.screens.checkpoints import CheckpointsScreen

_FORMS = (
    ("peft", "a PEFT adapter, small, for vLLM, SGLang and Transformers"),
    ("merged", "a whole model, for all servers"),
)


def take_away(screen: CheckpointsScreen, state: ListedCheckpoint, form: TakenForm) -> None:
    """Bring weights to this machine, once the person agrees."""

    def ask(wanted: TakeAway) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                screen.take_time(lambda source, tell: source.take_away(wanted, tell))

        screen.app.push_screen(ConfirmScreen(take_away_question(wanted, screen.backend)), answered)

    screen.find_out(lambda source: source.plan_take_away(state, form), ask)


def export(screen: CheckpointsScreen, state: ListedCheckpoint) -> None:
    """Make files that are served elsewhere."""
    _choose_form(screen, "Export as", lambda form: take_away(screen, state, form))


def push(screen: CheckpointsScreen, state: ListedCheckpoint) -> None:
    """Publish them on the Hugging Face Hub, once repository and readers are chosen."""

    def ask(offer: PushOffer) -> None:
        def answered(push: HubPush | None) -> None:
            if push is not None:
                screen.take_time(lambda source, tell: source.push(offer, push, tell))

        screen.app.push_screen(PushScreen(offer, screen.backend), answered)

    def plan(form: TakenForm) -> None:
        screen.find_out(lambda source: source.plan_push(state, form), ask)

    _choose_form(screen, "Push to the Hugging Face Hub as", plan)


def _choose_form(screen: CheckpointsScreen, title: str, then: Callable[[TakenForm], None]) -> None:
    def answered(form: str | None) -> None:
        if form is not None:
            then("merged" if form == "merged" else "peft")

    screen.app.push_screen(ChooseScreen(title, _FORMS), answered)
