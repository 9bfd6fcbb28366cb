"""The models of a backend, asked through a short-lived helper process and remembered for some minutes.

The helper is `tcao_tui.probes.models`; it is only named here, never imported.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from tcao_tui import paths
from tcao_tui.domain.capabilities import Capabilities
from tcao_tui.errors import BackendError, CredentialsError, ExitCode
from tcao_tui.services import engine_server
from tcao_tui.services.backends import Profile, connection, ensure_engine

HELPER_SECONDS = 120.0
"""Longest wait for the helper: importing the SDK takes seconds, a server that is away keeps it waiting."""

FRESH_SECONDS = 300.0
"""How long an answer is good for; prices and models change in days."""

type Ask = Callable[[Profile], Capabilities]


class _Remembered(BaseModel):
    """An answer with what it was asked of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: str
    capabilities: Capabilities


def ask_helper(profile: Profile) -> Capabilities:
    """Ask the server, whatever is remembered.

    Raises:
        CredentialsError: No key, or it was refused.
        BackendError: The server or the helper did not answer.
    """
    argv = [sys.executable, "-m", "tcao_tui.probes.models", "--profile", profile.name]
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HELPER_SECONDS, check=False
        )
        told = done.stdout.splitlines()[-1]
        answer: dict[str, Any] = json.loads(told)
        _raise_told(answer, done.returncode)
        return Capabilities.model_validate(answer)
    except subprocess.TimeoutExpired as error:
        what = f"the server did not name its models within {HELPER_SECONDS:.0f} s"
        raise BackendError(what, where=f"profile {profile.name}", next_step="tcao doctor") from error
    except (OSError, ValueError, IndexError) as error:
        what = f"the helper that asks for the server's models failed ({type(error).__name__})"
        raise BackendError(what, where=f"profile {profile.name}", next_step="tcao doctor") from error


def capabilities(
    profile: Profile,
    *,
    start_engine: bool = True,
    fresh: bool = False,
    ask: Ask = ask_helper,
    now: Callable[[], float] = time.time,
) -> Capabilities:
    """What a backend offers.

    Args:
        profile: The backend.
        start_engine: Start the local engine where it is the backend and does not run.
        fresh: Ask again whatever is remembered.
        ask: Asks the server.
        now: Unix seconds.

    Raises:
        CredentialsError: No key, or it was refused.
        BackendError: The server does not answer, or the engine does not run and was not to be started.
    """
    if start_engine:
        ensure_engine(profile)
    if profile.key_source.kind != "command":
        # What is missing is told at once instead of after the helper's seconds of imports; a command may ask a person.
        connection(profile)
    server, place = _server(profile), paths.cache_dir() / "models" / f"{profile.name}.json"
    known = None if fresh else _recall(place)
    if known is not None and known.server == server and 0 <= now() - known.capabilities.asked_at < FRESH_SECONDS:
        return known.capabilities
    found = ask(profile)
    _remember(place, _Remembered(server=server, capabilities=found))
    return found


def _raise_told(answer: dict[str, Any], code: int) -> None:
    """Raise the helper's error, when it told one."""
    if "error" in answer:
        kind = CredentialsError if code == ExitCode.CREDENTIALS else BackendError
        raise kind(**answer["error"])


def _server(profile: Profile) -> str:
    """What an answer depends on: the address, and for the engine the models that it was started with."""
    if profile.kind == "engine":
        status = engine_server.status(paths.engine_dir())
        return f"{status.url} {status.pid} {sorted(status.models)}"
    return profile.base_url or os.environ.get("TINKER_BASE_URL") or "Tinker"


def _recall(place: Path) -> _Remembered | None:
    try:
        return _Remembered.model_validate_json(place.read_bytes())
    except (OSError, ValidationError):
        return None


def _remember(place: Path, answer: _Remembered) -> None:
    """Keep an answer; a cache that cannot be written only costs time."""
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_suffix(f".{os.getpid()}.tmp")
        unfinished.write_text(answer.model_dump_json(), encoding="utf-8")
        unfinished.replace(place)
