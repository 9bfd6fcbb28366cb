"""Panes; they never import each other."""

from __future__ import annotations
