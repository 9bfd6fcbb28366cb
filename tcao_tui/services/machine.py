"""Checks of the machine that a console runs on: terminal, session, disk, and what happens to workers at log-out."""

from __future__ import annotations

import locale
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["ok", "warn", "fail"]

MIN_COLUMNS, MIN_LINES = 80, 24
_LOW_DISK_BYTES = 2 * 1024**3
_GIGABYTE = 1024**3


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; `fix` is what helps, empty when nothing has to be done."""

    name: str
    state: State
    found: str
    fix: str = ""


def terminal(environ: Mapping[str, str]) -> Iterator[Check]:
    """What the console can be drawn on."""
    name = environ.get("TERM", "")
    if not sys.stdout.isatty():
        yield Check("terminal", "ok", "stdout is no terminal: commands work, the console does not open")
    elif name in ("", "dumb"):
        yield Check("terminal", "fail", f"TERM={name or '(unset)'}", "export TERM=xterm-256color")
    else:
        size = shutil.get_terminal_size()
        colours = environ.get("COLORTERM") or ("256 colours" if "256" in name else "few colours")
        small = size.columns < MIN_COLUMNS or size.lines < MIN_LINES
        yield Check(
            "terminal",
            "warn" if small else "ok",
            f"{name}, {colours}, {size.columns}x{size.lines}",
            f"make it at least {MIN_COLUMNS}x{MIN_LINES}" if small else "",
        )
    encoding = locale.getpreferredencoding(False)
    good = encoding.lower().replace("-", "") == "utf8"
    yield Check("encoding", "ok" if good else "warn", encoding, "" if good else "export LANG=C.UTF-8, for the charts")


def session(environ: Mapping[str, str]) -> Check:
    """How the terminal is reached; workers survive all of it."""
    inside = [n for n, v in (("tmux", "TMUX"), ("screen", "STY"), ("ssh", "SSH_CONNECTION")) if environ.get(v)]
    found = ", ".join(inside) or "local"
    if "ssh" in inside and len(inside) == 1:
        return Check("session", "ok", f"{found}; workers go on when the connection breaks, the console is reopened")
    return Check("session", "ok", found)


def runs_root(root: Path) -> Check:
    """Whether the store can live where the runs are."""
    from tcao_tui.store.filesystem import describe

    there = next(p for p in (root, *root.parents) if p.exists())
    if not os.access(there, os.W_OK):
        return Check("runs", "fail", f"{root}: not writable", "set TCAO_RUNS_DIR to a directory of yours")
    kind, is_local = describe(there)
    if not is_local:
        return Check(
            "runs", "fail", f"{root} is on {kind}, where SQLite is not safe", "set TCAO_RUNS_DIR to a local disk"
        )
    return Check("runs", "ok", f"{root} on {kind}{'' if root.exists() else ', not made yet'}")


def disk(root: Path) -> Check:
    """Room for runs."""
    there = next(p for p in (root, *root.parents) if p.exists())
    free = shutil.disk_usage(there).free
    low = free < _LOW_DISK_BYTES
    return Check(
        "disk",
        "warn" if low else "ok",
        f"{free / _GIGABYTE:.1f} GB free",
        "make room, or set TCAO_RUNS_DIR" if low else "",
    )


def kill_user_processes(system: Path) -> Check:
    """Whether systemd ends detached workers at log-out; `system` is `/`, tests give another."""
    if not (system / "run/systemd/system").is_dir():
        return Check("log-out", "ok", "no systemd, so detached workers go on")
    setting = "no"
    etc = system / "etc/systemd"
    for path in [etc / "logind.conf", *sorted((etc / "logind.conf.d").glob("*.conf"))]:
        try:
            lines = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for value in re.findall(r"^\s*KillUserProcesses\s*=\s*(\S+)", lines, re.MULTILINE):
            setting = value.lower()
    if setting in {"yes", "true", "on", "1"}:
        return Check(
            "log-out", "warn", "KillUserProcesses=yes: log-out ends detached workers", "loginctl enable-linger"
        )
    return Check("log-out", "ok", "detached workers go on after log-out")
