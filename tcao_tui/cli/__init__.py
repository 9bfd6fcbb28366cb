"""The front end without a screen."""

from __future__ import annotations
