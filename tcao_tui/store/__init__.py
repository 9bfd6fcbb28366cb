"""The run store: one SQLite database per runs root and one directory per run."""

from __future__ import annotations
