"""Graders of application-specific evals."""

from __future__ import annotations
