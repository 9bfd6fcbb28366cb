"""The planner's pane: the conversation, the questions and the plan card."""

from __future__ import annotations
