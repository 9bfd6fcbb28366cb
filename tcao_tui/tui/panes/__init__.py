"""Panes; they never import each other."""

from __future__ import annotations

from textual.widget import Widget

from tcao_tui.registry import Registry

PANES: Registry[type[Widget]] = Registry(
    "tcao_tui.panes",
    {
        "evals": "tcao_tui.tui.panes.evals.pane:EvalsPane",
        "run_list": "tcao_tui.tui.panes.run_list.pane:RunListPane",
        "planner": "tcao_tui.tui.panes.planner.pane:PlannerPane",
        "rollouts": "tcao_tui.tui.panes.rollouts.pane:RolloutsPane",
        "sweeps": "tcao_tui.tui.panes.sweeps.pane:SweepsPane",
        "training": "tcao_tui.tui.panes.training.pane:TrainingPane",
    },
)
"""Panes by name; loading one imports it alone."""
