"""In place of the helper process: weights that are two files, a backend and an export that agree or do not."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from tcao_tui.clients.backend_calls import Call, Shape
from tcao_tui.clients.weight_calls import (
    AskBackend,
    BackendAnswers,
    BuildExport,
    Built,
    Downloaded,
    DownloadWeights,
    MeasuredExport,
    MeasureExport,
    Progress,
    Pushed,
    PushFolder,
)
from tcao_tui.domain.parity import Answered, Measured
from tcao_tui.services.backend_helper import Ticket


class CannedWeights:
    """Answers the calls of `clients.weight_calls`; `off_by` nats are between backend and export."""

    def __init__(self, off_by: float = 0.0) -> None:
        self.off_by = off_by
        self.asked: list[Shape] = []

    @contextmanager
    def helper(self, profile: object) -> Generator[CannedWeights]:
        yield self

    def call[PartT: Shape, ResultT: Shape](
        self, call: Call[PartT, ResultT], on_part: Callable[[PartT], None] | None = None, ticket: Ticket | None = None
    ) -> ResultT:
        self.asked.append(call)
        if on_part is not None:
            on_part(cast("PartT", Progress(doing=f"doing {call.name}", done=1, total=2, unit="bytes")))
        return cast("ResultT", self._answer(call))

    def _answer(self, call: Shape) -> Shape:
        match call:
            case DownloadWeights(folder=folder):
                Path(folder).mkdir(parents=True, exist_ok=True)
                (Path(folder) / "adapter_config.json").write_text("{}")
                return Downloaded(files=("adapter_config.json",), total_bytes=2)
            case BuildExport(folder=folder):
                Path(folder).mkdir()
                (Path(folder) / "adapter_config.json").write_text("{}")
                return Built(
                    dtype="float32", rank=8, alpha=32, target_modules=("lm_head", "q_proj"), has_unembedding=True
                )
            case AskBackend(prompts=prompts):
                return BackendAnswers(answers=tuple(_answered(prompt.text) for prompt in prompts))
            case MeasureExport(sequences=sequences):
                return MeasuredExport(dtype="float32", sequences=tuple(self._measured() for _ in sequences))
            case PushFolder(repository=repository):
                return Pushed(url=f"https://hub.test/{repository}")
            case _:
                raise AssertionError(call)

    def _measured(self) -> Measured:
        return Measured(logprobs=(-1.0 - self.off_by, -0.5), best=(2, 3), best_logprobs=(-1.0 - self.off_by, -0.5))


def _answered(text: str) -> Answered:
    return Answered(text=text, tokens=(1, 2, 3), prompt_tokens=1, logprobs=(None, -1.0, -0.5), words=("a", "b", "c"))
