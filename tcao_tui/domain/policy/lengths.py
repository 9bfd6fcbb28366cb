"""Tokens per row: long enough for every row where the model's context allows it."""

from __future__ import annotations

from collections.abc import Mapping

from tcao_tui.domain.draft import Alternative, Filled, KeyPath
from tcao_tui.domain.hyperparams import power_of_two_at_least
from tcao_tui.domain.policy.situation import Situation, filled

SHORTEST = 128
JUDGED_TOGETHER = ("rlhf", "preference_model")
JUDGING_FRAME = 128
"""Tokens around a prompt and its two answers where they are judged together; a byte may be a token."""


def decide(situation: Situation) -> Mapping[KeyPath, Filled]:
    """`training.max_seq_len`, once rows and base model are known."""
    tokens, model = situation.tokens, situation.model
    if tokens is None or model is None or situation.train is None:
        return {}
    sampled = _sampled(situation)
    is_answer_in_row = situation.train.kind not in ("problem", "prompt")
    longest = tokens.longest
    if sampled:
        longest += sampled - (tokens.longest_answer if is_answer_in_row else 0)
    together = situation.method in JUDGED_TOGETHER
    if together:
        answers = 2 * max(tokens.longest_answer, sampled)
        longest = tokens.longest - tokens.longest_answer + answers + JUDGING_FRAME
    context = model.context_length or power_of_two_at_least(max(longest, SHORTEST))
    needed = max(SHORTEST, power_of_two_at_least(longest))
    length = min(needed, context)
    measured = situation.train.tokens
    p95 = "" if measured is None or sampled else f", 95% at most {measured.row.p95:,}"
    rows = f"the longest row has {longest:,} tokens{p95}"
    if sampled:
        rows = f"the longest prompt and {sampled:,} sampled tokens make {longest:,}"
    if together:
        rows = f"the longest prompt and both its answers, judged together, make about {longest:,}"
    fits = longest <= length
    reason = (
        f"{rows}: nothing is cut" if fits else f"{rows}: more than the model's context of {context:,}, so it is cut"
    )
    shorter = (
        power_of_two_at_least(measured.row.p95) if measured is not None and not sampled and not together else length
    )
    others = ()
    if SHORTEST <= shorter < length:
        why = "cuts the longest rows, at most 5% of them, and saves their tokens"
        others = (Alternative(value=shorter, label=f"{shorter:,}", why=why),)
    return {"training.max_seq_len": filled(length, reason, tokens.how, by="data", alternatives=others)}


def _sampled(situation: Situation) -> int:
    """Tokens that the method samples per answer; 0 for methods that only train on the rows."""
    method = situation.method
    return situation.count(f"{method}.max_tokens") if method in ("rl", "distill", "rlhf") else 0
