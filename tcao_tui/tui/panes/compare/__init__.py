"""Runs held against each other."""

from __future__ import annotations
