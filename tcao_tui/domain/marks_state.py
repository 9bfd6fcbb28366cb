"""Fold of the events of `training_events` into `Marks`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from tcao_tui.domain.events import Resumed, RunEvent, UnknownEvent
from tcao_tui.domain.marks import Marks, RangeMarks
from tcao_tui.domain.training_events import (
    Alert,
    PilotEnded,
    RangeCellBegan,
    RangeCellTrained,
    RangeTested,
    RolloutsTaken,
    SettingChanged,
    StageEnded,
    StageMeasured,
    StageStarted,
)

_ALERTS_KEPT = 200
_ROLLOUTS_KEPT = 2_000


class MarksState:
    """Mutable fold of one run's marks."""

    def __init__(self) -> None:
        self._stages: dict[int, StageStarted] = {}
        self._baselines: dict[int, dict[str, float]] = {}
        self._ended: dict[int, StageEnded] = {}
        self._alerts: deque[Alert] = deque(maxlen=_ALERTS_KEPT)
        self._pilot: PilotEnded | None = None
        self._range_begun: dict[int, RangeCellBegan] = {}
        self._range_trained: dict[int, RangeCellTrained] = {}
        self._range_tested: RangeTested | None = None
        self._changes: list[SettingChanged] = []
        self._rollouts: deque[RolloutsTaken] = deque(maxlen=_ROLLOUTS_KEPT)

    def apply(self, event: RunEvent | UnknownEvent) -> None:
        """Fold one event; others than marks and resumes are none of its business."""
        match event:
            case StageStarted():
                self._stages[event.index] = event
            case StageMeasured(index=index, values=values):
                self._baselines[index] = self._baselines.get(index, {}) | values
            case StageEnded():
                self._ended[event.index] = event
            case Alert():
                self._alerts.append(event)
            case PilotEnded():
                self._pilot = event
            case RangeCellBegan():
                self._range_begun[event.index] = event
            case RangeCellTrained():
                self._range_trained[event.index] = event
            case RangeTested():
                self._range_tested = event
            case SettingChanged():
                self._changes.append(event)
            case RolloutsTaken():
                self._rollouts.append(event)
            case Resumed(step=step):
                self._take_back(step)
            case _:
                pass

    def view(self) -> Marks:
        """Freeze."""
        stages = tuple(self._stages[index] for index in sorted(self._stages))
        return Marks(
            stages,
            tuple(self._alerts),
            self._pilot,
            tuple(self._changes),
            tuple(self._rollouts),
            dict(self._baselines),
            dict(self._ended),
            self._range_marks(),
        )

    def _range_marks(self) -> RangeMarks | None:
        if not self._range_begun:
            return None
        return RangeMarks(dict(self._range_begun), dict(self._range_trained), self._range_tested)

    def starts(self) -> Iterator[tuple[int, Mapping[str, float]]]:
        """What later stages measured before their first update, by the updates before it."""
        yield from ((self._stages[i].first_step, values) for i, values in self._baselines.items() if i in self._stages)

    def _take_back(self, step: int) -> None:
        """What is trained anew has new rollouts and stages; alerts were true, and changes are still wanted."""
        self._rollouts = deque((r for r in self._rollouts if r.step <= step), maxlen=_ROLLOUTS_KEPT)
        self._ended = {i: e for i, e in self._ended.items() if e.step <= step}
        self._stages = {i: s for i, s in self._stages.items() if s.first_step <= step or i - 1 in self._ended}
        self._baselines = {i: values for i, values in self._baselines.items() if i in self._stages}
