"""Graders of application-specific evals, by name.

A grader's module imports nothing but the standard library: a copy of it goes with every plan, see `planner.artefacts`.
"""

from __future__ import annotations

from tcao_tui.graders.port import Grader
from tcao_tui.registry import Registry

GRADERS: Registry[type[Grader]] = Registry(
    "tcao_tui.graders",
    {
        "exact": "tcao_tui.graders.exact:ExactMatch",
        "includes": "tcao_tui.graders.includes:Includes",
        "numeric": "tcao_tui.graders.numeric:NumericMatch",
        "json": "tcao_tui.graders.json_match:JsonMatch",
    },
)
"""A new one is a module here and a line above, or an entry point of the same group."""
