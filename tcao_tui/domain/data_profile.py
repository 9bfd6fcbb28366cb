"""What a data file holds, as measured once by `tcao data inspect`: formats, counts, tokens, oddities. Plain values.

Measuring is the business of `data` and, for tokens, of `probes`; deciding is that of `policy` and `checks`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

RowKind = Literal["chat", "preference", "problem", "prompt"]
"""What a row is: a conversation to imitate, a pair to prefer, a problem with a checkable answer, a bare prompt."""

AnswerShape = Literal["text", "json", "number", "final_number", "label"]

KIND_WORDS: dict[RowKind, str] = {
    "chat": "conversations to imitate",
    "preference": "preference pairs",
    "problem": "problems with a checkable answer",
    "prompt": "prompts without an answer",
}
"""The kinds as people say them."""

METHOD_KINDS: dict[str, tuple[RowKind, ...]] = {
    "sft": ("chat",),
    "dpo": ("preference",),
    "rlhf": ("preference",),
    "rl": ("problem",),
    "distill": ("prompt", "chat", "problem"),
    "preference_model": ("preference",),
    "pipeline": ("chat", "preference", "problem", "prompt"),
}
"""Kinds that each method learns from, the one that its files are read as first; never taken for another silently."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldMap(_Part):
    """How rows are read: the format, and the names of the columns that it reads; shown to and edited by a person."""

    data_format: str
    input_field: str = "input"
    output_field: str = "output"
    chosen_field: str = "chosen"
    rejected_field: str = "rejected"


class BadRow(_Part):
    """One row that cannot be used; `line` counts from 1, 0 is the file as a whole."""

    line: int
    what: str
    fix: str


class Spread(_Part):
    """Distribution of a count per row.

    Attributes:
        bins: Rows in bins of equal width from 0 to `max`, for a small histogram.
    """

    p50: int
    p95: int
    max: int
    total: int
    bins: tuple[int, ...] = ()


class TokenStats(_Part):
    """Rows by the tokenizer and the renderer of one model.

    Attributes:
        measured: "all" rows, or an evenly spaced "sample" of `rows_measured`, whose totals are scaled up.
        row: Tokens of a whole row as it is trained; of the longer side for preference pairs.
        completion: Tokens that carry loss; the sum over rows is the "completion tokens" of the low-regret rule.
        truncated_rows: Rows longer than `max_seq_len`.
        empty_mask_rows: Rows in which no token carries loss once cut.
        refused_rows: Rows that the renderer refuses.
        first_truncated, first_empty_mask, first_refused: Line of the first such row, 0 when there is none.
    """

    model: str
    renderer: str
    max_seq_len: int
    measured: Literal["all", "sample"]
    rows_measured: int
    row: Spread
    completion: Spread
    truncated_rows: int = 0
    empty_mask_rows: int = 0
    refused_rows: int = 0
    first_truncated: int = 0
    first_empty_mask: int = 0
    first_refused: int = 0
    refusal: str = ""


class Anomaly(_Part):
    """Something odd that does not make rows unusable: `count` rows, the first of them at `first_line`."""

    code: str
    what: str
    count: int
    first_line: int
    fix: str = ""


class DataProfile(_Part):
    """Everything known of one data file.

    Attributes:
        container: How rows are kept, such as "jsonl" or "parquet"; `compression` "" or "gz", "zst".
        kind: What the rows are taken for; None when no row could be read.
        kinds: All that they may be used for; a question with a checkable answer is "chat" and "problem".
        fields: How they are read.
        columns: Field names of the rows, most frequent first.
        rows: Rows that can be used; `bad_rows` is the exact count of the others, `problems` the first 100.
        turns: Turns per row; characters of prompt and of answer per row.
        distinct_answers: Distinct answers, counted up to 1,000; few of them mean classification.
        answer_shape: What all answers are, such as "final_number" after a mark like ####; else "text".
        exact_duplicates, near_duplicates: Rows that repeat an earlier one, found by `duplicates_method`.
        duplicates_in_a_row: Of the exact ones, those that stand right after what they repeat, as `tcao data mix` writes
            rows that are to weigh more.
        languages: Share of rows by language or script, 0 to 1, largest first.
        sensitive: Rows by kind of secret or personal datum found in them.
        tokens: None until measured with a model's tokenizer; `tokens_why_not` says why.
        seconds: How long the inspection took.
    """

    path: Path
    sha256: str
    size_bytes: int
    container: str
    compression: str = ""
    encoding: str = "utf-8"
    kind: RowKind | None
    kinds: tuple[RowKind, ...] = ()
    fields: FieldMap
    columns: tuple[str, ...] = ()
    rows: int
    bad_rows: int = 0
    problems: tuple[BadRow, ...] = ()
    notes: tuple[str, ...] = ()
    turns: Spread | None = None
    prompt_chars: Spread | None = None
    answer_chars: Spread | None = None
    distinct_answers: int = 0
    answer_shape: AnswerShape = "text"
    has_system: bool = False
    has_tools: bool = False
    has_thinking: bool = False
    multi_turn_rows: int = 0
    exact_duplicates: int = 0
    duplicates_in_a_row: int = 0
    near_duplicates: int = 0
    duplicates_method: str = ""
    anomalies: tuple[Anomaly, ...] = ()
    languages: dict[str, float] = {}
    sensitive: dict[str, int] = {}
    tokens: TokenStats | None = None
    tokens_why_not: str = ""
    seconds: float = 0.0


class Overlap(_Part):
    """Rows that two files share: `left` is trained on, `right` measures.

    Attributes:
        exact: Rows of `right` whose prompt stands in `left`, white space and case aside.
        near: Rows of `right` that share most of their n-grams with a row of `left`; exact ones are not counted again.
        method: How both were found, for people.
        examples: Line in `left`, line in `right`, and the beginning of the shared text, at most 5.
    """

    left: Path
    right: Path
    left_sha256: str
    right_sha256: str
    right_rows: int
    exact: int
    near: int
    method: str
    examples: tuple[tuple[int, int, str], ...] = ()


class Split(_Part):
    """Files that a seeded split wrote; the source is not modified, and every row of it is in exactly one of them.

    Attributes:
        validation, test: None when none was asked for.
        rows: Rows of train, validation and test.
        method: How rows were assigned, for people: seed, strata, groups of duplicates kept together.
    """

    source: Path
    source_sha256: str
    train: Path
    validation: Path | None
    test: Path | None
    rows: tuple[int, int, int]
    seed: int
    method: str
