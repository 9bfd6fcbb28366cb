"""A helper that answers prompts by a script, in place of a server; and contenders."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, cast

from tcao_tui.clients.backend_calls import Call, Nothing, Shape
from tcao_tui.clients.chat_calls import Answered, Ask, ChatReply
from tcao_tui.domain.chat import Contender, Reply
from tcao_tui.services.backend_helper import GivenUp, Ticket

BASE = Contender(source="acme/base-1B", label="base")
TRAINED = Contender(source="tinker://lora/sampler_weights/001-000080", label="demo:80", renderer="qwen3_instruct")


def last_words(contender: Contender, ask: Ask) -> Reply:
    """Says who answers and what was asked."""
    text = f"{contender.label} on {ask.messages[-1].content}"
    return Reply(base_model="acme/base-1B", text=text, prompt_tokens=10, tokens=len(text), seconds=1.5)


class ChatHelper:
    """Answers in order; `calls` is what was asked.

    Args:
        answer: The reply of a contender to an ask; an error is raised, None waits until it is given up.
    """

    def __init__(self, answer: Callable[[Contender, Ask], Reply | Exception | None] = last_words) -> None:
        self.calls: list[ChatReply] = []
        self.is_closed = False
        self.is_waiting = threading.Event()
        self._answer = answer

    def call[PartT: Shape, ResultT: Shape](
        self, call: Call[PartT, ResultT], on_part: Callable[[PartT], None] | None = None, ticket: Ticket | None = None
    ) -> ResultT:
        asked = cast("ChatReply", call)
        self.calls.append(asked)
        given_up = threading.Event()
        if ticket is not None:
            ticket.begun(given_up.set)
        for at, ask in enumerate(asked.asks):
            match self._answer(asked.contenders[ask.contender], ask):
                case Exception() as error:
                    raise error
                case None:
                    self.is_waiting.set()
                    assert given_up.wait(30)
                    raise GivenUp("it was given up")
                case reply:
                    assert on_part is not None
                    on_part(cast("Any", Answered(ask=at, reply=reply)))
        return cast("Any", Nothing())

    def close(self) -> None:
        self.is_closed = True

    @property
    def sent(self) -> list[list[Sequence[str]]]:
        """Role and content of every turn that was sent, by call and ask."""
        return [[[turn.content for turn in ask.messages] for ask in call.asks] for call in self.calls]
