"""What can be done with checkpoints from the browser: words for it, what is typed, and the same in a shell. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tcao_tui.domain.checkpoint_actions import Action, Consequences, consequences
from tcao_tui.domain.checkpoint_listing import ListedCheckpoint, OwnCheckpoint
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import duration_seconds

if TYPE_CHECKING:
    from tcao_tui.domain.hub_push import HubPush
    from tcao_tui.tui.ports import PushOffer, TakeAway

NEVER = "never"

_TITLES: Mapping[Action, str] = {
    "keep": "Keep",
    "ttl": "Let expire",
    "pin": "Pin",
    "unpin": "Unpin",
    "label": "Label",
    "publish": "Publish",
    "unpublish": "Take back from the public",
    "delete": "Delete",
}
_WITH_TEXT: frozenset[Action] = frozenset({"ttl", "label", "publish", "delete"})
_PLACEHOLDERS: Mapping[Action, str] = {
    "ttl": "7d, 12h, 2w ... from now on; or never",
    "label": "a name of your own; empty takes it away",
}
_MOST_PATHS = 3
_WORKER_STARTS = "A worker starts, trains what the plan still has to train, and spends what the approved plan allows."


@dataclass(frozen=True, slots=True)
class Asked:
    """An action as a person asks for it.

    Attributes:
        action: What was chosen; a time to live of `never` makes it `keep`.
        text: What was typed: the time to live, the label, or the word of consent.
        backend: Name of the server's profile.
    """

    action: Action
    checkpoints: tuple[ListedCheckpoint, ...]
    text: str = ""
    backend: str = ""

    @property
    def takes_text(self) -> bool:
        """Whether something has to be typed."""
        return self.action in _WITH_TEXT

    @property
    def placeholder(self) -> str:
        """What an empty field says."""
        return _PLACEHOLDERS.get(self.action, "")

    @property
    def meant(self) -> Action:
        """The action that it comes to."""
        return "keep" if self.action == "ttl" and self.text.casefold() == NEVER else self.action

    @property
    def ttl_seconds(self) -> int | None:
        """The time to live, where one is set and understood."""
        return duration_seconds(self.text) if self.meant == "ttl" else None

    def with_text(self, text: str) -> Asked:
        """With something else typed."""
        return replace(self, text=text)

    def consequences(self, now: float) -> Consequences:
        """What it would do, at Unix time `now`."""
        if self.meant == "ttl" and self.ttl_seconds is None:
            return Consequences((), refusal="say how long, such as 7d, 12h or 2w; never keeps it for good")
        return consequences(self.meant, self.checkpoints, now=now, ttl_seconds=self.ttl_seconds)


_DOING: Mapping[Action, str] = {
    "keep": "keeping",
    "ttl": "setting the TTL",
    "pin": "pinning",
    "unpin": "unpinning",
    "label": "labelling",
    "publish": "publishing",
    "unpublish": "unpublishing",
    "delete": "deleting",
}
_DONE: Mapping[Action, str] = {
    "keep": "kept for good",
    "ttl": "will expire",
    "pin": "pinned",
    "unpin": "unpinned",
    "label": "labelled",
    "publish": "published",
    "unpublish": "no longer public",
    "delete": "deleted",
}


def doing_text(asked: Asked, count: int) -> str:
    """`deleting 3 of 12 ...`."""
    total = len(asked.checkpoints)
    return f"{_DOING[asked.meant]} {f'{count} of {total} ' if total > 1 else ''}..."


def done_text(asked: Asked, count: int) -> str:
    """`3 checkpoints deleted.`."""
    return f"{count} checkpoint{'' if count == 1 else 's'} {_DONE[asked.meant]}."


def title_of(asked: Asked) -> str:
    """`Delete 3 checkpoints`."""
    count = len(asked.checkpoints)
    return f"{_TITLES[asked.action]} {'a checkpoint' if count == 1 else f'{count} checkpoints'}"


def paths_text(checkpoints: tuple[ListedCheckpoint, ...]) -> str:
    """Paths for a command line; of many the first ones and dots."""
    shown = " ".join(shlex.quote(one_line(c.path)) for c in checkpoints[:_MOST_PATHS])
    return shown + (" ..." if len(checkpoints) > _MOST_PATHS else "")


def headless(asked: Asked) -> str:
    """The same in a shell."""
    paths = paths_text(asked.checkpoints)
    said = asked.consequences(0)
    options = f"--backend {shlex.quote(asked.backend)}" if asked.backend else ""
    match asked.meant:
        case "ttl":
            given = f"{asked.text or '7d'}{' --yes' if said.warns else ''}"
        case "label":
            given = shlex.quote(one_line(asked.text))
        case "publish" | "delete":
            given = f"--confirm {shlex.quote(said.confirm)}" if said.confirm else ""
        case _:
            given = ""
    return " ".join(part for part in ("tcao ckpt", asked.meant, paths, given, options) if part)


def take_away_question(wanted: TakeAway, backend: str) -> str:
    """What bringing weights to this machine does, where they will be, and the same in a shell."""
    command = "tcao download" if wanted.form == "weights" else f"tcao export --as {wanted.form}"
    what = {
        "weights": "Download the weights as the server has them",
        "peft": "Export as a PEFT adapter and prove that it answers as the backend does",
        "merged": "Merge into a whole model and prove that it answers as the backend does",
    }[wanted.form]
    return (
        f"{what}, into {wanted.folder}? {wanted.consequence} Leaving this screen gives it up; what was received is "
        f"kept for the next try.\n\nIn a shell: {command} {_shell_path(wanted.path)} --backend {backend}"
    )


def push_command(offer: PushOffer, push: HubPush, backend: str) -> str:
    """The same push in a shell."""
    form = f" --as {offer.export.form}" if offer.export.form != "peft" else ""
    repository = shlex.quote(one_line(push.repository) or "USER/NAME")
    readers = "" if push.private else f" --public --confirm {repository}"
    return f"tcao push {_shell_path(offer.export.path)} --repo {repository}{form}{readers} --backend {backend}"


def resume_question(own: OwnCheckpoint) -> str:
    """What going on from the newest checkpoint means, and the same in a shell."""
    told = f"{one_line(own.run_name)} goes on from step {own.step}, its newest checkpoint."
    return f"{told} {_WORKER_STARTS}\n\nIn a shell: tcao resume {own.run_id}"


def go_back_question(own: OwnCheckpoint, path: str, consequence: str) -> str:
    """What going on from an earlier checkpoint means, and the same in a shell."""
    return f"{consequence} {_WORKER_STARTS}\n\nIn a shell: tcao resume {own.run_id} --from {_shell_path(path)}"


def fork_question(path: str, backend: str) -> str:
    """What starting anew from a checkpoint means, and the same in a shell."""
    return (
        f"Plan a new run that starts from {one_line(path)}, with the settings of its run where it is one of yours? The "
        "checkpoint stays as it is; nothing is trained or spent before you approve the plan.\n\n"
        f"In a shell: tcao plan --from {_shell_path(path)} --backend {backend}"
    )


def _shell_path(path: str) -> str:
    return shlex.quote(one_line(path))
