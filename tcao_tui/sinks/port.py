"""The contract of a metric sink: it is told rows and events in order, and may be told the last ones twice.

A sink holds no state of ours: how far it was told stands in the run's directory, see `feed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Protocol

from tcao_tui.domain.events import StoredEvent
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.run_view import RunSummary
from tcao_tui.errors import TcaoError


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """Where a sink writes: `directory` for its files; `offline` keeps it from any server."""

    directory: Path
    offline: bool = False


class MetricSink(Protocol):
    """One run's record in another program.

    Attributes:
        errors: What it raises when the other program is away or refuses; complete once `open` has the SDK.
    """

    errors: tuple[type[Exception], ...]

    def open(self, run: RunSummary, plan: Plan | None) -> None:
        """Begin the record, or go on with it. Raises `TcaoError` when the SDK is not installed."""
        ...

    def write(self, step: int, values: Mapping[str, float], at: float) -> None:
        """Numbers of one step; `at` is Unix seconds."""
        ...

    def event(self, stored: StoredEvent) -> None:
        """A fact; after a `Resumed` one, steps past its own come again."""
        ...

    def flush(self) -> None:
        """Hand over what was written so far, before our cursor moves past it."""
        ...

    def close(self, outcome: str) -> None:
        """End this process's part; `outcome` is the run's recorded status."""
        ...


type OpenSink = Callable[[SinkOptions], MetricSink]


def load_sdk(*modules: str, package: str) -> ModuleType:
    """The first of `modules` that can be imported.

    Raises:
        TcaoError: None can; says what to install.
    """
    for module in modules:
        try:
            return import_module(module)
        except ImportError:
            continue
    raise TcaoError(f"{package} is not installed here", next_step=f"pip install {package}")
