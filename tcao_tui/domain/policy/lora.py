"""LoRA: all layers, and a rank at which the adapter can hold what the answers teach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tcao_tui.domain.capabilities import ModelInfo
from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.hyperparams import (
    FAR_BELOW,
    START_RANKS,
    lora_parameters,
    low_regret_rank,
    power_of_two_at_most,
    rank_limit,
)
from tcao_tui.domain.model_names import distinct, size_text
from tcao_tui.domain.policy.situation import Situation, filled
from tcao_tui.domain.wording import count_text

WITHOUT_REGRET = "LoRA Without Regret"
LAYERS = ("training.train_mlp", "training.train_attn", "training.train_unembed")
SIMPLE_RL_RANK = 8
_WHY_NOT_COUNTED = {
    "dpo": "the cookbook's default; a pair tells little more than which side is better, so room is no concern",
    "distill": "the cookbook's default for distillation in small steps; its largest recipe takes 128",
}


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`training.lora_rank` and the three layer switches."""
    every = "on all layers LoRA learns like full fine-tuning; on attention alone it falls behind at equal size"
    found = {path: filled(True, every, WITHOUT_REGRET) for path in LAYERS}
    rank = _rank(situation)
    return found if rank is None else {**found, "training.lora_rank": rank}


def completion_tokens(situation: Situation) -> float | None:
    """Tokens that carry loss over all training rows, what the adapter has to hold; None when nothing is known."""
    return None if situation.tokens is None else situation.tokens.answer.expected * situation.tokens.rows


def _rank(situation: Situation) -> Filled | None:
    model, method = situation.model, situation.method
    if model is None:
        return None
    limit = rank_limit(model)
    start = power_of_two_at_most(min(START_RANKS.get(method, 32), limit))
    if method == "rl":
        return _for_rewards(start)
    if method in _WHY_NOT_COUNTED:
        return filled(start, _WHY_NOT_COUNTED[method], "cookbook")
    needed, per_rank = completion_tokens(situation), model.lora_parameters_per_rank
    if needed is None or per_rank is None:
        return filled(start, "the cookbook's default; how much an adapter of this model holds is not known", "cookbook")
    rank = low_regret_rank(per_rank, needed, start=start, limit=limit)
    return filled(
        rank,
        _reason(situation, model, rank, needed),
        f"{WITHOUT_REGRET}; {model.lora_source}",
        alternatives=_alternatives(situation, model, rank, needed),
    )


def _for_rewards(rank: int) -> Filled:
    smaller = Alternative(value=SIMPLE_RL_RANK, label=f"rank {SIMPLE_RL_RANK}", why="enough for simple tasks")
    reason = "a reward tells little per answer, so RL needs little capacity: even rank 1 matched full fine-tuning"
    return filled(rank, reason, WITHOUT_REGRET, alternatives=(smaller,) if rank > SIMPLE_RL_RANK else ())


def _reason(situation: Situation, model: ModelInfo, rank: int, needed: float) -> str:
    holds = lora_parameters(model, rank) or 0
    about = "" if situation.tokens is not None and situation.tokens.is_measured else "about "
    tokens = f"{about}{count_text(needed)} completion tokens"
    if holds >= needed:
        return f"{count_text(holds)} LoRA parameters, more than {tokens}: low regret"
    short = f"{count_text(holds)} LoRA parameters at rank {rank}, {holds / needed:.0%} of {tokens}"
    if holds >= needed * FAR_BELOW:
        return f"{short}: close to low regret, and the highest rank {_cap_text(model)}"
    rows = int(situation.rows * holds / needed)
    ways = [*_ways_out(situation, model, needed), f"narrow the goal to about {rows:,} rows"]
    return f"{short}: far below low regret at the highest rank {_cap_text(model)}; {', or '.join(ways)}"


def _cap_text(model: ModelInfo) -> str:
    if model.rank_cap is not None and model.rank_cap == rank_limit(model):
        return "that the server allows"
    return "that makes sense for this model"


def _ways_out(situation: Situation, model: ModelInfo, needed: float) -> Iterator[str]:
    if model.rank_cap is None and model.lora_parameters_per_rank:
        raised = low_regret_rank(model.lora_parameters_per_rank, needed, start=1, limit=4096)
        yield f"raise it to {raised} if the server allows"
    for other in _bases_that_hold(situation, model, needed)[:1]:
        held = count_text(lora_parameters(other, rank_limit(other)))
        yield f"take {other.name} ({size_text(other)}), whose adapter holds {held}"


def _bases_that_hold(situation: Situation, model: ModelInfo, needed: float) -> list[ModelInfo]:
    """Other models whose adapter can hold the data, smallest first."""
    offered = situation.facts.capabilities
    models = distinct(m for m in (offered.models if offered else ()) if m.trainable and m.name != model.name)
    holding = [m for m in models if (lora_parameters(m, rank_limit(m)) or 0) >= needed]
    return sorted(holding, key=lambda m: m.total_parameters or 0)


def _alternatives(situation: Situation, model: ModelInfo, rank: int, needed: float) -> tuple[Alternative, ...]:
    found: list[Alternative] = []
    for other in (rank * 2, rank // 2):
        if 1 <= other <= rank_limit(model):
            holds = lora_parameters(model, other) or 0
            why = f"{count_text(holds)} parameters, {holds / needed:.1f} per completion token" if needed else ""
            found.append(Alternative(value=other, label=f"rank {other}", why=why))
    return tuple(found)
