"""Screens: pages made of panes."""

from __future__ import annotations
