"""The few numbers that say how a training of each method goes, for a line, a table and a header.

Pure; what each metric means is in the method's spec.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tcao_tui.domain.run_view import RunSummary, RunView
from tcao_tui.domain.wording import number_text, share_text


@dataclass(frozen=True, slots=True)
class Headline:
    """One metric: its key, the short word for it, how it is written, and which way is better."""

    key: str
    word: str
    better: Literal["lower", "higher"] | None = "lower"
    is_share: bool = False

    @property
    def is_held_out(self) -> bool:
        """Whether it is measured on rows that are not trained."""
        return self.key.startswith("val_")

    @property
    def short(self) -> str:
        """The word where the column says what it was measured on."""
        return "loss" if self.word == "val" else self.word.removeprefix("val ").removeprefix("teacher ")

    def text(self, value: float | None) -> str:
        """The value as people read it; unknown is a dash."""
        return share_text(value) if self.is_share else number_text(value)


_LOSSES = (Headline("train_mean_nll", "loss"), Headline("val_mean_nll", "val"))

HEADLINES: dict[str, tuple[Headline, ...]] = {
    "sft": _LOSSES,
    "dpo": (
        Headline("reward_margin", "margin", "higher"),
        Headline("reward_accuracy", "accuracy", "higher", is_share=True),
        Headline("val_accuracy", "val accuracy", "higher", is_share=True),
    ),
    "preference_model": (
        Headline("train_mean_nll", "loss"),
        Headline("val_accuracy", "val accuracy", "higher", is_share=True),
    ),
    "rl": (
        Headline("reward_mean", "reward", "higher"),
        Headline("zero_advantage_share", "no signal", None, is_share=True),
        Headline("val_reward", "val reward", "higher"),
    ),
    "distill": (
        Headline("teacher_kl", "teacher KL"),
        Headline("val_teacher_kl", "val KL"),
        *_LOSSES,
    ),
}
"""Most telling first. A method that is not here is told by its losses."""


KEPT_KEYS = frozenset(told.key for group in HEADLINES.values() for told in group)
"""Metrics whose last values a run list keeps of each run."""


@dataclass(frozen=True, slots=True)
class Told:
    """A metric and its last value."""

    headline: Headline
    value: float

    @property
    def text(self) -> str:
        """`reward 0.81`."""
        return f"{self.headline.short} {self.headline.text(self.value)}"


def told_by(run: RunSummary) -> tuple[Told | None, Told | None]:
    """The most telling number of a run's training, and that of held-out data; None where there is none yet."""
    losses = {"train_mean_nll": run.train_loss, "val_mean_nll": run.val_loss}
    numbers = run.numbers or {key: loss for key, loss in losses.items() if loss is not None}
    # A run of several stages is told by the method that its numbers are of.
    group = HEADLINES.get(run.method) or max(HEADLINES.values(), key=lambda told: sum(h.key in numbers for h in told))
    known = [Told(headline, numbers[headline.key]) for headline in group if headline.key in numbers]
    trained = next((told for told in known if not told.headline.is_held_out), None)
    return trained, next((told for told in known if told.headline.is_held_out), None)


def told_order(told: Told | None) -> tuple[str, float]:
    """What to sort runs by: the metric, and of each the best first; what is unknown comes last."""
    if told is None or math.isnan(told.value):
        return ("~", math.inf)
    return told.headline.short, -told.value if told.headline.better == "higher" else told.value


def validation_rank(values: Mapping[str, float]) -> float | None:
    """How good held-out data finds the weights, lower being better; None when they say nothing."""
    for key, sign in (("val_reward", -1), ("val_accuracy", -1), ("val_teacher_kl", 1), ("val_mean_nll", 1)):
        if key in values:
            return sign * values[key]
    return None


def present_method(view: RunView) -> str:
    """The run's method, or that of the stage it is in."""
    stages = view.marks.stages
    return stages[-1].method if stages else view.method


def headlines(view: RunView) -> tuple[Headline, ...]:
    """Those of the present method that the run has numbers of, not counting those of stages that are over."""
    told = HEADLINES.get(present_method(view), _LOSSES)
    before = view.marks.stages[-1].first_step if view.marks.stages else 0
    return tuple(h for h in told if (s := view.series.get(h.key)) and (not before or (s.last_step or 0) > before))


def baseline(view: RunView, key: str) -> float | None:
    """What the present stage measured before its first update; None when it did not, and for a run of one training."""
    stages = view.marks.stages
    return view.marks.baselines.get(stages[-1].index, {}).get(key) if stages else None


def headline_texts(view: RunView) -> list[str]:
    """`loss 1.234`, one for each, and what it was before a later stage."""
    return [f"{h.word} {h.text(view.series[h.key].last)}{_before(view, h)}" for h in headlines(view)]


def _before(view: RunView, told: Headline) -> str:
    value = baseline(view, told.key)
    return "" if value is None else f" (before {told.text(value)})"
