"""Transcripts of all evaluations below a runs root, for a report."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tcao_tui.domain.eval_matrix import CellView
from tcao_tui.domain.transcript import Transcript
from tcao_tui.services.eval_examples import ReadTranscript
from tcao_tui.services.transcripts import TranscriptReader
from tcao_tui.store.evaluation_dir import EVALS_DIR, evaluation_dir


@contextmanager
def transcripts_below(runs_root: Path) -> Generator[ReadTranscript]:
    """A provider of transcripts from the logs of all evaluations; the process behind it ends with this."""
    reader = TranscriptReader([runs_root / EVALS_DIR])

    def read(cell: CellView, item: str) -> Transcript | None:
        log = cell.record.log
        return reader.transcript(evaluation_dir(runs_root, cell.evaluation_id) / log, item) if log else None

    try:
        yield read
    finally:
        reader.close()
