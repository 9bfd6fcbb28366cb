"""Which metric keys of a run go on which chart, with titles and units people know. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

_TRAIN_LOSS = ("train_mean_nll", "train/loss", "loss", "train_loss")
_VALIDATION_LOSS = ("val_mean_nll", "test/nll", "val/loss", "eval_loss", "validation_mean_nll")
_FIRST_OF_ALL = ("env/all/reward/total", "reward/total", "dpo_loss", "kl")

_TITLES = {
    "learning_rate": ("learning rate", ""),
    "tokens_per_second": ("tokens per second", "tok/s"),
    "step_seconds": ("time per step", "s"),
    "val_perplexity": ("validation perplexity", ""),
    "num_tokens": ("tokens per step", "tok"),
    "num_loss_tokens": ("tokens with loss", "tok"),
    "epoch": ("epoch", ""),
}
_FIRST_SMALL = ("learning_rate", "tokens_per_second", "val_perplexity", "step_seconds")

LOSS = "loss"
"""Name of the chart that shows training and validation loss together."""


@dataclass(frozen=True, slots=True)
class ChartPlan:
    """One chart: its name in the picker, its title and unit, and label and key of each curve."""

    name: str
    title: str
    unit: str
    curves: tuple[tuple[str, str], ...]


def chart_plans(keys: Collection[str]) -> list[ChartPlan]:
    """Every chart that these keys make, the most telling first; each key is on exactly one of them."""
    train = next((k for k in _TRAIN_LOSS if k in keys), None)
    validation = next((k for k in _VALIDATION_LOSS if k in keys), None)
    pair = tuple((label, key) for label, key in (("train", train), ("validation", validation)) if key)
    plans = [ChartPlan(LOSS, "loss", "nats/token", pair)] if pair else []
    rest = [k for k in keys if k not in (train, validation)]
    if not pair:
        rest.sort(key=lambda k: (_rank(k, _FIRST_OF_ALL), k))
    else:
        rest.sort(key=lambda k: (_rank(k, _FIRST_SMALL), k))
    return plans + [_single(key) for key in rest]


def _single(key: str) -> ChartPlan:
    title, unit = _TITLES.get(key, (key, ""))
    return ChartPlan(key, title, unit, (("", key),))


def _rank(key: str, order: tuple[str, ...]) -> int:
    return order.index(key) if key in order else len(order)
