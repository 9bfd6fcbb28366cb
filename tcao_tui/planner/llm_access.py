"""Which LLM interviews, and with which key: decided from settings and environment, without loading the SDK."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from tcao_tui import paths
from tcao_tui.clients.llm_port import LlmClient, LlmProfile
from tcao_tui.planner.llm_planner import LlmPlanner
from tcao_tui.planner.port import Tool
from tcao_tui.planner.scrubber import Scrubber
from tcao_tui.registry import Registry
from tcao_tui.services.backends import key_source, read_key
from tcao_tui.settings import PlannerSettings, Settings

_KEY_NAMES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE")
_FEDERATION_NAMES = ("ANTHROPIC_FEDERATION_RULE_ID", "ANTHROPIC_ORGANIZATION_ID")
_NO_KEY_NEEDED = SecretStr("none")
"""Sent to a compatible server when there is no key at all: local ones ask for none, and the SDK insists on one."""


def why_no_llm(settings: Settings, environ: Mapping[str, str] | None = None) -> str | None:
    """Why no LLM can interview, for a person; None when one can. Nothing is asked of any server."""
    environ = os.environ if environ is None else environ
    chosen = settings.planner
    if chosen.who == "rules":
        return "the settings say planner.who: rules"
    if key_source(chosen).kind != "sdk" or _address(chosen, environ) is not None or _found_key(environ):
        return None
    return "no Anthropic key found: export ANTHROPIC_API_KEY=..., or set planner.key_env or planner.base_url"


def llm_profile(chosen: PlannerSettings, environ: Mapping[str, str]) -> LlmProfile:
    """Model, server, and what the server understands: all at Anthropic's own, only what was asked for elsewhere."""
    address = _address(chosen, environ)
    host = urlsplit(address or "").hostname or ""
    is_anthropic = address is None or host == "anthropic.com" or host.endswith(".anthropic.com")
    return LlmProfile(
        chosen.model,
        base_url=address,
        strict=is_anthropic if chosen.strict is None else chosen.strict,
        cache=is_anthropic if chosen.cache is None else chosen.cache,
        thinking=chosen.thinking or ("summarized" if is_anthropic else "none"),
        effort=chosen.effort,
        api_version=chosen.api_version,
        max_output_tokens=chosen.max_output_tokens,
    )


def llm_opener(settings: Settings, environ: Mapping[str, str] | None = None) -> Callable[[], LlmClient]:
    """What makes the client when it is first needed: it reads the key and loads the SDK, 1.6 s.

    Returns:
        A function that raises `CredentialsError` when the key's place is empty or cannot be read.
    """
    environ = os.environ if environ is None else environ
    chosen = settings.planner

    def open_client() -> LlmClient:
        key = _key(chosen, environ)
        from tcao_tui.clients.llm_anthropic import AnthropicLlm, log_to

        log_to(paths.state_dir() / "planner.log")
        return AnthropicLlm(llm_profile(chosen, environ), key)

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
    return None if _found_key(environ) else _NO_KEY_NEEDED


def _address(chosen: PlannerSettings, environ: Mapping[str, str]) -> str | None:
    return chosen.base_url or environ.get("ANTHROPIC_BASE_URL") or None


def _found_key(environ: Mapping[str, str]) -> bool:
    """Whether the SDK would find a credential, in its own places; the credential itself is not looked at."""
    if any(environ.get(name) for name in _KEY_NAMES) or all(environ.get(name) for name in _FEDERATION_NAMES):
        return True
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    folder = Path(environ.get("ANTHROPIC_CONFIG_DIR") or home / ".config" / "anthropic")
    try:
        active = (folder / "active_config").read_text(encoding="utf-8").strip() or "default"
    except OSError:
        active = "default"
    try:
        return isinstance(json.loads((folder / "configs" / f"{active}.json").read_text(encoding="utf-8")), dict)
    except (OSError, ValueError):
        return False
