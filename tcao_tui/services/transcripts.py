"""Reads samples of Inspect logs through the helper process `probes.transcripts`, which lives as long as this."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from tcao_tui.clients.log_calls import Previews, ReadPreviews, ReadTranscript
from tcao_tui.domain.transcript import SamplePreview, Transcript
from tcao_tui.errors import UsageError
from tcao_tui.services.backend_helper import HelperProcess


class TranscriptReader:
    """Reads logs below some directories, and those that a person named; every method may be called from any thread.

    Args:
        roots: Directories of evaluations.
        named: Logs elsewhere that a person named.
    """

    def __init__(self, roots: Collection[Path] = (), named: Collection[Path] = ()) -> None:
        self._roots = [root.resolve() for root in roots]
        self._named = {path.resolve() for path in named}
        self._helper = HelperProcess((sys.executable, "-m", "tcao_tui.probes.transcripts"), "reads logs")

    def previews(self, log: Path) -> Sequence[SamplePreview]:
        """How the samples of a log begin.

        Raises:
            UsageError: It may not be read, or is no log.
            BackendError: The helper broke.
        """
        found: list[SamplePreview] = []

        def take(part: Previews) -> None:
            found.extend(part.samples)

        self._helper.call(ReadPreviews(log=self._allowed(log)), take)
        return found

    def transcript(self, log: Path, item: str, epoch: int = 1) -> Transcript:
        """One sample in full; raises as `previews`, and `UsageError` when the log has no such sample."""
        return self._helper.call(ReadTranscript(log=self._allowed(log), item=item, epoch=epoch)).transcript

    def close(self) -> None:
        """End the helper."""
        self._helper.close()

    def _allowed(self, log: Path) -> Path:
        """The log itself, links followed: a record of an evaluation must not make us read files elsewhere."""
        path = log.resolve()
        if path not in self._named and not any(path.is_relative_to(root) for root in self._roots):
            raise UsageError("this log is not of the evaluation", where=str(log), next_step=f"tcao eval open {log}")
        if not path.is_file():
            raise UsageError("there is no such log, or not yet", where=str(log), next_step="look again in a while")
        return path
