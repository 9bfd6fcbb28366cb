"""How one run trains."""

from __future__ import annotations
