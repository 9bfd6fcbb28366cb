"""Cases of an eval set: a representative choice of rows, without what the set has and without what is trained on."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from tcao_tui.data.append import append_rows
from tcao_tui.data.convert import text_content
from tcao_tui.data.duplicates import text_key
from tcao_tui.data.file_pass import FilePass
from tcao_tui.data.jsonl_rows import row_bytes
from tcao_tui.data.overlap import leaks
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.data.row_text import normalised, row_text
from tcao_tui.data.rows import ChatRow, ProblemRow, Row, RowRejected
from tcao_tui.data.split import Layout
from tcao_tui.domain.evalset import Case, EvalsetSummary, case_input, summarise, tags_of
from tcao_tui.errors import PlanInvalid, UsageError
from tcao_tui.store.atomic_file import write_text


def chosen_cases(source: Path, count: int, *, seed: int) -> list[Case]:
    """About `count` rows that look like the whole file, each prompt once.

    Raises:
        PlanInvalid: The file cannot be used, or its rows hold no answers.
    """
    file = FilePass(source, None)
    layout = Layout(file)
    file.problems.raise_if_any()
    chosen = np.flatnonzero(layout.assign((0, min(count, layout.rows)), seed) == 1)
    return _distinct(_cases_at(source, {*chosen.tolist()}))


def _cases_at(source: Path, wanted: Collection[int]) -> list[Case]:
    reader = RowReader(source, None, Problems())
    found: list[Case] = []
    for index, row in enumerate(reader):
        if index in wanted:
            try:
                found.append(_case(row, f"{source.name}:{reader.line}"))
            except RowRejected as error:
                raise PlanInvalid(error.what, where=f"{source}:{reader.line}", next_step=error.fix) from error
    return found


def _case(row: Row, source: str) -> Case:
    match row:
        case ProblemRow(prompt, answer):
            return Case(case_input(prompt), answer, source=source)
        case ChatRow(conversation=[*prompt, answer]) if prompt and "tool_calls" not in answer and not row.tools:
            return Case(case_input(prompt), text_content(answer["content"]), source=source)
        case _:
            raise RowRejected("a case needs a prompt and the wanted answer in words", "name rows that have both")


def _distinct(cases: Sequence[Case]) -> list[Case]:
    return [*{_key(case): case for case in reversed(cases)}.values()][::-1]


def _key(case: Case) -> int:
    asked = case.input if isinstance(case.input, str) else "\n".join(str(turn["content"]) for turn in case.input)
    return text_key(normalised(asked))


def new_cases(path: Path, cases: Sequence[Case]) -> list[Case]:
    """Those whose prompt the set does not have yet, each prompt once. Raises `PlanInvalid` for a bad set."""
    if not path.exists():
        return _distinct(cases)
    reader = RowReader(path, None, Problems())
    known = {text_key(normalised(row_text(row, reader.line).prompt)) for row in reader}
    reader.problems.raise_if_any()
    return [case for case in _distinct(cases) if _key(case) not in known]


def without_leaks(cases: Sequence[Case], training: Path) -> list[Case]:
    """Those that the rows of `training` do not hold, exactly or nearly. Raises `PlanInvalid`."""
    if not cases:
        return []
    with tempfile.TemporaryDirectory() as folder:
        beside = Path(folder) / "cases.jsonl"
        beside.write_bytes(b"".join(row_bytes(case.row()) for case in cases))
        _, lines = leaks(training, beside)
    return [case for case, line in zip(cases, lines.tolist(), strict=True) if not line]


def add_cases(path: Path, cases: Sequence[Case]) -> None:
    """Append cases to a set, all or none. Raises as `append_rows`."""
    if cases:
        append_rows(path, [case.row() for case in cases])


def read_set(path: Path) -> EvalsetSummary:
    """What a set holds.

    Raises:
        PlanInvalid: It cannot be read, or has bad rows.
    """
    digest, problems = hashlib.sha256(), Problems()
    reader = RowReader(path, None, problems, digest)
    records = [reader.record for _ in reader]
    problems.raise_if_any()
    return summarise(records, digest.hexdigest())


def tag_rows(path: Path, lines: Collection[int], tags: Sequence[str], *, instead: bool = False) -> int:
    """Tag rows of a set by their lines, from 1; the file is replaced whole. Returns how many changed.

    Args:
        path: The set, JSONL.
        lines: Which rows.
        tags: To add.
        instead: Drop the tags that a row has.

    Raises:
        UsageError: There is no such line, or the file is no JSONL of rows.
    """
    try:
        rows = [_record(line) for line in path.read_bytes().splitlines()]
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot be read as JSONL: {error}"[:200], where=str(path)) from error
    if beyond := sorted(line for line in lines if not 1 <= line <= len(rows)):
        raise UsageError(f"there is no line {beyond[0]}; the set has {len(rows):,}", where=str(path))
    changed = 0
    for line in lines:
        row = rows[line - 1]
        before = tags_of(row)
        after = [*dict.fromkeys([*(() if instead else before), *tags])]
        changed += after != [*before]
        rows[line - 1] = {**row, "tags": after}
    write_text(path, "".join(row_bytes(row).decode() for row in rows))
    return changed


def _record(line: bytes) -> dict[str, Any]:
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError(f"{line[:40].decode(errors='replace')} is no row")
    return cast("dict[str, Any]", record)
