"""One row as the model will see it: tokens with their loss mask, and how the model's own chat template differs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class PreviewToken(BaseModel):
    """One token.

    Attributes:
        text: What it decodes to; pieces of a character are shown as U+FFFD.
        trained: Whether it carries loss.
        cut: Whether it lies past `max_seq_len`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: int
    text: str
    trained: bool
    cut: bool = False


class TemplateDifference(BaseModel):
    """A place where the renderer and the model's own chat template differ; one of the two texts may be empty."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rendered: str
    template: str


class RowPreview(BaseModel):
    """One row.

    Attributes:
        row: Number of the row, from 1; `line` where it begins in the file.
        side: Which side of a preference pair this is; "" for other rows.
        template: "same", "differs", or "none" when the model has no chat template; `differences` lists the places.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    row: int
    line: int
    model: str
    renderer: str
    tokens: tuple[PreviewToken, ...]
    side: Literal["", "chosen", "rejected"] = ""
    template: Literal["same", "differs", "none"] = "none"
    differences: tuple[TemplateDifference, ...] = ()
