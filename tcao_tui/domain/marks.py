"""What stands beside the curves of a run: stages, alerts, the pilot, changed settings, rollouts; see `marks_state`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the console paints before pydantic has been imported
    from tcao_tui.domain.training_events import (
        Alert,
        PilotEnded,
        RangeCellBegan,
        RangeCellTrained,
        RangeTested,
        RolloutsTaken,
        SettingChanged,
        StageEnded,
        StageStarted,
    )


@dataclass(frozen=True, slots=True)
class RangeMarks:
    """The range test of a pilot so far.

    Attributes:
        begun: The newest beginning of each cell, by its number.
        trained: Cells that are done.
        tested: What came of all of them; None before.
    """

    begun: Mapping[int, RangeCellBegan]
    trained: Mapping[int, RangeCellTrained]
    tested: RangeTested | None


@dataclass(frozen=True, slots=True)
class Marks:
    """Oldest first.

    Attributes:
        stages: Begun so far, each once.
        baselines: What later stages measured before their first update, by number of the stage, then by metric.
        ended: Stages that ended early, by number.
        range_test: None when there is none.
        pilot: The newest judgement.
    """

    stages: tuple[StageStarted, ...] = ()
    alerts: tuple[Alert, ...] = ()
    pilot: PilotEnded | None = None
    changes: tuple[SettingChanged, ...] = ()
    rollouts: tuple[RolloutsTaken, ...] = ()
    baselines: Mapping[int, Mapping[str, float]] = field(default_factory=dict[int, Mapping[str, float]])
    ended: Mapping[int, StageEnded] = field(default_factory=lambda: dict[int, "StageEnded"]())
    range_test: RangeMarks | None = None


NO_MARKS = Marks()
