"""Reinforcement learning."""

from __future__ import annotations
