"""A push to the Hugging Face Hub before it is done: who will read it, what goes with it, what must be typed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tcao_tui.domain.plain_text import one_line

_FOR_YOU = "you and those you let in"
_FOR_ALL = "everybody in the world, at once and for as long as copies exist"


@dataclass(frozen=True, slots=True)
class HubPush:
    """What would go to which repository.

    Attributes:
        what: What goes there, the subject of a sentence in the plural.
        repository: USER/NAME, as a person gave it.
        private: Who may read it.
        proved: The parity proof holds, or is made before anything goes.
        typed: What the person typed as consent.
    """

    what: str
    repository: str = ""
    private: bool = True
    proved: bool = True
    typed: str = ""

    @property
    def problem(self) -> str:
        """Why this is no repository; empty when it is one."""
        parts = self.repository.split("/")
        if len(parts) == 2 and all(parts):
            return ""
        return f"{one_line(self.repository, 100)} is no repository" if self.repository else "name a repository"

    @property
    def confirm(self) -> str:
        """What a person must type; empty when nothing."""
        return "" if self.private else self.repository

    @property
    def consequences(self) -> tuple[str, ...]:
        """What it does, each a sentence for people."""
        place = one_line(self.repository, 100) or "a repository"
        unproved = () if self.proved else ("Nothing proves that these weights answer as the backend does.",)
        return (
            f"{self.what} go to {place} on the Hugging Face Hub.",
            f"They can be read by {_FOR_YOU if self.private else _FOR_ALL}.",
            "The model card names the goal, the names of data files and the scores of the run; read README.md first.",
            "The card states no licence yet: that of the base model goes with them, and the data may have conditions.",
            *unproved,
        )
