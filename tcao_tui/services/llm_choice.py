"""Which LLM interviews, and whether one can: decided from settings and environment, without loading its SDK.

Making the client is the business of `planner.llm.access`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tcao_tui.clients.llm_port import LlmProfile
from tcao_tui.services.backends import key_source
from tcao_tui.settings import PlannerSettings, Settings

_KEY_NAMES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE")
_FEDERATION_NAMES = ("ANTHROPIC_FEDERATION_RULE_ID", "ANTHROPIC_ORGANIZATION_ID")


def why_no_llm(settings: Settings, environ: Mapping[str, str] | None = None) -> str | None:
    """Why no LLM can interview, for a person; None when one can. Nothing is asked of any server."""
    environ = os.environ if environ is None else environ
    chosen = settings.planner
    if chosen.who == "rules":
        return "the settings say planner.who: rules"
    if key_source(chosen).kind != "sdk" or _address(chosen, environ) is not None or found_anthropic_key(environ):
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


def _address(chosen: PlannerSettings, environ: Mapping[str, str]) -> str | None:
    return chosen.base_url or environ.get("ANTHROPIC_BASE_URL") or None


def found_anthropic_key(environ: Mapping[str, str]) -> bool:
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
