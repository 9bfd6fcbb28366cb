"""The rules planner: the same interview without a model. `planner` is it; the rest decides what comes next, purely."""

from __future__ import annotations
