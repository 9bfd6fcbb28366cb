"""The learning rate: the cookbook's formula where it is calibrated, its sweep or recipes elsewhere; constant."""

from __future__ import annotations

from collections.abc import Mapping

from tcao_tui.domain.capabilities import ModelInfo
from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.hyperparams import IMITATING, RATES, SWEEP, TINY_LEARNING_RATE, is_tiny, rate_text, swept_rate
from tcao_tui.domain.policy.situation import Situation, filled

GET_LR = "cookbook hyperparam_utils.get_lr"
TEN_TIMES = "if you know a good rate for full fine-tuning, take ten times that"


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`training.learning_rate`, once the base model is known."""
    model = situation.model
    if model is None:
        return {}
    if situation.method in IMITATING:
        return {"training.learning_rate": _supervised(model)}
    return {"training.learning_rate": _of_method(situation.method, model)}


def _supervised(model: ModelInfo) -> Filled:
    swept = swept_rate(model.name)
    if is_tiny(model):
        reason = "measured with the demo: a tiny model learns best at rates that would break a large one"
        return filled(TINY_LEARNING_RATE, reason, "templates/demo-plan.yaml", alternatives=(_lower(1e-3),))
    if model.sft_learning_rate is not None:
        rate = float(f"{model.sft_learning_rate:.3g}")
        width = f" at hidden size {model.hidden_size:,}" if model.hidden_size else ""
        reason = f"calibrated for this family{width}; constant, whatever the rank; {TEN_TIMES}"
        other = (Alternative(value=swept, label=rate_text(swept), why=f"best in {SWEEP}"),) if swept else ()
        return filled(rate, reason, GET_LR, alternatives=(*other, _lower(rate / 2)))
    if swept is not None:
        reason = f"the best of the cookbook's sweep for this model, since get_lr is not calibrated for it; {TEN_TIMES}"
        return filled(swept, reason, SWEEP, alternatives=(_lower(swept / 2),))
    start = RATES["sft"].start
    higher = Alternative(
        value=3e-4, label="3e-4", why="best for most models of the cookbook's sweep: try it in a pilot"
    )
    reason = f"nobody published a rate for this family, so the cookbook's careful default; {TEN_TIMES}"
    return filled(start, reason, RATES["sft"].source, alternatives=(higher,))


def _of_method(method: str, model: ModelInfo) -> Filled:
    rates = RATES.get(method, RATES["sft"])
    why = {
        "dpo": "DPO moves the model far with little: at rates of SFT it forgets how to answer",
        "rl": "RL stays stable at small steps; lower it when kl_sample_train passes 0.01",
        "distill": "the cookbook's rate for on-policy distillation",
    }.get(method, "the cookbook's default")
    tiny = "; a tiny model may need more" if is_tiny(model) else ""
    reason = f"{why}{tiny}; usual are {rate_text(rates.low)} to {rate_text(rates.high)}"
    lower = {"rl": 1e-5}.get(method, rates.start / 2)
    return filled(rates.start, reason, rates.source, alternatives=(_lower(lower),))


def _lower(rate: float) -> Alternative:
    value = float(f"{rate:.2g}")
    return Alternative(value=value, label=rate_text(value), why="steadier, if the loss jumps")
