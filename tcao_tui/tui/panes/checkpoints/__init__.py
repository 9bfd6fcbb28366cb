"""The checkpoint browser."""

from __future__ import annotations
