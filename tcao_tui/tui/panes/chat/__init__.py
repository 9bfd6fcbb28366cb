"""Talking to contenders, alone or side by side."""

from __future__ import annotations
