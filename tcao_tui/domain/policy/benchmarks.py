"""Public benchmarks: a few that bear on the use, none where they could not say anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from tcao_tui.domain.benchmarks.entry import Benchmark
from tcao_tui.domain.benchmarks.table import CATALOGUE, offered_for
from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.hyperparams import is_tiny
from tcao_tui.domain.policy.situation import Situation, counted, filled
from tcao_tui.domain.use_cases import USE_CASES

SAMPLES = 100


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`evals.benchmarks`, once use and base model are known."""
    use, model = situation.text("use_case"), situation.model
    if model is None or use not in USE_CASES:
        return {}
    offered = offered_for(use)
    if is_tiny(model):
        reason = "none: a model of this size answers public benchmarks by chance, before and after"
        return {"evals.benchmarks": filled([], reason, CATALOGUE)}
    trained_on = _words(situation.text("training.train_file"))
    seen = [b for b in offered if _short(b) in trained_on]
    usable = [b for b in offered if b not in seen]
    chosen = [b for b in usable if not b.needs] or usable[:1]
    others = tuple(
        Alternative(value=[_spec(b) for b in [*chosen, b]], label=f"also {b.name}", why=f"{b.why} Needs {b.needs}.")
        for b in usable
        if b not in chosen
    )
    names = counted(len(chosen), "benchmark")
    reason = f"{names} for {use}, {SAMPLES} samples each, the same before and after"
    if seen:
        reason += f"; not {seen[0].name}, after which the training file is named"
    return {"evals.benchmarks": filled([_spec(b) for b in chosen], reason, CATALOGUE, alternatives=others)}


def _spec(benchmark: Benchmark) -> dict[str, object]:
    return {"name": benchmark.name, "limit": min(SAMPLES, benchmark.samples), "why": benchmark.why}


def _short(benchmark: Benchmark) -> str:
    return benchmark.name.rpartition("/")[2].split("_", 1)[0]


def _words(path: str) -> set[str]:
    stem = PurePath(path).stem.lower()
    return {word for word in "".join(c if c.isalnum() else " " for c in stem).split() if word}
