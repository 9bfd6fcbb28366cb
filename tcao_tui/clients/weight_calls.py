"""What is asked of a helper process about weights: download, build, measure, push. The handlers are in `probes`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from tcao_tui.clients.backend_calls import Call, Shape
from tcao_tui.domain.parity import Answered, Measured

ExportForm = Literal["peft", "merged"]
"""A PEFT adapter, or a whole Hugging Face model with the adapter merged in."""


class Progress(Shape):
    """What is being done, and how far it is in the unit of `unit`; `total` None while it is not known."""

    doing: str
    done: int = 0
    total: int | None = None
    unit: Literal["bytes", "prompts", ""] = ""


class Downloaded(Shape):
    """Files that were received and checked.

    Attributes:
        kept_bytes: Of them, what was there from an earlier try.
        left_behind: Path of a temporary export that could not be deleted, which the server drops within the hour.
    """

    files: tuple[str, ...]
    total_bytes: int
    kept_bytes: int = 0
    left_behind: str = ""


class DownloadWeights(Call[Progress, Downloaded]):
    """Fetch weights into a folder, with `SHA256SUMS`; what came before a break is kept there for the next try."""

    name = "weights.download"
    part = Progress
    result = Downloaded
    path: str
    folder: str


class Built(Shape):
    """What was built.

    Attributes:
        dtype: Number type of its weights, such as "bfloat16"; the coarsest where there are several.
        has_unembedding: Whether the adapter changes the unembedding (`lm_head`).
    """

    dtype: str
    rank: int
    alpha: float
    target_modules: tuple[str, ...]
    has_unembedding: bool


class BuildExport(Call[Progress, Built]):
    """Make an adapter or a merged model from downloaded weights, into a folder that does not exist yet.

    Attributes:
        base: Folder of the base model, or its id on the Hugging Face Hub.
        base_name: What the export names as its base.
    """

    name = "weights.build"
    part = Progress
    result = Built
    adapter: str
    base: str
    base_name: str
    form: ExportForm
    folder: str


class ParityPrompt(Shape):
    """A conversation to be answered; `text` is how a person knows it."""

    text: str
    conversation: tuple[dict[str, JsonValue], ...]


class BackendAnswers(Shape):
    """All prompts as the backend answers them."""

    answers: tuple[Answered, ...]


class AskBackend(Call[Progress, BackendAnswers]):
    """Answer prompts greedily from a checkpoint and score prompt and answer there.

    Attributes:
        path: Weights for sampling, or a training state, from which a sampler is made that is not kept.
        tokenizer: Folder or Hub id.
        model, renderer: Decide how a conversation becomes tokens; without a renderer, its text is taken as it is.
    """

    name = "parity.backend"
    part = Progress
    result = BackendAnswers
    path: str
    tokenizer: str
    model: str
    renderer: str | None = None
    prompts: tuple[ParityPrompt, ...]
    max_tokens: int = Field(ge=1)


class MeasuredExport(Shape):
    """All sequences, in their order; `dtype` is the number type that it was computed in."""

    dtype: str
    sequences: tuple[Measured, ...]


class MeasureExport(Call[Progress, MeasuredExport]):
    """Load an export with transformers, and PEFT where it is an adapter, and score sequences of tokens."""

    name = "parity.export"
    part = Progress
    result = MeasuredExport
    folder: str
    form: ExportForm
    base: str
    sequences: tuple[tuple[int, ...], ...]


class Pushed(Shape):
    """Where it is now."""

    url: str


class PushFolder(Call[Progress, Pushed]):
    """Upload a folder to the Hugging Face Hub, into a repository that is made when missing."""

    name = "hub.push"
    part = Progress
    result = Pushed
    folder: str
    repository: str
    private: bool
