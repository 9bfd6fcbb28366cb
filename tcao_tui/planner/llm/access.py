"""Making the LLM planner: the key is read and the SDK loaded when it is first needed, and not before."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache

from pydantic import SecretStr

from tcao_tui import paths
from tcao_tui.clients.llm_port import LlmClient
from tcao_tui.planner.llm.planner import LlmPlanner
from tcao_tui.planner.port import Tool
from tcao_tui.planner.scrubber import Scrubber
from tcao_tui.registry import Registry
from tcao_tui.services.backends import key_source, read_key
from tcao_tui.services.llm_choice import found_anthropic_key, llm_profile
from tcao_tui.settings import PlannerSettings, Settings

_NO_KEY_NEEDED = SecretStr("none")
"""Sent to a compatible server when there is no key at all: local ones ask for none, and the SDK insists on one."""


def llm_opener(settings: Settings, environ: Mapping[str, str] | None = None) -> Callable[[], LlmClient]:
    """What makes the client when it is first needed: it reads the key and loads the SDK, 1.6 s.

    Returns:
        A function that raises `CredentialsError` when the key's place is empty or cannot be read.
    """
    environ = os.environ if environ is None else environ
    chosen = settings.planner
    key = cache(lambda: _key(chosen, environ))  # a key_command may ask a person, so it is run once

    def open_client() -> LlmClient:
        found = key()
        from tcao_tui.clients.llm_anthropic import AnthropicLlm, log_to

        log_to(paths.state_dir() / "planner.log")
        return AnthropicLlm(llm_profile(chosen, environ), found)

    return open_client


def llm_planner(
    settings: Settings, tools: Registry[type[Tool]], environ: Mapping[str, str] | None = None, *, can_ask: bool = True
) -> LlmPlanner:
    """The LLM planner as the settings say; whether one can be had is `why_no_llm`."""
    environ = os.environ if environ is None else environ
    return LlmPlanner(llm_opener(settings, environ), tools, settings.planner, Scrubber(environ), can_ask=can_ask)


def _key(chosen: PlannerSettings, environ: Mapping[str, str]) -> SecretStr | None:
    source = key_source(chosen)
    if source.kind != "sdk":
        return read_key(source, environ, where="planner")
    return None if found_anthropic_key(environ) else _NO_KEY_NEEDED
