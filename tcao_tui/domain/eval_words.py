"""Scores and gains in words, the same in every front end; in units of the score, which is a share only for some."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tcao_tui.domain.wording import UNKNOWN

if TYPE_CHECKING:
    from tcao_tui.domain.eval_matrix import Level
    from tcao_tui.domain.statistics.paired import Difference


def level_text(level: Level | None) -> str:
    """`0.812 (0.750 to 0.861)`; a dash where there is no score."""
    if level is None or not math.isfinite(level.mean):
        return UNKNOWN
    interval = f" ({level.low:.3f} to {level.high:.3f})" if math.isfinite(level.low) else ""
    return f"{level.mean:.3f}{interval}"


def gain_text(gain: Difference) -> str:
    """`+0.062 (+0.011 to +0.113)`; above zero is better."""
    if not math.isfinite(gain.mean):
        return "unknown"
    return f"{gain.mean:+.3f}" + (f" ({gain.low:+.3f} to {gain.high:+.3f})" if gain.is_known else "")
