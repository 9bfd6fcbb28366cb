"""One module per command; listing them imports none."""

from __future__ import annotations
