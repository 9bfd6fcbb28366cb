"""Drafts as tests look into them."""

from __future__ import annotations

from typing import cast

from pydantic import JsonValue

from tcao_tui.domain.draft import Draft, KeyPath


def value_of(draft: Draft, path: KeyPath) -> JsonValue:
    """The value at a key path; None when nobody filled it."""
    filled = draft.get(path)
    return None if filled is None else cast("JsonValue", filled.value)
