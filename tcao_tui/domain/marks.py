"""What stands beside the curves of a run: stages, alerts, the pilot, changed settings, rollouts; see `marks_state`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the console paints before pydantic has been imported
    from tcao_tui.domain.training_events import (
        Alert,
        PilotEnded,
        RolloutsTaken,
        SettingChanged,
        StageEnded,
        StageStarted,
    )


@dataclass(frozen=True, slots=True)
class Marks:
    """Oldest first.

    Attributes:
        stages: Begun so far, each once.
        baselines: What later stages measured before their first update, by number of the stage, then by metric.
        ended: Stages that ended early, by number.
        pilot: The newest judgement.
    """

    stages: tuple[StageStarted, ...] = ()
    alerts: tuple[Alert, ...] = ()
    pilot: PilotEnded | None = None
    changes: tuple[SettingChanged, ...] = ()
    rollouts: tuple[RolloutsTaken, ...] = ()
    baselines: Mapping[int, Mapping[str, float]] = field(default_factory=dict[int, Mapping[str, float]])
    ended: Mapping[int, StageEnded] = field(default_factory=lambda: dict[int, "StageEnded"]())


NO_MARKS = Marks()
