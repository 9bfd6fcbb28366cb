"""What Python code of one's own is known by: the module that a plan names, and the content found for it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class CodeHash(BaseModel):
    """A module and the SHA-256 of its source, hex: of its one file, or of all files of the package it belongs to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    module: str
    sha256: str
