"""Sweeps and the tables of their cells."""

from __future__ import annotations
