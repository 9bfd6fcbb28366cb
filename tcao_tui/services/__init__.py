"""Use cases: what a person can do, without a screen."""

from __future__ import annotations
