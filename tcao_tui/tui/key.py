"""One key as a value, and where keys work."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Where a key works; the value is the heading of the help screen."""

    RUNS = "Run list"
    RUN = "Run"
    INSIDE = "Inside a run"
    CHART = "Charts"
    PANELS = "Samples, events, log"
    ROLLOUTS = "Answers of RL"
    COMPARE = "Runs compared"
    SWEEPS = "Sweeps"
    CHECKPOINTS = "Checkpoints"
    EVALS = "Evaluations"
    EVAL_SAMPLES = "Samples of an evaluation"
    TRANSCRIPT = "Transcripts"
    CHAT = "Chat"
    CHAT_ANSWERS = "Answers side by side"
    CHATS = "Conversations"
    PLANNER = "Interview"
    PLAN = "Plan card"
    APP = "Everywhere"


@dataclass(frozen=True, slots=True)
class Key:
    """One thing a person can do.

    Attributes:
        id: Name in a user's keymap, `scope.verb`.
        keys: Textual's names of the keys, comma separated.
        shown: The key as people write it.
        label: A word for the footer; empty keeps it out of the footer.
        help: A sentence for the help screen and the palette.
        action: Textual action, looked up from the focused pane upwards.
    """

    id: str
    keys: str
    shown: str
    label: str
    help: str
    action: str
    scope: Scope

    def key(self, *, is_typing: bool = False) -> str:
        """The key to press; another one where letters are text."""
        return self.keys.split(",")[-1 if is_typing else 0]

    def shown_as(self, *, is_typing: bool = False) -> str:
        """The same as people write it."""
        return _SHOWN_TYPING.get(self.id, self.shown) if is_typing else self.shown


_SHOWN_TYPING = {"app.help": "F1", "app.quit": "^q"}
