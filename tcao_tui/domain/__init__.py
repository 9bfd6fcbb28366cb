"""Plain values: plans, events, the fold and its views. No I/O, no SDK, no Textual."""

from __future__ import annotations
