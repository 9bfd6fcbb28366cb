"""All runs of a runs root."""

from __future__ import annotations
