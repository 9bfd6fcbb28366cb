"""One answered sample of an Inspect log as a person reads it. Its texts are of models and hostile."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToolCall(_Part):
    """A call that a model made; `arguments` is JSON."""

    name: str
    arguments: str


class Turn(_Part):
    """One message; `reasoning` is what a model thought before it."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()


class GivenScore(_Part):
    """What one scorer said: the value as it wrote it, the answer that it read, and why."""

    scorer: str
    value: str
    answer: str = ""
    explanation: str = ""


class SamplePreview(_Part):
    """How a sample begins, for a list of many; texts are cut."""

    item: str
    epoch: int
    asked: str
    target: str = ""
    answer: str = ""


class Transcript(_Part):
    """One epoch of one item.

    Attributes:
        target: The wanted answer.
        stop_reason: Why the last answer ended, in Inspect's words.
        error, limit: What cut the sample short; empty when nothing did.
        seconds: Working time.
    """

    item: str
    epoch: int
    target: str
    turns: tuple[Turn, ...]
    scores: tuple[GivenScore, ...]
    stop_reason: str = ""
    error: str = ""
    limit: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float | None = None
