"""The mean score of one subject with its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tcao_tui.domain.eval_matrix import Level
from tcao_tui.domain.statistics.paired import clustered_error, student_quantile
from tcao_tui.domain.statistics.shares import wilson


def level(values: Sequence[float], clusters: Sequence[str]) -> Level | None:
    """The mean over items; None without one.

    Args:
        values: One per item: the mean over its epochs.
        clusters: One per item; items of one cluster belong together.
    """
    if not values:
        return None
    scores, groups = np.asarray(values, dtype=float), len(set(clusters))
    mean, count = float(scores.mean()), len(values)
    if groups == count and bool(np.isin(scores, (0.0, 1.0)).all()):
        return Level(mean, *wilson(mean, count), count, "Wilson")
    error = clustered_error(scores, clusters)
    if error == 0 and 0 <= mean <= 1:
        # Groups that all got the same have no spread to measure: no more is known than from as many single answers.
        return Level(mean, *wilson(mean, groups), count, f"Wilson over {groups:,} groups")
    half = student_quantile(groups - 1) * error if error else math.nan
    return Level(mean, mean - half, mean + half, count, "t" if groups == count else f"t over {groups:,} groups")
