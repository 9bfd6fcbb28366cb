"""Everything outside: Tinker and its prices, each behind a port."""

from __future__ import annotations
