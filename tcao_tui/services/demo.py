"""The included plan on the local engine, whatever keys exist: what it takes to launch it, and what came out of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tcao_tui import paths
from tcao_tui.domain.events import Sample
from tcao_tui.domain.run_view import RunView
from tcao_tui.errors import Refused
from tcao_tui.services.backends import resolve_profile
from tcao_tui.services.launch import LaunchResult
from tcao_tui.services.plans import load_plan
from tcao_tui.services.proposals import carry_out, propose
from tcao_tui.settings import Settings
from tcao_tui.store.port import RunStore


@dataclass(frozen=True, slots=True)
class SampleChange:
    """What the model says to one prompt before training and after it."""

    prompt: str
    wanted: str | None
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Scores are shares, 0 to 1; None when they were not taken."""

    run_id: str
    score_before: float | None
    score_after: float | None
    steps: int
    seconds: float
    changes: tuple[SampleChange, ...]


def demo_plan_path() -> Path:
    """The included plan."""
    return paths.templates_dir() / "demo-plan.yaml"


def launch_demo(store: RunStore, runs_root: Path, *, by: str) -> LaunchResult:
    """Start the engine and a worker that carries the included plan out; it costs nothing, so it approves itself.

    Raises:
        TcaoError: The plan, the engine or the worker failed; says which.
    """
    proposal = propose(load_plan(demo_plan_path()), resolve_profile(Settings(), "local"))
    return carry_out(store, runs_root, proposal, proposal.consent("auto", by=by))


def demo_result(view: RunView) -> DemoResult:
    """Before and after of a finished demo run. Raises `Refused` when there is nothing to compare."""
    if not view.samples and not view.scores:
        raise Refused("the run took no samples and no scores", next_step=f"tcao show {view.run_id}")
    first = {s.prompt: s for s in view.samples[0].samples} if view.samples else {}
    last = view.samples[-1].samples if view.samples else ()
    return DemoResult(
        run_id=view.run_id,
        score_before=view.scores[0].value if view.scores and view.scores[0].step == 0 else None,
        score_after=view.scores[-1].value if view.scores and view.scores[-1].step == view.total_steps else None,
        steps=view.step,
        seconds=view.elapsed_seconds,
        changes=tuple(_change(first.get(after.prompt), after) for after in last),
    )


def _change(before: Sample | None, after: Sample) -> SampleChange:
    return SampleChange(after.prompt, after.reference, before.text if before else "", after.text)
