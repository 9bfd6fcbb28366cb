"""The cookbook's own training loops under our order of things: run in segments, tapped, with our optimiser settings."""

from __future__ import annotations
