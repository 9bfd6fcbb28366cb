"""The Textual front end."""

from __future__ import annotations
