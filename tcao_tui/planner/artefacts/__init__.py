"""What an approved plan writes: a page for who decides, scripts for who owns it, a record to continue."""

from __future__ import annotations
