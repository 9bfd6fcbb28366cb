"""Which server a command talks to, and the key for it: profiles resolved from options, environment and settings.

Starting and stopping the engine is the business of `services.engine_server`; the SDK itself is never imported here.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from tcao_tui import paths
from tcao_tui.errors import BackendError, CredentialsError, UsageError
from tcao_tui.services import engine_server
from tcao_tui.settings import RESERVED_PROFILES, ServerSettings, Settings

KEY_COMMAND_SECONDS = 30
"""How long a key command may take; password managers ask a person."""


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a key comes from, never the key: `value` is a variable, a path or a command line."""

    kind: Literal["engine", "sdk", "env", "file", "command"]
    value: str = ""

    def describe(self) -> str:
        """For people; a command line is not repeated, since it may carry a secret."""
        match self.kind:
            case "engine":
                return "made by the engine"
            case "sdk":
                return "Tinker SDK (TINKER_API_KEY, TINKER_CREDENTIAL_CMD, `tinker auth login`)"
            case "env":
                return f"environment variable {self.value}"
            case "file":
                return f"file {self.value}"
            case "command":
                return "key_command of the settings"


@dataclass(frozen=True, slots=True)
class Profile:
    """A server by name; `why` says what chose it, `base_url` None is the SDK's default."""

    name: str
    kind: Literal["engine", "tinker"]
    base_url: str | None
    key_source: KeySource
    why: str


@dataclass(frozen=True, slots=True)
class Connection:
    """Address and key as the SDK takes them; None leaves the choice to the SDK."""

    base_url: str | None
    api_key: SecretStr | None


def found_credential(environ: Mapping[str, str]) -> str | None:
    """Where the SDK would find a key, in its own order, or None; the key itself is not looked at."""
    for name in ("TINKER_API_KEY", "TINKER_CREDENTIAL_CMD"):
        if environ.get(name):
            return name
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    path = home / ".tinker" / "credentials.json"
    try:
        stored: Any = json.loads(path.read_text(encoding="utf-8"))
        default = stored["default"]
        return str(path) if default is not None and default in stored["keys"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def resolve_profile(settings: Settings, name: str | None = None, environ: Mapping[str, str] | None = None) -> Profile:
    """The server to use: `name` (an option), else TCAO_BACKEND, else the settings, else Tinker when a key is found.

    Raises:
        UsageError: No profile is called so.
    """
    environ = os.environ if environ is None else environ
    if name:
        return _named(settings, name, "--backend")
    if chosen := environ.get("TCAO_BACKEND"):
        return _named(settings, chosen, "TCAO_BACKEND")
    if settings.backend:
        return _named(settings, settings.backend, "settings")
    if credential := found_credential(environ):
        return _named(settings, "tinker", f"key found: {credential}")
    return _named(settings, "local", "no Tinker key found")


def _named(settings: Settings, name: str, why: str) -> Profile:
    if name == "local":
        return Profile(name, "engine", None, KeySource("engine"), why)
    if name == "tinker":
        return Profile(name, "tinker", None, KeySource("sdk"), why)
    custom = settings.profiles.get(name)
    if custom is None:
        known = [*RESERVED_PROFILES, *settings.profiles]
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
        raise UsageError(f"no backend called {name!r}; {hint}", where=why, next_step="tcao doctor")
    return Profile(name, "tinker", custom.base_url, key_source(custom), why)


def key_source(custom: ServerSettings) -> KeySource:
    """Where the settings say that a server's key comes from."""
    if custom.key_env is not None:
        return KeySource("env", custom.key_env)
    if custom.key_file is not None:
        return KeySource("file", str(custom.key_file.expanduser()))
    if custom.key_command is not None:
        return KeySource("command", custom.key_command)
    return KeySource("sdk")


def connection(profile: Profile, environ: Mapping[str, str] | None = None) -> Connection:
    """Address and key of a profile, read now.

    Raises:
        BackendError: The engine is not running.
        CredentialsError: The key's place is empty or cannot be read.
    """
    environ = os.environ if environ is None else environ
    if profile.kind == "engine":
        status = engine_server.status(paths.engine_dir())
        if status.url is None:
            raise BackendError("the local engine is not running", next_step="tcao engine start")
        return Connection(status.url, SecretStr(engine_server.read_key(paths.engine_dir())))
    if profile.key_source.kind == "sdk":
        if found_credential(environ) is None:
            raise CredentialsError(
                "no Tinker key found",
                where=f"profile {profile.name}",
                next_step="export TINKER_API_KEY=..., or `tinker auth login`, or --backend local",
            )
        return Connection(profile.base_url, None)
    return Connection(profile.base_url, read_key(profile.key_source, environ, where=f"profile {profile.name}"))


def ensure_engine(profile: Profile) -> None:
    """Start the local engine when the profile is the local one and it does not run. Raises `BackendError`."""
    if profile.kind == "engine":
        engine_server.start(paths.engine_dir())


def read_key(source: KeySource, environ: Mapping[str, str], *, where: str) -> SecretStr:
    """The key of an environment variable, a file or a command, read now.

    Raises:
        CredentialsError: There is none, or it cannot be read.
    """
    match source.kind:
        case "env":
            key = environ.get(source.value, "")
        case "file":
            key = _key_from_file(Path(source.value))
        case _:
            key = _key_from_command(source.value)
    if not key.strip():
        raise CredentialsError("the key is empty or missing", where=f"{where}: {source.describe()}")
    return SecretStr(key.strip())


def _key_from_file(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsError(f"the key file cannot be read: {type(error).__name__}", where=str(path)) from error
    return lines[0] if lines else ""


def _key_from_command(command: str) -> str:
    try:
        done = subprocess.run(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=KEY_COMMAND_SECONDS,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        # Neither the command line nor its output is repeated: both may hold the secret.
        raise CredentialsError(f"key_command failed ({type(error).__name__})", where="settings") from None
    return done.stdout
