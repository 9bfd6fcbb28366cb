"""Rows that answers are graded by: a prompt, the wanted answer, and what tells the row from all others.

During training and in evals they are read alike, so that both ask and grade the same.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from tcao_tui.data.check import DataReport, check_file
from tcao_tui.data.convert import text_content
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import ChatRow, Conversation, ProblemRow, Row
from tcao_tui.domain.data_profile import FieldMap
from tcao_tui.domain.evalset import tags_of
from tcao_tui.errors import PlanInvalid

CLUSTER_COLUMNS = ("cluster", "group", "group_id", "document", "document_id", "doc_id", "template", "template_id")
"""Columns that say which rows belong together, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A prompt with the tools that it offers, and the wanted answer.

    Attributes:
        where: Its file and line.
        item: Names it by its content, wherever it stands; a copy of another row has a number too.
        line: From 1; of Parquet the number of the row.
        cluster: What it shares with rows of the same text, document or template; empty when it stands alone.
        tags: Kinds that somebody gave it.
    """

    prompt: Conversation
    reference: str
    where: str
    tools: tuple[dict[str, Any], ...] = ()
    item: str = ""
    line: int = 0
    cluster: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreRows:
    """The rows, and the report of a pass over the whole file."""

    rows: tuple[ScoreRow, ...]
    report: DataReport


def read_score_rows(path: Path, fields: FieldMap | None, max_rows: int | None) -> ScoreRows:
    """The first rows of a file.

    Args:
        path: The file.
        fields: What is known of its format and mapping.
        max_rows: How many; None takes all.

    Raises:
        PlanInvalid: Bad rows, or an answer that is missing.
    """
    report = check_file(path, fields, kind=None)
    report.raise_if_bad()
    reader = RowReader(path, report.fields, Problems())
    seen: Counter[str] = Counter()
    found: list[ScoreRow] = []
    for row in islice(reader, max_rows):
        scored = _score_row(row, f"{path}:{reader.line}")
        content = _content_hash(scored)
        seen[content] += 1
        item = content if seen[content] == 1 else f"{content}-{seen[content]}"
        record = reader.record
        found.append(replace(scored, item=item, line=reader.line, cluster=_cluster_of(record), tags=tags_of(record)))
    return ScoreRows(tuple(found), report)


def _score_row(row: Row, where: str) -> ScoreRow:
    match row:
        case ProblemRow():
            return ScoreRow(row.prompt, row.answer, where)
        case ChatRow(conversation=[*prompt, answer]) if prompt and "tool_calls" not in answer:
            return ScoreRow(prompt, text_content(answer["content"]), where, row.tools)
        case _:
            raise PlanInvalid(
                "a row to be scored must be a prompt and end with the wanted answer, in words", where=where
            )


def _content_hash(row: ScoreRow) -> str:
    text = json.dumps([row.prompt, row.tools, row.reference], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _cluster_of(record: Mapping[str, Any]) -> str:
    named = (record[name] for name in CLUSTER_COLUMNS if isinstance(record.get(name), str | int))
    return next(map(str, named), "")
