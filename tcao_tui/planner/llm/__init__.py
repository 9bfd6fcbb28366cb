"""The LLM planner: a conversation with tools whose memory is the slots. `planner` is it."""

from __future__ import annotations
