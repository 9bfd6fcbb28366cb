"""Public benchmarks and what stands in their way, as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from tcao_tui.cli.render.text import Style, table
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import UNKNOWN, money_text
from tcao_tui.services.benchmark_list import PACKAGE_WIDTH

if TYPE_CHECKING:
    from tcao_tui.domain.obstacle import Obstacle
    from tcao_tui.services.benchmark_list import Described

_HEADER = ("TASK", "SAMPLES", "TOKENS", "COUNTS", "BETTER")
_BETTER = {True: "higher", False: "lower", None: UNKNOWN}
_METRIC_WIDTH = 40
_SENTENCE_WIDTH = 160


def catalogue_lines(found: Sequence[Described], style: Style, *, with_cost: bool) -> list[str]:
    """A row for each task, and below it what it measures, what it needs and what misleads."""
    if not found:
        return ["no task of Inspect Evals speaks of that"]
    header = (*_HEADER, "COST") if with_cost else _HEADER
    rows = [(*_row(one), money_text(one.usd)) if with_cost else _row(one) for one in found]
    first, *body = table(header, rows, right=frozenset({1, 2}))
    lines = [style(first.rstrip(), dim=True)]
    for one, row in zip(found, body, strict=True):
        lines += [row.rstrip(), *(style(f"    {line}", dim=True) for line in _about(one))]
    return lines


def obstacle_lines(names: Sequence[str], found: Sequence[Obstacle], style: Style) -> list[str]:
    """Each task with what it lacks and how to mend it."""
    by_task = {name: list(group) for name, group in groupby(sorted(found, key=lambda o: o.task), lambda o: o.task)}
    lines: list[str] = []
    for name in names:
        obstacles = sorted(by_task.get(name, []), key=lambda obstacle: not obstacle.blocks)
        blocked = any(obstacle.blocks for obstacle in obstacles)
        state = style("blocked", "red") if blocked else style("ready  ", "green")
        lines.append(f"{state}  {one_line(name)}")
        for obstacle in obstacles:
            lines.append(f"         {'' if obstacle.blocks else 'note: '}{one_line(obstacle.what)}")
            if obstacle.blocks:
                lines.append(f"           fix: {one_line(obstacle.fix)}")
    return lines


def _row(one: Described) -> tuple[str, ...]:
    tokens = None if one.prompt_tokens is None or one.answer_tokens is None else one.prompt_tokens + one.answer_tokens
    return (
        one_line(one.name)[PACKAGE_WIDTH:],
        UNKNOWN if one.samples is None else f"{one.samples:,}",
        UNKNOWN if tokens is None else f"{tokens:,}",
        one_line(one.metric, _METRIC_WIDTH) or UNKNOWN,
        _BETTER[one.higher_is_better],
    )


def _about(one: Described) -> Iterator[str]:
    yield one_line(one.measures, 0 if one.is_known else _SENTENCE_WIDTH)
    if one.needs:
        yield f"needs {one_line(one.needs)}"
    if one.caveat:
        yield f"mind: {one.caveat}"
