"""A desk for interviews: rows are read by the real inspection, in this process; servers and tokenizers are made up.

Out of scope: helper processes and real servers, which tests of services and of whole flows use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tcao_tui.data.inspect import inspect_file
from tcao_tui.data.overlap import compare_files
from tcao_tui.data.rows import Row
from tcao_tui.data.split import split_file
from tcao_tui.domain.capabilities import Capabilities, ModelInfo
from tcao_tui.domain.data_profile import DataProfile, FieldMap, Overlap, Split, Spread, TokenStats
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.domain.row_preview import RowPreview
from tcao_tui.errors import TcaoError
from tcao_tui.planner.desk import Desk, OnProgress

FREE = PriceQuote(
    backend="local", source="local engine: free", train_usd=0, prefill_usd=0, sample_usd=0, storage_usd_per_gb_month=0
)


def paid(train_usd: float | None) -> PriceQuote:
    """Prices as a server publishes them; None for a server that does not."""
    other = None if train_usd is None else train_usd / 2
    return PriceQuote(
        backend="https://paid.example",
        source="price list of 2026-11-01",
        train_usd=train_usd,
        prefill_usd=other,
        sample_usd=train_usd,
        storage_usd_per_gb_month=None if train_usd is None else 0.03,
    )


def model(name: str, billions: float, *, price: PriceQuote = FREE, **changes: Any) -> ModelInfo:
    """A trainable chat model; the family is the beginning of its own name."""
    own = name.rpartition("/")[2].lower()
    given: dict[str, Any] = {
        "name": name,
        "context_length": 32_768,
        "family": "".join(c for c in own.partition("-")[0] if c.isalpha()),
        "total_parameters": int(billions * 1e9),
        "training": "instruct",
        "renderers": ("chatml",),
        "tokenizer": name,
        "hidden_size": 2048,
        "lora_parameters_per_rank": 1e6 * max(0.001, billions),
        "rank_cap": 128,
        "sft_learning_rate": 2e-4,
        "price": price,
    }
    return ModelInfo.model_validate(given | changes)


def local_server(*models: ModelInfo) -> Capabilities:
    """The local engine with its tiny model, or with those that are given."""
    offered = models or (model("tcao/tiny-qwen3", 0.0005, context_length=1024, hidden_size=128),)
    return Capabilities(profile="local", backend="http://127.0.0.1:1", is_free=True, asked_at=1.0, models=offered)


def paid_server(*models: ModelInfo, train_usd: float | None = 0.4) -> Capabilities:
    """A paid server of three families."""
    offered = models or (
        model("Qwen/Qwen3-8B", 8, price=paid(train_usd)),
        model("Qwen/Qwen3-30B-A3B", 30, price=paid(train_usd and train_usd * 1.5), active_parameters=3_000_000_000),
        model("meta-llama/Llama-3.1-8B-Instruct", 8, price=paid(train_usd)),
        model("openai/gpt-oss-120b", 120, price=paid(train_usd and train_usd * 4)),
    )
    return Capabilities(profile="paid", backend="https://paid.example", is_free=False, asked_at=1.0, models=offered)


@dataclass
class LabDesk:
    """What tools may ask for.

    Attributes:
        server: What `capabilities` answers, or raises.
        failures: Errors by the name of the service that raises them.
        asked: Each use, in order.
        before_ending: Called inside of a service, so that a test can stop the world there.
    """

    work_dir: Path
    server: Capabilities | TcaoError = field(default_factory=local_server)
    failures: dict[str, TcaoError] = field(default_factory=dict[str, TcaoError])
    asked: list[str] = field(default_factory=list[str])
    before_ending: Callable[[str], None] = lambda service: None

    def desk(self) -> Desk:
        """As tools take it."""
        return Desk(
            inspect=self.inspect,
            preview=self.preview,
            overlap=self.overlap,
            split=self.split,
            capabilities=self.capabilities,
            read_run=lambda reference: {"run": reference},
            work_dir=self.work_dir,
        )

    def _note(self, service: str, what: str = "") -> None:
        self.asked.append(f"{service} {what}".strip())
        self.before_ending(service)
        if (error := self.failures.get(service)) is not None:
            raise error

    def capabilities(self) -> Capabilities:
        self._note("capabilities")
        if isinstance(self.server, TcaoError):
            raise self.server
        return self.server

    def inspect(
        self,
        path: Path,
        *,
        fields: FieldMap | None = None,
        model: ModelInfo | None = None,
        renderer: str | None = None,
        max_seq_len: int = 4096,
        on_progress: OnProgress | None = None,
    ) -> DataProfile:
        self._note("inspect", f"{path.name}{f' by {model.name}' if model else ''}")
        meter = None if model is None else Meter(model.name, renderer or model.renderers[0], max_seq_len)
        if on_progress is not None:
            on_progress(path.stat().st_size, path.stat().st_size)
        return inspect_file(path, fields=fields, meter=meter)

    def preview(self, path: Path, row: int, *, model: ModelInfo, **_: Any) -> RowPreview:
        self._note("preview", path.name)
        return RowPreview(path=str(path), row=row, line=row, model=model.name, renderer="chatml", tokens=())

    def overlap(
        self, left: Path, right: Path, *, left_fields: FieldMap | None = None, right_fields: FieldMap | None = None
    ) -> Overlap:
        self._note("overlap", f"{left.name} {right.name}")
        return compare_files(left, right, left_fields=left_fields, right_fields=right_fields)

    def split(
        self, source: Path, into: Path, *, validation: int, test: int, seed: int = 0, fields: FieldMap | None = None
    ) -> Split:
        self._note("split", source.name)
        return split_file(source, into, validation=validation, test=test, seed=seed, fields=fields)


class Meter:
    """Counts a token per four characters."""

    def __init__(self, model_name: str, renderer: str, max_seq_len: int) -> None:
        self._about = {"model": model_name, "renderer": renderer, "max_seq_len": max_seq_len}
        self._rows: list[int] = []

    def add(self, row: Row, line: int) -> None:
        self._rows.append(max(1, len(repr(row)) // 4))

    def stats(self) -> TokenStats:
        whole = _spread(self._rows)
        answers = _spread([count // 3 + 1 for count in self._rows])
        return TokenStats(**self._about, measured="all", rows_measured=len(self._rows), row=whole, completion=answers)


def _spread(counts: list[int]) -> Spread:
    ranked = sorted(counts)
    return Spread(p50=ranked[len(ranked) // 2], p95=ranked[int(len(ranked) * 0.95)], max=ranked[-1], total=sum(ranked))
