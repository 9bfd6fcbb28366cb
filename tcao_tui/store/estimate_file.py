"""The estimate that a person consented to, kept beside the plan so that a pilot can be held against it."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tcao_tui.domain.cost import CostEstimate
from tcao_tui.store.atomic_file import write_text

ESTIMATE_NAME = "estimate.json"


def write_estimate(run_dir: Path, estimate: CostEstimate) -> None:
    """Write it. Raises `OSError`."""
    write_text(run_dir / ESTIMATE_NAME, TypeAdapter(CostEstimate).dump_json(estimate, indent=2).decode() + "\n")


def read_estimate(run_dir: Path) -> CostEstimate | None:
    """Read it; None where there is none, or none that this version understands."""
    try:
        return TypeAdapter(CostEstimate).validate_json((run_dir / ESTIMATE_NAME).read_bytes())
    except (OSError, ValidationError):
        return None
