"""The detached process that carries out one run."""

from __future__ import annotations
