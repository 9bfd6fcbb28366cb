"""Views as text and JSON."""

from __future__ import annotations
