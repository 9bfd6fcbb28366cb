"""Answers that people graded, and what a judge says of the same ones."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

RESULT = "judged.json"
"""File in a job's directory that the helper writes `Judged` to, whole."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Labelled(_Shape):
    """An answer with people's grade.

    Attributes:
        line: In its file, from 1.
        output: The wanted answer; empty where there is none.
        label: Whether people called the answer right.
    """

    line: int
    input: str
    output: str
    answer: str
    label: bool


class JudgeJob(_Shape):
    """What the helper is to ask.

    Attributes:
        judge: As Inspect names it.
        profile: Of a judge `tcao/...`.
        rubric: Empty for that of the grader.
        directory: Of this job alone.
    """

    judge: str
    profile: str
    rubric: str
    rows: tuple[Labelled, ...]
    directory: Path


class Judgement(_Shape):
    """What came of one row: a grade, or None where it could not be read or an error kept it away."""

    line: int
    grade: bool | None
    said: str = ""
    error: str = ""


class Judged(_Shape):
    """What came of all of them; tokens are those that were paid for by this job.

    Attributes:
        input_tokens: Read, without cached ones where the provider counts these apart.
    """

    judgements: tuple[Judgement, ...]
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
