"""Direct preference optimisation."""

from __future__ import annotations
