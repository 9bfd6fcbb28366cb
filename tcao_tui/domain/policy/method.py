"""The training method: what the rows are decides, the goal's words choose where they allow more than one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tcao_tui.domain.data_profile import DataProfile, RowKind
from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.policy.score import grader_for
from tcao_tui.domain.policy.situation import INSPECTED, Situation, counted, filled, word_in

DISTILL_WORDS = ("distil", "teacher", "imitate the larger", "like the larger model")
RLHF_WORDS = ("rlhf", "reward model", "preference model")
RL_WORDS = ("reinforcement", "rl ", "rlvr", "grpo", "verifiable", "reward")

_TRADE_OFFS: dict[str, str] = {
    "sft": "SFT is the cheapest and steadiest method, and never better than its examples",
    "dpo": (
        "DPO learns from pairs as they are, with neither a reward model nor sampling; it shifts style more than "
        "ability, and works best on a model that was trained on such answers before (start_from)"
    ),
    "rlhf": (
        "RLHF trains a reward model and samples against it: gets more out of few pairs, at several times the cost, and "
        "the policy may learn to please the reward model"
    ),
    "rl": (
        "RL rewards the model's own right answers, so it can pass its examples; it samples many answers for each "
        "problem, so it costs more, and problems that are solved always or never teach nothing"
    ),
    "distill": (
        "on-policy distillation lets a teacher score the model's own answers: dense feedback without labels, at the "
        "price of sampling and of the teacher, who is the ceiling"
    ),
}


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`method`, once the data was inspected."""
    train = situation.train
    if train is None or train.kind is None:
        return {}
    first, *others = _ranked(situation, train)
    reason = f"{_said(train, first)}; {_trade_off(train, first)}{_when(situation, first)}"
    alternatives = tuple(
        Alternative(value=name, label=name, why=f"{_trade_off(train, name)}{_when(situation, name)}") for name in others
    )
    return {"method": filled(first, reason, f"{INSPECTED}, cookbook recipes", alternatives=alternatives)}


def _ranked(situation: Situation, train: DataProfile) -> list[str]:
    """Methods that fit, best first."""
    words = situation.words
    fits = _methods_for(situation, train)
    wanted: list[tuple[str, Callable[[], bool]]] = [
        ("distill", lambda: bool(situation.text("distill.teacher_model") or word_in(words, DISTILL_WORDS))),
        ("rlhf", lambda: bool(word_in(words, RLHF_WORDS))),
        ("rl", lambda: bool(word_in(words, RL_WORDS))),
    ]
    asked_for = [name for name, is_wanted in wanted if name in fits and is_wanted()]
    return list(dict.fromkeys([*asked_for, *fits]))


def _methods_for(situation: Situation, train: DataProfile) -> list[str]:
    kinds: tuple[RowKind | None, ...] = (train.kind, *train.kinds)
    by_kind: dict[RowKind, tuple[str, ...]] = {
        "preference": ("dpo", "rlhf", "sft"),
        "problem": ("rl", "sft"),
        "chat": ("sft",),
        "prompt": ("distill",),
    }
    found = [name for kind in kinds if kind is not None for name in by_kind[kind]]
    if train.kind != "preference":
        found.append("distill")
    if grader_for(train, situation.facts) is None:
        found = [name for name in found if name != "rl"] or ["sft"]
    return list(dict.fromkeys(found))


def _trade_off(train: DataProfile, method: str) -> str:
    if train.kind == "preference" and method == "sft":
        return "SFT imitates the better answers: the cheapest and steadiest method, but it ignores the worse ones"
    return _TRADE_OFFS[method]


def _said(train: DataProfile, method: str) -> str:
    if train.kind == "preference":
        return counted(train.rows, "pair of a better and a worse answer", "pairs of a better and a worse answer")
    if method == "rl":
        return counted(train.rows, "problem with a checkable answer", "problems with a checkable answer")
    if train.kind == "prompt":
        return counted(train.rows, "prompt without answers", "prompts without answers")
    return counted(train.rows, "example to imitate", "examples to imitate")


def _when(situation: Situation, method: str) -> str:
    return "" if method in situation.facts.methods else "; this version stops at the approved plan"
