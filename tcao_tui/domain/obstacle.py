"""What stands in the way of an eval before it starts, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that a task lacks.

    Attributes:
        task: Name of the task.
        what: What is missing or misleading, for people.
        fix: The command or setting that mends it.
        blocks: Whether the task cannot give a score as things are.
    """

    task: str
    what: str
    fix: str
    blocks: bool = True
