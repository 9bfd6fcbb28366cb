"""The real `tcao` in processes of its own, with places of its own, for tests of whole flows.

Out of scope: what the flows are; `tests/e2e` has them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 240.0
"""How long a command may take on a machine that others keep busy too."""


class CommandLine:
    """`tcao` on a runs root and a state directory below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runs = root / "runs"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TINKER_", "TCAO_"))}
        self.environ = kept | {
            "HOME": str(root),
            "TCAO_RUNS_DIR": str(self.runs),
            "TCAO_STATE_DIR": str(root / "state"),
            "TCAO_CONFIG_DIR": str(root / "config"),
            "TCAO_CACHE_DIR": str(root / "cache"),
            "TOKENIZERS_PARALLELISM": "false",
        }

    def call(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run one command without a terminal and check its exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "tcao_tui", *arguments],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == code, f"tcao {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def ask(self, *arguments: str, code: int = 0) -> Any:
        """Run one command with `--output json` and return what it says."""
        return json.loads(self.call(*arguments, "--output", "json", code=code).stdout)

    def until(self, run_id: str, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask `tcao show` until it is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so(shown := self.ask("show", run_id)):
            assert time.monotonic() < deadline, shown
        return shown
