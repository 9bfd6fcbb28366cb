"""Which metric keys of a run go on which chart, with titles and units people know. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class ChartPlan:
    """One chart: its title and unit, and label and key of each curve."""

    title: str
    unit: str
    curves: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Its first key, which is on no other chart."""
        return self.curves[0][1]

    def shows(self, key: str) -> bool:
        """Whether the key is one of its curves."""
        return any(key == shown for _label, shown in self.curves)


def _pair(train: str, validation: str, title: str, unit: str = "") -> ChartPlan:
    return ChartPlan(title, unit, (("train", train), ("validation", validation)))


def _single(key: str, title: str = "", unit: str = "") -> ChartPlan:
    return ChartPlan(title or key, unit, (("", key),))


_LOSS = ChartPlan(
    "loss",
    "nats/token",
    (
        *(("train", key) for key in ("train_mean_nll", "train/loss", "loss", "train_loss")),
        *(("validation", key) for key in ("val_mean_nll", "test/nll", "val/loss", "eval_loss", "validation_mean_nll")),
    ),
)
"""The cookbook's loops and others have their own words for it; of each curve the first key that is there is drawn."""

_KL_REFERENCE = _single("kl_reference", "KL to the reference", "nats/token")

_BY_METHOD: dict[str, tuple[ChartPlan, ...]] = {
    "dpo": (
        _pair("reward_margin", "val_margin", "reward margin"),
        _pair("reward_accuracy", "val_accuracy", "preference accuracy"),
        ChartPlan("rewards", "", (("chosen", "chosen_reward"), ("rejected", "rejected_reward"))),
        _pair("dpo_loss", "val_dpo_loss", "DPO loss", "nats"),
        _KL_REFERENCE,
        _pair("chosen_mean_nll", "val_mean_nll", "loss of the chosen answers", "nats/token"),
    ),
    "rl": (
        _pair("reward_mean", "val_reward", "reward"),
        _single("zero_advantage_share", "groups without signal"),
        _single("reward_std", "spread of rewards"),
        _single("entropy", "entropy", "nats/token"),
        _single("kl_sample_train", "KL sampler to trainer", "nats/token"),
        _KL_REFERENCE,
        _single("truncated_share", "answers cut off"),
        _single("answer_tokens", "tokens per answer", "tok"),
    ),
    "distill": (_pair("teacher_kl", "val_teacher_kl", "KL to the teacher", "nats/token"),),
    "preference_model": (_LOSS, _single("val_accuracy", "validation accuracy")),
}
"""The charts that say what a method is for, the most telling first; see the specs of the methods for their keys."""

_COMMON = (
    _LOSS,
    ChartPlan("reward", "", (("", "env/all/reward/total"), ("", "reward/total"))),
    _single("learning_rate", "learning rate"),
    _single("tokens_per_second", "tokens per second", "tok/s"),
    _single("val_perplexity", "validation perplexity"),
    _single("step_seconds", "time per step", "s"),
)
_LATER = (
    _single("epoch", "epoch"),
    _single("num_loss_tokens", "tokens with loss", "tok"),
    _single("num_tokens", "tokens per step", "tok"),
    _single("num_pairs", "pairs per step"),
    _single("sampled_tokens", "sampled tokens per step", "tok"),
    _single("staleness", "age of the sampling weights", "steps"),
    _single("unscored", "answers without a score"),
)


def chart_plans(keys: Collection[str], method: str = "") -> list[ChartPlan]:
    """Every chart that these keys make, the most telling first; each key is on exactly one of them.

    Args:
        keys: Metric keys that have values.
        method: The run's, or that of the stage it is in; other methods' charts come after its own.
    """
    own = _BY_METHOD.get(method, ())
    others = tuple(plan for name, plans in _BY_METHOD.items() if name != method for plan in plans)
    plans: list[ChartPlan] = []
    left = dict.fromkeys(keys)
    for declared in (*own, *_COMMON, *others):
        if curves := _curves(declared, left):
            plans.append(replace(declared, curves=curves))
            for _label, key in curves:
                del left[key]
    last = {plan.name: plan for plan in _LATER}
    # The cookbook's keys of a kind share a prefix and number dozens: they follow what has a plain name.
    rest = [last.get(key, _single(key)) for key in sorted(left, key=lambda key: ("/" in key, key))]
    return [*plans, *rest]


def _curves(declared: ChartPlan, keys: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Label and key of the curves that have values."""
    found: dict[str, str] = {}
    for label, key in declared.curves:
        if key in keys:
            found.setdefault(label, key)
    return tuple(found.items())
