"""Processes forked from one that has imported torch, PEFT, the SDK and the methods, which takes 8 CPU seconds.

Out of scope: what runs in them; see `engine_process` and `real_lab`.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

IMPORTED_ONCE = (
    "tcao_tui.engine.__main__",
    "tcao_tui.engine.backend",
    "tcao_tui.clients.tinker_sdk",
    "tcao_tui.methods.dpo.run",
    "tcao_tui.methods.distill.run",
    "tcao_tui.methods.pipeline.run",
    "tcao_tui.methods.rl.run",
    "tcao_tui.worker.__main__",
)


def forked(
    main: Callable[[Sequence[str]], int], arguments: Sequence[str], *, env: Mapping[str, str], log: Path
) -> BaseProcess:
    """Run a program's `main` in a forked process.

    Args:
        main: A function of a module, which returns the exit status.
        arguments: What it gets.
        env: The whole environment.
        log: Where its output is appended.
    """
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(list(IMPORTED_ONCE))
    process = forking.Process(target=_run, args=(main, arguments, env, log), daemon=True)
    process.start()
    return process


def _run(main: Callable[[Sequence[str]], int], arguments: Sequence[str], env: Mapping[str, str], log: Path) -> None:
    """Be the program: a session, an environment and a log of its own."""
    os.setsid()
    os.environ.clear()
    os.environ.update(env)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(written, 1)
    os.dup2(written, 2)
    raise SystemExit(main(arguments))
