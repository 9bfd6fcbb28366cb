"""The interview: two planners, one set of slots, tools and gates."""

from __future__ import annotations
