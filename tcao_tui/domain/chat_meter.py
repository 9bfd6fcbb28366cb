"""What talking used: tokens and USD. A price that is not known makes the sum unknown, never smaller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tcao_tui.domain.chat import Conversation, Reply
from tcao_tui.domain.cost import known_sum, sampling_usd
from tcao_tui.domain.wording import count_text, money_text


@dataclass(frozen=True, slots=True)
class Meter:
    """Tokens of some answers; `usd` is None when a price is unknown."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    tokens: int = 0
    usd: float | None = 0.0

    @property
    def text(self) -> str:
        """`read 1.23k (cached 900) · wrote 340 · $0.0004`."""
        cached = f" (cached {count_text(self.cached_tokens)})" if self.cached_tokens else ""
        read = f"read {count_text(self.prompt_tokens)}{cached}"
        return f"{read} · wrote {count_text(self.tokens)} · {money_text(self.usd)}"


def cost_of(reply: Reply) -> float | None:
    """USD of one answer; None when a price that it needs is unknown."""
    prices = reply.prices
    return sampling_usd(
        prices.prefill_usd,
        prices.sample_usd,
        read=reply.prompt_tokens,
        cached=reply.cached_tokens,
        written=reply.tokens,
    )


def metered(replies: Iterable[Reply | None]) -> Meter:
    """The sum over answers."""
    there = [reply for reply in replies if reply is not None]
    return Meter(
        prompt_tokens=sum(reply.prompt_tokens for reply in there),
        cached_tokens=sum(reply.cached_tokens for reply in there),
        tokens=sum(reply.tokens for reply in there),
        usd=known_sum(map(cost_of, there)),
    )


def meter_of(conversation: Conversation) -> Meter:
    """All of a conversation."""
    return metered(reply for one in conversation.rounds for each in one.exchanges for reply in each.replies)
