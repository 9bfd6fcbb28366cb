"""Settings as they are at each update: the learning-rate schedule, and what people changed while it trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import get_args

from tcao_tui.domain.training_config import SettingChange, SettingKey, TrainingConfig


def learning_rate_at(config: TrainingConfig, step: int, changes: Sequence[SettingChange] = ()) -> float:
    """Learning rate of update `step`, counted from 1.

    The shapes are the cookbook's (`utils/lr_scheduling.py`, 0.6.1): linear `1 - t`, cosine `(1 + cos(pi t)) / 2` with
    `t` the share of updates applied before this one; the warm-up before them rises linearly to the peak.
    """
    peak = setting_at(config, step, "learning_rate", changes)
    if step <= config.warmup_steps:
        return peak * step / config.warmup_steps
    left = config.num_steps - config.warmup_steps
    done = min(1.0, (step - 1 - config.warmup_steps) / left) if left > 0 else 0.0
    match config.lr_schedule:
        case "constant":
            return peak
        case "linear":
            return peak * (1 - done)
        case "cosine":
            return peak * (1 + math.cos(math.pi * done)) / 2


def eval_every_at(config: TrainingConfig, step: int, changes: Sequence[SettingChange] = ()) -> int:
    """Steps between validations, as of update `step`; 0: only at the ends."""
    return int(setting_at(config, step, "eval_every", changes))


def present_settings(
    config: TrainingConfig, step: int, changes: Sequence[SettingChange] = ()
) -> Mapping[SettingKey, float]:
    """All settings that may change, as of update `step`."""
    keys: tuple[SettingKey, ...] = get_args(SettingKey)
    return {key: setting_at(config, step, key, changes) for key in keys}


def setting_at(config: TrainingConfig, step: int, key: SettingKey, changes: Sequence[SettingChange] = ()) -> float:
    """What a person set `key` to, as of update `step`, or its planned value; of several changes the last one counts."""
    values = [change.value for change in changes if change.key == key and change.step <= step]
    return values[-1] if values else getattr(config, key)
