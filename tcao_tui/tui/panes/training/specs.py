"""From a view and a person's choices to what each chart shows. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable
from dataclasses import dataclass, replace

from tcao_tui.domain.headlines import present_method
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.run_view import RunView
from tcao_tui.tui.panes.training.marks import chart_marks
from tcao_tui.tui.panes.training.metrics import ChartPlan, chart_plans
from tcao_tui.tui.ring import next_in
from tcao_tui.tui.widgets.line_view import Line, Span
from tcao_tui.tui.widgets.plot import LABEL_WIDTH, Curve, Mark, PlotSpec, step_range

SMOOTHINGS = (0.0, 0.6, 0.9)
"""Weights of the past that the smoothing key goes through."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a person chose for the charts.

    Attributes:
        metric: A key on the large chart; empty is the first one.
        cursor: Step whose values are read out.
        page: Page of the grid, from 0.
    """

    metric: str = ""
    smoothing: float = 0.0
    log_y: bool = False
    cursor: int | None = None
    page: int = 0

    def smoother(self) -> Look:
        """The next of `SMOOTHINGS`."""
        return replace(self, smoothing=next_in(SMOOTHINGS, self.smoothing))


def plans_of(view: RunView, look: Look) -> list[ChartPlan]:
    """All charts of the run, the chosen one first."""
    plans = chart_plans([k for k, s in view.series.items() if len(s)], present_method(view))
    return sorted(plans, key=lambda plan: not plan.shows(look.metric)) if look.metric else plans


def large_spec(view: RunView, plan: ChartPlan, look: Look) -> PlotSpec:
    """The large chart: every choice applies to it."""
    return replace(
        _spec(view, plan, look.smoothing),
        marks=tuple(Mark(step) for step in checkpoint_steps(view)) + chart_marks(view.marks),
        unit=plan.unit,
        log_y=look.log_y,
        cursor=look.cursor,
        note=f"smoothing {look.smoothing:g}" if look.smoothing else "",
    )


def small_spec(view: RunView, plan: ChartPlan, look: Look) -> PlotSpec:
    """A small chart: follows the cursor, has no marks."""
    return replace(_spec(view, plan, 0.0), cursor=look.cursor)


def _spec(view: RunView, plan: ChartPlan, smoothing: float) -> PlotSpec:
    curves = tuple(
        # Validation has few values: smoothing them would hide what they are for.
        Curve(one_line(label, 24), view.series[key], ink, smoothing if label != "validation" else 0.0)
        for ink, (label, key) in enumerate(plan.curves)
    )
    return PlotSpec(title=one_line(plan.title, 40), curves=curves, last_step=view.total_steps or None)


def change_key(spec: PlotSpec) -> Hashable:
    """Differs when the chart would look different, so that an unchanged one is not drawn."""
    grown = tuple((len(c.series), c.series.last, c.smoothing, c.name) for c in spec.curves)
    return grown, spec.title, spec.marks, spec.log_y, spec.last_step, spec.cursor, spec.note


def checkpoint_steps(view: RunView) -> list[int]:
    """Steps that have a checkpoint, ascending."""
    return sorted({saved.step for saved in view.checkpoints})


def checkpoint_row(view: RunView, spec: PlotSpec, width: int) -> Line:
    """Checkpoints below the chart, each under its step, with the step beside it where there is room."""
    steps = checkpoint_steps(view)
    if not steps or width < LABEL_WIDTH + 8:
        return ((f"{'':>{LABEL_WIDTH}}no checkpoint yet", "rule"),) if view.status.is_live else ()
    first, last = step_range(spec)
    plot_width = width - LABEL_WIDTH
    spans: list[Span] = [("  saved ", "muted")]
    at = 0
    for index, step in enumerate(steps):
        if not first <= step <= last:
            continue
        column = min(int((step - first) / max(last - first, 1e-9) * plot_width), plot_width - 1)
        if column < at:
            continue
        spans += [(" " * (column - at), "text"), ("◆", "accent")]
        at = column + 1
        following = steps[index + 1] if index + 1 < len(steps) else None
        limit = plot_width if following is None else int((following - first) / max(last - first, 1e-9) * plot_width) - 1
        label = str(step)
        if at + len(label) <= limit:
            spans.append((label, "muted"))
            at += len(label)
    return tuple(spans)


def moved_cursor(view: RunView, plan: ChartPlan, cursor: int | None, by: int) -> int | None:
    """The step `by` values away from the cursor on the chart's first curve; from the last value when there is none."""
    series = view.series[plan.curves[0][1]]
    if not len(series):
        return None
    last = len(series) - 1
    index = last if cursor is None else min(bisect_left(series.steps, cursor), last)
    return series.steps[min(max(index + by, 0), last)]
