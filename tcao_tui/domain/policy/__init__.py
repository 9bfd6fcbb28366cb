"""Choices with reasons: each module decides one thing from draft and facts, as data that a person can read."""

from __future__ import annotations
