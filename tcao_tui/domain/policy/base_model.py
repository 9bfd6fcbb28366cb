"""The base model: among those the server offers, the least expensive that suits use, rows, wishes and budget."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tcao_tui.domain.capabilities import Capabilities, ModelInfo
from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.hyperparams import is_tiny, swept_rate
from tcao_tui.domain.model_names import distinct, size_text
from tcao_tui.domain.plan import UseCase
from tcao_tui.domain.policy.situation import Situation, counted, filled, word_in

SMALL_WORDS = ("latency", "fast ", "faster", "quick", "real time", "real-time", "realtime", "on-device", "edge device",
               "cheap", "low cost", "low-cost", "inexpensive", "small model", "serving cost")  # fmt: skip
LARGE_WORDS = ("best quality", "best possible", "highest quality", "top quality", "state of the art",
               "state-of-the-art", "frontier", "as good as possible", "largest", "large model",
               "most capable")  # fmt: skip
_BUT_NOT = r"(?:not|no|without|avoid|except|never|instead of|other than)\s+(?:\w+\s+){0,2}"

SHORT_ANSWER_CHARACTERS = 200
BUDGET_SHARE = 0.6
"""Part of the budget that two passes over the rows may use; the rest is for evals, a second try and doubt."""


@dataclass(frozen=True, slots=True)
class Band:
    """Total parameters that suit a demand, and why."""

    low: float
    high: float
    why: str

    def distance(self, parameters: int | None) -> float:
        """Doublings outside of the band; 0 within, and far for an unknown size."""
        if parameters is None:
            return 10.0
        below, above = math.log2(self.low / parameters), math.log2(parameters / self.high)
        return round(max(0.0, below, above), 3)


SMALL, MEDIUM, LARGE = (2e9, 10e9), (20e9, 40e9), (100e9, 600e9)
"""Total parameters of small, medium and large models, from and to."""


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`training.base_model`, once the server was asked and the data inspected."""
    if situation.facts.capabilities is None or situation.train is None:
        return {}
    ranked = distinct(ranked_models(situation))
    if not ranked:
        return {}
    first, others = ranked[0], ranked[1:4]
    alternatives = tuple(Alternative(value=m.name, label=_label(m), why=_compared(m, first)) for m in others)
    return {
        "training.base_model": filled(
            first.name, _reason(situation, first, len(ranked)), _source(first), alternatives=alternatives
        )
    }


def recommended(offered: Capabilities, use_case: UseCase) -> ModelInfo | None:
    """The model for a kind of use as long as nothing else is known."""
    draft = {"use_case": filled(use_case, "asked for")}
    return next(iter(ranked_models(Situation(draft, Facts(capabilities=offered)))), None)


def ranked_models(situation: Situation) -> list[ModelInfo]:
    """Trainable models, the most suitable first."""
    offered = situation.facts.capabilities
    band, words = suitable_band(situation), situation.words
    longest = 0 if situation.tokens is None else situation.tokens.longest
    models = [m for m in (offered.models if offered else ()) if m.trainable]

    def key(model: ModelInfo) -> tuple[object, ...]:
        price = model.price.train_usd
        return (
            _wish(model, words),
            bool(model.context_length and model.context_length < longest),
            price or 0.0 if _is_too_dear(situation, price) else 0.0,
            band.distance(model.total_parameters),
            model.training == "base",
            model.sft_learning_rate is None and swept_rate(model.name) is None,
            math.inf if price is None else price,
            model.active_parameters or model.total_parameters or math.inf,
            model.context_length or math.inf,
            model.name,
        )

    return sorted(models, key=key)


def suitable_band(situation: Situation) -> Band:
    """The size that suits the goal's wishes, the use and the answers."""
    if word := word_in(situation.words, LARGE_WORDS):
        return Band(*LARGE, f'the goal says "{word}", so a large one')
    if word := word_in(situation.words, SMALL_WORDS):
        return Band(*SMALL, f'the goal says "{word}", so a small one')
    train = situation.train
    if train is not None and train.answer_shape == "label":
        return Band(*SMALL, "answers are a few labels, for which a small one is enough")
    short = train is not None and train.answer_chars is not None and train.answer_chars.p95 <= SHORT_ANSWER_CHARACTERS
    use = situation.text("use_case")
    if short and use not in ("reasoning", "code", "tools"):
        return Band(*SMALL, "answers are short, for which a small one is enough")
    return Band(*MEDIUM, f"a medium one suits {use or 'chat'}")


def _wish(model: ModelInfo, words: str) -> int:
    """-2 when the goal names the model, -1 when its family or maker, 1 when it rules one out, 0 otherwise."""
    maker, _, own = model.name.lower().rpartition("/")
    family = re.match(r"[a-z]+(?:-oss)?", own.removeprefix("nvidia-"))
    names = {own, model.family, family[0] if family else ""} - {""}
    mentioned = [name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}", words)]
    # Makers are also named for their interfaces and products, so only "from" and "by" are about the model.
    if maker and re.search(rf"(?:from|by)\s+{re.escape(maker)}\b", words):
        mentioned.append(maker)
    if any(re.search(_BUT_NOT + re.escape(name), words) for name in mentioned):
        return 1
    return -2 if own in mentioned else -1 if mentioned else 0


def _is_too_dear(situation: Situation, train_usd: float | None) -> bool:
    budget, tokens = situation.number("budget.max_cost_usd"), situation.tokens
    if not budget or tokens is None or train_usd is None:
        return False
    return 2 * tokens.rows * tokens.row.expected * train_usd / 1e6 > budget * BUDGET_SHARE


def _reason(situation: Situation, model: ModelInfo, offered: int) -> str:
    if is_tiny(model):
        only = "the only model here" if offered == 1 else "the nearest here"
        return f"{only}; with {size_text(model)} parameters it shows how training works, not what quality is possible"
    if offered == 1:
        return f"the only model that can be trained here ({size_text(model) or 'size not stated'})"
    band, price = suitable_band(situation), model.price.train_usd
    costs = f"; ${price:g} per million tokens trained" if price else ""
    size = f"{size_text(model) or 'of unstated size'}{costs}"
    if _wish(model, situation.words) < 0:
        return f"the goal names it; {size}"
    is_that_size = band.distance(model.total_parameters) == 0
    place = "the least expensive of that size here" if is_that_size else "the nearest here"
    return f"{band.why}: {place} ({size}), of {counted(offered, 'model')}"


def _source(model: ModelInfo) -> str:
    return f"the server's capabilities; {model.price.source}"


def _label(model: ModelInfo) -> str:
    price = model.price.train_usd
    parts = [size_text(model), "" if price is None else "free" if price == 0 else f"${price:g}/M trained"]
    told = ", ".join(part for part in parts if part)
    return f"{model.name} ({told})" if told else model.name


def _compared(model: ModelInfo, chosen: ModelInfo) -> str:
    size = _times(model.total_parameters, chosen.total_parameters, "the parameters")
    price = _times(model.price.train_usd, chosen.price.train_usd, "the price of training")
    return " at ".join(text for text in (size, price) if text)


def _times(value: float | None, base: float | None, what: str) -> str:
    return f"{value / base:.2g}x {what}" if value and base else ""
