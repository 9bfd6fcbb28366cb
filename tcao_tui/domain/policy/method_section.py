"""What a method needs besides the shared hyperparameters: the sections `dpo`, `rl`, `distill` and `rlhf`."""

from __future__ import annotations

from collections.abc import Mapping

from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.hyperparams import power_of_two_at_least
from tcao_tui.domain.policy.renderer import thinks
from tcao_tui.domain.policy.score import grader_for
from tcao_tui.domain.policy.situation import INSPECTED, Situation, filled

SHORTEST_ANSWER, WORKING_OUT, LONGEST_ANSWER = 128, 1024, 4096
"""Tokens to sample: at least, where an answer has to be worked out, and at most."""


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
    model, tokens, train = situation.model, situation.tokens, situation.train
    limit = min(LONGEST_ANSWER, (model.context_length if model and model.context_length else 2 * LONGEST_ANSWER) // 2)
    if thinks(situation.text("training.renderer_name")):
        return filled(
            limit, "answers think first, and one that is cut off earns nothing", "cookbook: 4,096 for reasoning"
        )
    if tokens is None or train is None:
        return filled(min(512, limit), "the length of answers is not known yet", "cookbook")
    is_worked_out = train.answer_shape in ("number", "final_number")
    least = WORKING_OUT if is_worked_out else SHORTEST_ANSWER
    room = min(limit, max(least, power_of_two_at_least(1.5 * tokens.longest_answer)))
    longest = f"the longest wanted answer has {tokens.longest_answer:,} tokens"
    way = ", which does not count the way there" if is_worked_out and train.kind == "problem" else ""
    return filled(room, f"{longest}{way}; one that is cut off earns nothing", tokens.how, by="data")
