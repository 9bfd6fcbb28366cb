"""Preference pairs as tokens that tell which pair and which side they are."""

from __future__ import annotations

from pathlib import Path

from tcao_tui.methods.pairs import PairRows

PROMPT_TOKENS = 3


def make_pairs(count: int) -> PairRows:
    """Pair n: a prompt of three tokens 1, then once or twice the token n + 10."""
    pairs = PairRows(Path("pairs.jsonl"), 100)
    for n in range(count):
        sides = [([1] * PROMPT_TOKENS + [n + 10] * times, [False] * PROMPT_TOKENS + [True] * times) for times in (1, 2)]
        pairs.add((sides[0], sides[1]), n + 1)
    return pairs
