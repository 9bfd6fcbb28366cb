"""What stands beside the curves of a run: stages, alerts, the pilot, changed settings, rollouts; see `marks_state`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the console paints before pydantic has been imported
    from tcao_tui.domain.training_events import Alert, PilotEnded, RolloutsTaken, SettingChanged, StageStarted


@dataclass(frozen=True, slots=True)
class Marks:
    """Oldest first.

    Attributes:
        stages: Begun so far, each once.
        pilot: The newest judgement.
    """

    stages: tuple[StageStarted, ...] = ()
    alerts: tuple[Alert, ...] = ()
    pilot: PilotEnded | None = None
    changes: tuple[SettingChanged, ...] = ()
    rollouts: tuple[RolloutsTaken, ...] = ()


NO_MARKS = Marks()
