"""Graders of application-specific evals, by name."""

from __future__ import annotations

from tcao_tui.graders.port import Grader
from tcao_tui.registry import Registry

GRADERS: Registry[type[Grader]] = Registry("tcao_tui.graders", {"exact": "tcao_tui.graders.exact:ExactMatch"})
"""A new one is a module here and a line above, or an entry point of the same group."""
