"""What a benchmark is run with: arguments of its task, settings that its task leaves open, caps that are lifted."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from tcao_tui.domain.benchmarks.entry import Benchmark

THINKING_TOKENS = 16_384
"""Longest answer of a model that thinks: the cookbook's benchmarks allow more, but contexts may be as short as 32 k."""

_PLAIN: Mapping[str, JsonValue] = {"temperature": 0.0}
_THINKING: Mapping[str, JsonValue] = {"temperature": 0.6, "max_tokens": THINKING_TOKENS}
"""Greedy answers of models that think run in circles; 0.6 is what Qwen and DeepSeek recommend for theirs."""


def task_arguments(ours: Benchmark | None, *, thinks: bool, judge: str = "") -> dict[str, JsonValue]:
    """Arguments of the task: its own defaults where nothing is said.

    Args:
        ours: The entry of our table; None for a task that is not in it.
        thinks: Whether answers begin with thinking.
        judge: Model that grades or plays a part; empty for the task's own.
    """
    if ours is None:
        return {}
    found: dict[str, JsonValue] = {**ours.arguments}
    for helper in ours.helpers:
        if helper.argument and judge:
            found[helper.argument] = [judge] if helper.takes_list else judge
    if thinks and ours.cap_argument:
        found[ours.cap_argument] = THINKING_TOKENS
    return found


def answer_settings(ours: Benchmark | None, *, thinks: bool) -> dict[str, JsonValue]:
    """Settings of answers that the task leaves open; a cap on their length is lifted for models that think."""
    settings = _THINKING if thinks else _PLAIN
    fixed = ours.fixes - {"max_tokens"} if ours is not None else {"temperature"}
    return {key: value for key, value in settings.items() if key not in fixed}
