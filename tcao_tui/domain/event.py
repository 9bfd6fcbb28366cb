"""What all events of a run have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """One fact; keys that this version does not know are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")
