"""An error that is ours: a report on disk without secrets, and where it lies. Caught in `cli.main`."""

from __future__ import annotations

import platform
import re
import sys
import time
import traceback
from collections.abc import Mapping

from tcao_tui import __version__, paths
from tcao_tui.cli.context import CliContext
from tcao_tui.errors import ExitCode

_KEY_LIKE = re.compile(r"\b(?:tml-|sk-|hf_|eyJ)[A-Za-z0-9._~+/=-]{8,}")
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)


def without_secrets(text: str, environ: Mapping[str, str]) -> str:
    """`text` with everything that looks like a key, and every value of a secret-looking variable, blotted out."""
    for name, value in environ.items():
        if _SECRET_NAME.search(name) and len(value) >= 8:
            text = text.replace(value, "<secret>")
    return _KEY_LIKE.sub("<secret>", text)


def report_crash(console: CliContext, error: Exception) -> int:
    """Write the report, say where it lies, and return the exit code."""
    trace = without_secrets("".join(traceback.format_exception(error)), console.environ)
    command = without_secrets(" ".join(sys.argv[1:]), console.environ)
    header = f"tcao {__version__}, Python {platform.python_version()}, {platform.platform()}\ntcao {command}\n\n"
    folder = paths.state_dir() / "crashes"
    place = folder / time.strftime("%Y%m%dT%H%M%SZ.txt", time.gmtime())
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.write_text(header + trace, encoding="utf-8")
        where = str(place)
    except OSError:
        console.progress(trace)
        where = "above"
    if console.debug:
        console.progress(trace)
    reason = without_secrets(f"{type(error).__name__}: {error}", console.environ)
    if console.wants_json:
        from tcao_tui.cli.render.json import crash_json

        console.result(crash_json(reason, where))
    console.progress(
        f"Internal error: {reason}\n  report: {where}\n  next: tcao doctor, then report this with the file"
    )
    return ExitCode.FAILED
