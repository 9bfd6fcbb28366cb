"""Settings that change while a run trains: a person's request, judged, or a change of the plan, becomes an event."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from tcao_tui.domain.events import ControlHandled
from tcao_tui.domain.pipeline import stage_at
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.schedule import setting_at
from tcao_tui.domain.setting_request import SettingRequest, what_is_wrong
from tcao_tui.domain.training_config import SettingChange, TrainingConfig
from tcao_tui.domain.training_events import SettingChanged
from tcao_tui.store.port import ControlRequest
from tcao_tui.worker.inbox import Inbox
from tcao_tui.worker.journal import Journal


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


def settings_from(plan: Plan, step: int, journal: Journal, inbox: Inbox) -> list[SettingChange]:
    """Changes in force for updates from `step` on; commits those of the plan that begin, and requests with answers."""

    def known(after: int = 0) -> list[SettingChange]:
        return [change for change in (*plan.training.changes, *journal.lineage.changes) if change.step > after]

    for change in plan.training.changes:
        if change.step <= step and change not in journal.lineage.changes:
            stage = stage_at(plan, step)
            earlier = [each for each in known(stage.first_step) if each != change]
            old = setting_at(stage.plan.training, step, change.key, earlier)
            journal.commit(SettingChanged(old=old, **change.model_dump()))
    for request in inbox.changes():
        stage = stage_at(plan, step)
        events = changed(request, stage.plan.training, step, known(stage.first_step))
        journal.commit(*events)
        inbox.answered([event for event in events if isinstance(event, ControlHandled)])
    return [change for change in known() if change.step <= step]
