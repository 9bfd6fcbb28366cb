"""Prices of a model on a backend, asked where asking is cheap: the published list is read in a helper process.

The price list's reader lives in the cookbook, which takes seconds and hundreds of megabytes to import.
"""

from __future__ import annotations

import subprocess
import sys

from pydantic import ValidationError

from tcao_tui.clients.prices import planning_quote
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.services.backends import Profile

HELPER_SECONDS = 40.0
"""Longest wait for the helper: most of it is the import, the look-up itself is bounded in `clients.prices`."""


def quote_for(profile: Profile, base_model: str) -> PriceQuote:
    """Prices of `base_model` on a server, of a dated copy when offline; unknown ones are None, and it never raises."""
    if profile.kind == "engine":
        return planning_quote("engine", profile.base_url, base_model)
    argv = [sys.executable, "-m", "tcao_tui.clients.price_list", "--model", base_model]
    argv += ["--base-url", profile.base_url] if profile.base_url else []
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HELPER_SECONDS, check=True
        )
        return PriceQuote.model_validate_json(done.stdout)
    except (OSError, subprocess.SubprocessError, ValidationError):
        return planning_quote("tinker", profile.base_url, base_model)
