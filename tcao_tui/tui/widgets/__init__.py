"""Reusable widgets that know no run."""

from __future__ import annotations
