"""Talking to weights as values: who answers, how it is sampled, and a conversation of rounds.

A round is one conversation that every contender leads for itself, from the same prompts; a vote on its last answers
ends it, so that no vote rests on another one. In blind mode the order of the contenders is drawn anew in each round,
and their names are told once it is voted on.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_CONTENDERS = 4


class Frozen(BaseModel):
    """A value that goes over a pipe and into a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ChatSettings(Frozen):
    """How answers are sampled.

    Attributes:
        max_tokens: Most tokens of one answer, thinking included.
        top_p: Share of the probability that is sampled from.
        seed: Makes answers repeatable where the server keeps to it; None draws anew.
        thinking: Whether answers begin with thinking, by the choice of the chat format; None as the format that the
            weights were trained with, or that is recommended, has it.
    """

    temperature: float = Field(default=0.7, ge=0, le=5)
    max_tokens: int = Field(default=1024, ge=1)
    top_p: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = Field(default=None, ge=0)
    thinking: bool | None = None


class Contender(Frozen):
    """Weights that answer.

    Attributes:
        source: Name of a base model, or a `tinker://` path of weights that can be sampled.
        label: What a person calls it.
        renderer: Chat format that it was trained with; empty when that is not known.
    """

    source: str
    label: str
    renderer: str = ""

    @property
    def is_base(self) -> bool:
        """Whether it is a base model."""
        return not self.source.startswith("tinker://")


class Message(Frozen):
    """One turn."""

    role: Literal["system", "user", "assistant"]
    content: str


class Prices(Frozen):
    """USD per million tokens; None is unknown, 0 is free."""

    prefill_usd: float | None = None
    sample_usd: float | None = None


class Reply(Frozen):
    """What a contender answered.

    Attributes:
        base_model: Model below the weights.
        renderer: Chat format that was used.
        text: The answer without thinking; all of it when it could not be read.
        thinking: What was thought before.
        prompt_tokens: Tokens read, `cached_tokens` of them from the cache of the server.
        tokens: Tokens written.
        is_cut: The limit of tokens ended it.
        problem: Why the answer could not be read as the chat format has it; empty when it could.
        error: Why there is no answer; empty when there is one.
        seconds: From asking the server to the whole answer.
    """

    base_model: str = ""
    renderer: str = ""
    text: str = ""
    thinking: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    tokens: int = 0
    is_cut: bool = False
    problem: str = ""
    error: str = ""
    seconds: float = 0.0
    prices: Prices = Prices()


class Exchange(Frozen):
    """A prompt and its answers, by the place of the contender; None where none came, as after a stop."""

    prompt: str
    replies: tuple[Reply | None, ...]


class Round(Frozen):
    """Exchanges up to a vote.

    Attributes:
        system: System prompt; empty for none.
        order: Contenders in the order of their columns.
        vote: Contender whose last answer was the best; "tie" when nobody's was; None before a vote.
    """

    system: str = ""
    order: tuple[int, ...]
    exchanges: tuple[Exchange, ...] = ()
    vote: int | Literal["tie"] | None = None

    def has_answers(self, contender: int) -> bool:
        """Whether there is an answer of this contender at the end of the round."""
        return bool(self.exchanges) and _answer(self.exchanges[-1], contender) is not None

    @property
    def can_be_voted(self) -> bool:
        """Whether two answers at least stand side by side, and nobody voted yet."""
        return self.vote is None and sum(self.has_answers(each) for each in self.order) > 1

    def messages(self, contender: int) -> list[Message]:
        """The round as this contender knows it; prompts that it did not answer are left out."""
        found = [Message(role="system", content=self.system)] if self.system else []
        for exchange in self.exchanges:
            if (reply := _answer(exchange, contender)) is not None:
                found.append(Message(role="user", content=exchange.prompt))
                found.append(Message(role="assistant", content=reply.text))
        return found


def _answer(exchange: Exchange, contender: int) -> Reply | None:
    reply = exchange.replies[contender]
    return reply if reply is not None and not reply.error else None


class Conversation(Frozen):
    """All that was said with the same contenders.

    Attributes:
        chat_id: Names it among the conversations that are kept.
        created_at: Unix seconds.
        backend: Name of the server's profile.
        system: System prompt of the next round; empty for none.
        is_blind: Who answers is told after the vote.
        blind_seed: What the orders are drawn from.
    """

    chat_id: str
    created_at: float
    backend: str = ""
    contenders: tuple[Contender, ...]
    settings: ChatSettings = ChatSettings()
    system: str = ""
    is_blind: bool = False
    blind_seed: int = 0
    rounds: tuple[Round, ...] = ()

    @property
    def round(self) -> Round:
        """The round that goes on, or the next one."""
        if self.rounds and self.rounds[-1].vote is None:
            return self.rounds[-1]
        return Round(system=self.system, order=self._order(len(self.rounds)))

    @property
    def title(self) -> str:
        """The first prompt; empty before it."""
        return next((each.prompt for one in self.rounds for each in one.exchanges), "")

    @property
    def hides_names(self) -> bool:
        """Whether the round that is looked at does not tell yet who answers."""
        return self.is_blind and not (self.rounds and self.rounds[-1].vote is not None)

    def _order(self, place: int) -> tuple[int, ...]:
        order = list(range(len(self.contenders)))
        if self.is_blind:
            random.Random(f"{self.blind_seed}/{place}").shuffle(order)
        return tuple(order)

    def asked(self, prompt: str) -> list[list[Message]]:
        """What each contender is sent for a prompt."""
        asking = Message(role="user", content=prompt)
        return [[*self.round.messages(each), asking] for each in range(len(self.contenders))]

    def answered(self, prompt: str, replies: Sequence[Reply | None]) -> Conversation:
        """With one more exchange."""
        now = self.round
        changed = now.model_copy(
            update={"exchanges": (*now.exchanges, Exchange(prompt=prompt, replies=tuple(replies)))}
        )
        kept = self.rounds[:-1] if self.rounds and self.rounds[-1].vote is None else self.rounds
        return self.model_copy(update={"rounds": (*kept, changed)})

    def voted(self, vote: int | Literal["tie"]) -> Conversation:
        """With a vote on the present round, for a contender or for nobody; the caller saw to it that it can be."""
        return self.model_copy(
            update={"rounds": (*self.rounds[:-1], self.rounds[-1].model_copy(update={"vote": vote}))}
        )

    def begun_anew(self) -> Conversation:
        """With an empty round at the end, so that the next prompt stands alone; a round without a vote stays so."""
        if not self.rounds or not self.rounds[-1].exchanges or self.rounds[-1].vote is not None:
            return self
        fresh = Round(system=self.system, order=self._order(len(self.rounds)))
        return self.model_copy(update={"rounds": (*self.rounds, fresh)})

    def with_blind(self, is_blind: bool) -> Conversation:
        """With names hidden or not, which begins a round."""
        return self if is_blind == self.is_blind else self._beginning_with(is_blind=is_blind)

    def with_system(self, system: str) -> Conversation:
        """With another system prompt, which begins a round."""
        return self if system == self.system else self._beginning_with(system=system)

    def _beginning_with(self, **changes: str | bool) -> Conversation:
        """With these changes and a round that begins with them; an empty round is taken back first."""
        kept = self.rounds[:-1] if self.rounds and not self.rounds[-1].exchanges else self.rounds
        return self.model_copy(update={**changes, "rounds": kept}).begun_anew()
