"""What a method needs besides the shared hyperparameters: the sections `dpo`, `rl`, `distill` and `rlhf`."""

from __future__ import annotations

from collections.abc import Mapping

from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.policy.lengths import answer_room
from tcao_tui.domain.policy.renderer import thinks
from tcao_tui.domain.policy.score import grader_for
from tcao_tui.domain.policy.situation import INSPECTED, Situation, filled


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """The keys of the chosen method's section."""
    match situation.text("method"):
        case "dpo":
            return _dpo(situation)
        case "rl":
            return _rl(situation)
        case "distill":
            return _distill(situation)
        case "rlhf":
            return _rlhf(situation)
        case _:
            return {}


def _dpo(situation: Situation) -> dict[KeyPath, Filled]:
    stronger = Alternative(value=0.3, label="0.3", why="stays closer to the start, if answers get odd or long")
    start = "a trained checkpoint" if situation.text("start_from") else "the base model"
    return {
        "dpo.beta": filled(0.1, "the cookbook's default", "cookbook preference/dpo", alternatives=(stronger,)),
        "dpo.reference": filled("start", f"compared with what training starts from, {start}", "cookbook train_dpo"),
    }


def _rl(situation: Situation) -> dict[KeyPath, Filled]:
    found: dict[KeyPath, Filled] = {}
    grader = None if situation.train is None else grader_for(situation.train, situation.facts)
    if grader is not None:
        found["rl.grader"] = filled(grader, "checks the answers of this file by rule, which is the reward", INSPECTED)
    if situation.is_free:
        found["rl.group_size"] = filled(
            8, "answers per problem; few, since the local engine samples slowly", "cookbook: 4 to 16"
        )
    else:
        reason = "answers per problem; the more, the fewer problems are solved always or never, which teach nothing"
        fewer = Alternative(value=8, label="8", why="half the sampling")
        found["rl.group_size"] = filled(16, reason, "cookbook: 4 to 16", alternatives=(fewer,))
    return {**found, "rl.max_tokens": _answer_length(situation)}


def _distill(situation: Situation) -> dict[KeyPath, Filled]:
    return {
        "distill.group_size": filled(4, "the cookbook's default", "cookbook on_policy_distillation"),
        "distill.max_tokens": _answer_length(situation),
        "distill.kl_penalty_coef": filled(1.0, "the teacher is the only signal", "cookbook on_policy_distillation"),
    }


def _rlhf(situation: Situation) -> dict[KeyPath, Filled]:
    pipeline = "cookbook preference/rlhf"
    return {
        "rlhf.reward_steps": filled(100, "the recipe's reward model gains little after 40 steps", pipeline),
        "rlhf.reward_learning_rate": filled(3e-4, "the recipe's", pipeline),
        "rlhf.rl_steps": filled(100, "the recipe's win rate levels off after 100 steps", pipeline),
        "rlhf.rl_learning_rate": filled(1e-5, "the recipe's", pipeline),
        "rlhf.group_size": filled(4, "the recipe's", pipeline),
        "rlhf.max_tokens": _answer_length(situation),
    }


def _answer_length(situation: Situation) -> Filled:
    thinking = thinks(situation.text("training.renderer_name"))
    tokens, context = situation.tokens, situation.model.context_length if situation.model else None
    limit = min(4096, (context or 8192) // 2)
    if tokens is None:
        return filled(min(512, limit), "the length of answers is not known yet")
    room = answer_room(tokens.longest_completion, thinking=thinking, limit=limit)
    if thinking:
        return filled(room, "answers think first, and one that is cut off earns nothing", tokens.how)
    longest = f"the longest wanted answer has {tokens.longest_completion:,} tokens"
    return filled(room, f"{longest}, and one that is cut off earns nothing", tokens.how, by="data")
