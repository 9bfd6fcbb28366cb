"""tcao: a terminal console for LLM post-training on the Tinker API."""

from __future__ import annotations

__version__ = "0.1.0"
