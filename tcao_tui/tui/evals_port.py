"""What the screens of evaluations ask for, so that tests pass one with built values in.

The real one is made in `tui.evals_desk`. All methods but `close` block, so they are called in thread workers; each
raises `TcaoError` with a next step when it cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from tcao_tui.domain.eval_matrix import EvalMatrix
    from tcao_tui.domain.evaluation import CellKey, ItemResult
    from tcao_tui.domain.transcript import SamplePreview, Transcript


@dataclass(frozen=True, slots=True)
class EvalsWanted:
    """Which evaluations to open.

    Attributes:
        ref: A run, whose evaluations come together, or an evaluation.
        logs: Inspect logs to open instead, made by whoever; the base's first.
        checkpoints: `tinker://` paths to offer an evaluation of at once.
    """

    ref: str = ""
    logs: Sequence[Path] = ()
    checkpoints: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CellItems:
    """The items of a cell, and of the base's cell of the same task; both empty before there are any."""

    items: Sequence[ItemResult]
    base: Sequence[ItemResult] = ()


@dataclass(frozen=True, slots=True)
class EvalChoice:
    """What a person wants evaluated.

    Attributes:
        tasks: Names among those that `EvaluationsPort.offers` gives.
        subjects: Names of the same.
        limit: Samples of each task at most; None as each task has it.
    """

    tasks: tuple[str, ...]
    subjects: tuple[str, ...]
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class EvalOffer:
    """What can be evaluated: name and description of each.

    Attributes:
        tasks: Suites and evals of the plan.
        subjects: The base and the checkpoints, by step.
        chosen: What is proposed.
    """

    tasks: tuple[tuple[str, str], ...]
    subjects: tuple[tuple[str, str], ...]
    chosen: EvalChoice


@dataclass(frozen=True, slots=True)
class EvalProposal:
    """An evaluation as a person reads it before consenting.

    Attributes:
        facts: Label and text of each line.
        problems: Why it cannot be started, and what to do.
        is_free: Nothing of it can cost anything, so no word has to be typed.
        command: The same in a shell.
        handle: What `start` needs; the screens never look inside.
    """

    facts: tuple[tuple[str, str], ...]
    problems: tuple[str, ...] = ()
    is_free: bool = False
    command: str = ""
    handle: Any = field(default=None, compare=False)


EvalVerb = Literal["drain", "cancel", "resume"]


class EvaluationsPort(Protocol):
    """The evaluations of one run, or logs made elsewhere."""

    def poll(self) -> EvalMatrix:
        """As they stand."""
        ...

    def why_not(self, act: str) -> str:
        """Why something cannot be done here: start, drain, cancel, resume, choose, report; empty when it can."""
        ...

    def items(self, cell: CellKey) -> CellItems:
        """Results of a cell, item by item."""
        ...

    def previews(self, cell: CellKey) -> Sequence[SamplePreview]:
        """How its samples begin; nothing where its harness keeps no transcripts."""
        ...

    def transcript(self, cell: CellKey, item: str, epoch: int) -> Transcript:
        """One sample in full."""
        ...

    def offers(self) -> EvalOffer:
        """What can be evaluated."""
        ...

    def propose(self, wanted: EvalChoice) -> EvalProposal:
        """Judge it and estimate its cost; spends nothing."""
        ...

    def start(self, proposal: EvalProposal) -> str:
        """Approve what was shown and start it; returns what to tell the person."""
        ...

    def control(self, verb: EvalVerb) -> str:
        """Let live cells end, or end them, or go on; returns what to tell the person."""
        ...

    def choose(self, subject: str, reason: str) -> str:
        """Record which weights a person wants used; returns what to tell the person."""
        ...

    def report(self) -> str:
        """Write the report; returns what to tell the person."""
        ...

    def commands(self) -> dict[str, str]:
        """The same in a shell: by act, and `view` for Inspect's own viewer."""
        ...

    def close(self) -> None:
        """Release files and processes, without waiting for them."""
        ...


type OpenEvaluations = Callable[[EvalsWanted], EvaluationsPort]
