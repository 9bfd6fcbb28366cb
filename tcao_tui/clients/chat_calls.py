"""The call of a helper process that lets contenders answer."""

from __future__ import annotations

from pydantic import Field

from tcao_tui.clients.backend_calls import Call, Nothing, Shape
from tcao_tui.domain.chat import ChatSettings, Contender, Message, Reply

REPLIES_AT_ONCE = 16
"""Answers that are sampled at a time."""


class Ask(Shape):
    """A conversation that one contender is to go on with; `contender` is its place in the call."""

    contender: int
    messages: tuple[Message, ...]


class Answered(Shape):
    """An answer, told as soon as it is there whole: the SDK 0.38 has no call that streams. `ask` is its place."""

    ask: int
    reply: Reply


class ChatReply(Call[Answered, Nothing]):
    """Let every ask be answered; one that fails is a reply with an error, and the others go on."""

    name = "chat.reply"
    part = Answered
    result = Nothing

    contenders: tuple[Contender, ...]
    settings: ChatSettings
    asks: tuple[Ask, ...]
    at_once: int = Field(default=REPLIES_AT_ONCE, ge=1)
