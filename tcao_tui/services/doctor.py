"""What is found and what is missing on this machine: one line per check, each with the way to mend it.

Looks only: starts nothing, spends nothing, sends nothing, and never reads out a key. The checks of the machine itself
are in `services.machine`.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tcao_tui import __version__, paths
from tcao_tui.errors import TcaoError
from tcao_tui.services import engine_server
from tcao_tui.services.backends import Profile, connection, found_credential, key_source, resolve_profile
from tcao_tui.services.llm_choice import llm_profile, why_no_llm
from tcao_tui.services.machine import Check, disk, kill_user_processes, runs_root, session, terminal
from tcao_tui.settings import RESERVED_PROFILES, Settings, load_settings

PACKAGES = ("tinker", "tinker-cookbook", "textual", "torch", "transformers", "peft", "inspect-ai", "anthropic")


def examine(root: Path, environ: Mapping[str, str]) -> Iterator[Check]:
    """All checks in the order of reading; `root` is the runs root."""
    yield _python()
    yield _packages()
    yield from terminal(environ)
    yield session(environ)
    settings, told = _settings()
    yield told
    yield _credential(environ)
    yield from _backend(settings, environ)
    yield _planner(settings, environ)
    yield _engine()
    yield runs_root(root)
    yield disk(root)
    yield kill_user_processes(Path("/"))


def _python() -> Check:
    found = f"tcao {__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}"
    good = sys.version_info[:2] == (3, 12)
    return Check("python", "ok" if good else "fail", found, "" if good else "use Python 3.12: `make setup`")


def _packages() -> Check:
    found: list[str] = []
    missing: list[str] = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return Check("packages", "fail", f"missing: {', '.join(missing)}", "make setup")
    return Check("packages", "ok", ", ".join(found))


def _settings() -> tuple[Settings, Check]:
    path = paths.settings_file()
    try:
        settings = load_settings(path)
    except TcaoError as error:
        return Settings(), Check("settings", "fail", str(error), f"correct {path}; keys: {', '.join(_known_keys())}")
    where = str(path) if path.exists() else f"none, so defaults ({path})"
    return settings, Check(
        "settings", "ok", f"{where}; profiles: {', '.join([*RESERVED_PROFILES, *settings.profiles])}"
    )


def _known_keys() -> list[str]:
    return list(Settings.model_fields)


def _credential(environ: Mapping[str, str]) -> Check:
    credential = found_credential(environ)
    if credential is None:
        return Check(
            "tinker key", "ok", "none, so runs go to the local engine", "export TINKER_API_KEY, or `tinker auth login`"
        )
    key = environ.get("TINKER_API_KEY", "") if credential == "TINKER_API_KEY" else "tml-"
    if not key.startswith(("tml-", "eyJ")):
        return Check("tinker key", "fail", "TINKER_API_KEY is not a Tinker key", "Tinker keys start with tml-")
    return Check("tinker key", "ok", f"found: {credential}")


def _backend(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    try:
        chosen = resolve_profile(settings, None, environ)
    except TcaoError as error:
        yield Check("backend", "fail", str(error), error.next_step)
        return
    yield Check("backend", "ok", f"{chosen.name} ({chosen.why})", "--backend NAME or TCAO_BACKEND chooses another")
    for name in settings.profiles:
        yield _profile_key(resolve_profile(settings, name, environ), environ)


def _profile_key(profile: Profile, environ: Mapping[str, str]) -> Check:
    label = f"profile {profile.name}"
    if profile.key_source.kind == "command":
        return Check(label, "ok", f"{profile.base_url or 'Tinker'}, key: {profile.key_source.describe()} (not run)")
    try:
        connection(profile, environ)
    except TcaoError as error:
        return Check(label, "fail", str(error), error.next_step or f"give the {profile.key_source.describe()}")
    return Check(label, "ok", f"{profile.base_url or 'Tinker'}, key found: {profile.key_source.describe()}")


def _planner(settings: Settings, environ: Mapping[str, str]) -> Check:
    if (why_not := why_no_llm(settings, environ)) is not None:
        return Check("planner", "ok", f"the rules interview: {why_not}")
    profile = llm_profile(settings.planner, environ)
    key = key_source(settings.planner)
    source = "environment or profile of the Anthropic SDK" if key.kind == "sdk" else key.describe()
    where = profile.base_url or "Anthropic"
    return Check("planner", "ok", f"{profile.model} at {where}, key: {source}", "planner.who: rules does without")


def _engine() -> Check:
    found = engine_server.status(paths.engine_dir())
    if found.url is None:
        return Check("engine", "ok", "not running; it is started when it is needed", "tcao engine start")
    if not found.answers:
        return Check(
            "engine", "fail", f"pid {found.pid} at {found.url} does not answer", "tcao engine stop; tcao engine start"
        )
    return Check("engine", "ok", f"{found.url}, pid {found.pid}, models: {', '.join(found.models)}")
