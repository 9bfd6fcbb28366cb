"""What the data helper process is asked for and how it answers: one JSON request in, JSON lines out.

Answers are any number of `Progress`, then one `Done`, `Failed` or, when the helper itself is at fault, `Crashed`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tcao_tui.domain.capabilities import ModelInfo
from tcao_tui.domain.data_profile import FieldMap


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InspectJob(_Part):
    """A profile of a file; with a model, its tokens too."""

    do: Literal["inspect"] = "inspect"
    path: Path
    fields: FieldMap | None = None
    model: ModelInfo | None = None
    renderer: str | None = None
    max_seq_len: int = 4096


class PreviewJob(_Part):
    """One row as a model sees it."""

    do: Literal["preview"] = "preview"
    path: Path
    row: int
    fields: FieldMap | None = None
    model: ModelInfo
    renderer: str | None = None
    max_seq_len: int = 4096
    side: Literal["chosen", "rejected"] = "chosen"


class OverlapJob(_Part):
    """Rows of one file that stand in another."""

    do: Literal["overlap"] = "overlap"
    left: Path
    right: Path
    left_fields: FieldMap | None = None
    right_fields: FieldMap | None = None


class SplitJob(_Part):
    """Parts of a file in files of their own."""

    do: Literal["split"] = "split"
    source: Path
    into: Path
    validation: int
    test: int
    seed: int = 0
    fields: FieldMap | None = None


type Job = Annotated[InspectJob | PreviewJob | OverlapJob | SplitJob, Field(discriminator="do")]


class Progress(_Part):
    """Bytes of the file that were read, of so many."""

    kind: Literal["progress"] = "progress"
    done: int
    total: int


class Done(_Part):
    """The result, as JSON of the model that the job asks for."""

    kind: Literal["done"] = "done"
    result: JsonValue


class Failed(_Part):
    """An error for a person, as `TcaoError` has it."""

    kind: Literal["failed"] = "failed"
    exit_code: int
    what: str
    where: str = ""
    next_step: str = ""


class Crashed(_Part):
    """A fault of ours: its kind and place in the code, and nothing that may hold data."""

    kind: Literal["crashed"] = "crashed"
    what: str


type Answer = Annotated[Progress | Done | Failed | Crashed, Field(discriminator="kind")]
