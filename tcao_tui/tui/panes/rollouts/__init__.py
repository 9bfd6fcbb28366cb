"""The answers that a run was trained on."""

from __future__ import annotations
