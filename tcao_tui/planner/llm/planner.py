"""The LLM planner: a model interviews through the same tools, slots and gates as the rules planner.

Whatever the model writes, only tools run, and no tool approves or launches. The talk itself is `llm_talk`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

from tcao_tui.clients.llm_port import LlmClient, LlmFailure, ToolSpec
from tcao_tui.domain.interview import PlannerName
from tcao_tui.errors import TcaoError
from tcao_tui.planner.llm.context import is_the_persons_turn
from tcao_tui.planner.llm.retry import Patience
from tcao_tui.planner.llm.talk import Talk
from tcao_tui.planner.llm.tool_specs import tool_specs
from tcao_tui.planner.port import HandOver, Interview, Tool
from tcao_tui.planner.prompts import system_prompt
from tcao_tui.planner.scrubber import Scrubber
from tcao_tui.registry import Registry
from tcao_tui.settings import PlannerSettings


class LlmPlanner:
    """Interviews through an LLM; see `planner.port.Planner`.

    Args:
        open_client: Makes the client; it loads the SDK and reads the key, so it is called late and in a thread.
        tools: What the model may call.
        settings: Limits and switches.
        scrubber: Keeps secrets out of what is sent.
        can_ask: Whether a person is there to answer cards; without one the model is not given `ask_user`.
        sleep: Waits between attempts.
    """

    name: ClassVar[PlannerName] = "llm"

    def __init__(
        self,
        open_client: Callable[[], LlmClient],
        tools: Registry[type[Tool]],
        settings: PlannerSettings,
        scrubber: Scrubber,
        *,
        can_ask: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._open_client = open_client
        self._registry = tools
        self._settings = settings
        self._scrubber = scrubber
        self._can_ask = can_ask
        self._tools: tuple[ToolSpec, ...] = ()
        self._patience = Patience(settings.retries, settings.retry_after_seconds, sleep)

    async def go_on(self, interview: Interview) -> None:
        """Work until it is the person's turn; see `planner.port.Planner.go_on`."""
        self._tools, system = await asyncio.to_thread(self._prompt)
        talk = Talk(interview, self._settings, self._scrubber, self._patience, system, self._tools)
        if is_the_persons_turn(interview.state, talk.conversation()):
            return
        try:
            client = await asyncio.to_thread(self._open_client)
        except (TcaoError, LlmFailure) as error:
            raise HandOver(f"{error}; {error.next_step}".rstrip("; ")) from error
        try:
            await talk.go_on(client)
        finally:
            await client.close()
        self._tools = talk.tools

    def _prompt(self) -> tuple[tuple[ToolSpec, ...], str]:
        """Tools and system prompt; imports and reads files, so it is called in a thread."""
        without = () if self._can_ask else ("ask_user",)
        return self._tools or tool_specs(self._registry, without=without), system_prompt(can_ask=self._can_ask)
