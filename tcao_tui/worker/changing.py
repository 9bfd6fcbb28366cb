"""Settings that change while a run trains: a person's request, judged, or a change of the plan, becomes an event."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from tcao_tui.domain.events import ControlHandled
from tcao_tui.domain.schedule import setting_at
from tcao_tui.domain.setting_request import SettingRequest, what_is_wrong
from tcao_tui.domain.training_config import SettingChange, TrainingConfig
from tcao_tui.domain.training_events import SettingChanged
from tcao_tui.store.port import ControlRequest


def changed(
    request: ControlRequest, config: TrainingConfig, step: int, changes: Sequence[SettingChange]
) -> list[SettingChanged | ControlHandled]:
    """What to commit for a request to change a setting from update `step` on.

    Args:
        request: As posted.
        config: As planned.
        step: The next update to be submitted.
        changes: In force so far, those of the plan first.
    """
    try:
        wanted = SettingRequest.model_validate_json(request.body)
    except ValidationError as error:
        reason = f"not understood: {what_is_wrong(error)}"
        return [ControlHandled(request_id=request.request_id, verb="change", accepted=False, reason=reason)]
    event = SettingChanged(
        step=step,
        key=wanted.key,
        old=setting_at(config, step, wanted.key, changes),
        value=wanted.value,
        by=request.by,
        why=wanted.why,
    )
    return [event, ControlHandled(request_id=request.request_id, verb="change", accepted=True)]


def repeated(
    change: SettingChange, config: TrainingConfig, step: int, changes: Sequence[SettingChange]
) -> SettingChanged:
    """What to commit when a change of the plan comes into force before update `step` is submitted.

    Args:
        change: The plan's.
        config: As planned.
        step: The next update to be submitted.
        changes: In force so far, those of the plan first.
    """
    earlier = [each for each in changes if each != change]
    return SettingChanged(old=setting_at(config, step, change.key, earlier), **change.model_dump())
