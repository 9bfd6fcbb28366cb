"""What speaks against a checkpoint besides its goal: over-fitting, and others that keep what it lost."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from tcao_tui.domain.statistics.paired import Difference, holm
from tcao_tui.domain.statistics.verdict import ALPHA, Task

LOSS_MARGIN = 0.01
"""Rise of a held-out loss, as a share of it and of a nat at least, that is over-fitting; rows tell far smaller ones."""


def over_fitted(held_out: Task, checkpoints: Sequence[str], base: str) -> dict[str, str]:
    """Checkpoints whose held-out loss is clearly above the base's or an earlier checkpoint's, row by row, and why.

    Args:
        held_out: A loss: lower is better.
        checkpoints: Earlier ones first.
        base: What they began as.
    """
    known = [name for name in (base, *checkpoints) if held_out.scores.get(name)]
    pairs = [(later, earlier) for place, later in enumerate(known) for earlier in known[:place]]
    found: dict[str, str] = {}
    for later, earlier, rise, p_value in _clear_losses(held_out, pairs):
        before = -held_out.level(earlier, held_out.scores[earlier])
        if -rise.mean > LOSS_MARGIN * max(before, 1.0):
            above = f"{-rise.mean:.3g} above that of {earlier} ({before:.3g})"
            found[later] = f"over-fitted: {held_out.name} is {above}, p {p_value:.2g}"
    return found


def outdone(guards: Sequence[Task], candidates: Sequence[str]) -> dict[str, str]:
    """Candidates that are clearly worse on a guardrail than another candidate, and why."""
    pairs = [(ours, theirs) for ours in candidates for theirs in candidates if ours != theirs]
    found: dict[str, str] = {}
    for guard in guards:
        for ours, theirs, loss, p_value in _clear_losses(guard, pairs):
            found.setdefault(
                ours, f"{guard.name} is clearly worse than that of {theirs}: {loss.mean:+.3g}, p {p_value:.2g}"
            )
    return found


def gap_words(held_out: Task, trained_on: Task, names: Collection[str]) -> str:
    """How far the held-out loss lies above that of training rows, from one subject to the next, and the trend."""
    gaps = {
        name: trained_on.level(name, trained_on.scores[name]) - held_out.level(name, held_out.scores[name])
        for name in names
        if held_out.scores.get(name) and trained_on.scores.get(name)
    }
    values = list(gaps.values())
    grows = len(values) > 1 and values == sorted(values) and values[-1] > values[0]
    told = ", ".join(f"{value:.3g} at {name}" for name, value in gaps.items())
    return f"{told}{'; it grows' if grows else ''}"


def _clear_losses(task: Task, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str, Difference, float]]:
    gains: Mapping[tuple[str, str], Difference] = {pair: task.gain(*pair) for pair in pairs}
    for (ours, theirs), p_value in zip(gains, holm([gain.p_value for gain in gains.values()]), strict=True):
        gain = gains[ours, theirs]
        if p_value < ALPHA and gain.mean < 0:
            yield ours, theirs, gain, p_value
