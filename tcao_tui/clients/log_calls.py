"""What is asked of Inspect logs: `probes.transcripts` carries it out, `services.transcripts` asks."""

from __future__ import annotations

from pathlib import Path

from tcao_tui.clients.backend_calls import Call, Nothing, Shape
from tcao_tui.domain.transcript import SamplePreview, Transcript


class Previews(Shape):
    """How the samples of a log begin, in its order."""

    samples: tuple[SamplePreview, ...]


class ReadPreviews(Call[Previews, Nothing]):
    """The beginning of every sample, in parts."""

    name = "logs.previews"
    part = Previews
    result = Nothing

    log: Path


class ReadSample(Shape):
    """One sample in full."""

    transcript: Transcript


class ReadTranscript(Call[Nothing, ReadSample]):
    """One epoch of one item, counted from 1."""

    name = "logs.transcript"
    part = Nothing
    result = ReadSample

    log: Path
    item: str
    epoch: int
