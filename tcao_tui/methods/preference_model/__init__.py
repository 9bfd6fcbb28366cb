"""Preference model: which of two answers is the better one, said in one letter."""

from __future__ import annotations
