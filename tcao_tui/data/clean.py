"""A cleaned copy of a data file: the rows that can be used, in one plain form of JSONL, and a count of the others.

The source is only read, and nothing that exists is overwritten.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tcao_tui.data.jsonl_rows import row_bytes
from tcao_tui.data.problems import Problems, RowProblem
from tcao_tui.data.reader import RowReader
from tcao_tui.data.rows import ChatRow, PreferenceRow, ProblemRow, PromptRow, Row
from tcao_tui.domain.data_profile import FieldMap, RowKind
from tcao_tui.errors import PlanInvalid, Refused


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was written.

    Attributes:
        rows: Rows of the copy.
        left_out: Bad rows of the source; `problems` are the first hundred.
    """

    source: Path
    target: Path
    kind: RowKind
    rows: int
    left_out: int
    problems: tuple[RowProblem, ...]


def clean(source: Path, target: Path, fields: FieldMap | None = None, kind: RowKind | None = None) -> Cleaned:
    """Write the good rows of `source` to `target`: conversations as messages, pairs as turns.

    Args:
        source: Any data file that can be read.
        target: A file that does not exist; it is there whole or not at all.
        fields: What is known of the source's format and mapping.
        kind: What the rows are wanted as; None: what they are.

    Raises:
        Refused: `target` exists, or cannot be written.
        PlanInvalid: The source as a whole cannot be read, or holds no good row.
    """
    if target.exists():
        what = "that is the source itself" if target.samefile(source) else "there is a file of that name"
        raise Refused(f"{what}, and nothing is overwritten", where=str(target), next_step="choose another name")
    problems = Problems()
    reader = RowReader(source, fields, problems, kind=kind)
    try:
        with new_file(target) as file:
            for row in reader:
                file.write(row_bytes(plain_row(row)))
            if problems.of_whole_file or not reader.rows or reader.kind is None:
                problems.raise_if_any()
                raise PlanInvalid("the file holds no rows", where=str(source))
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise Refused(what, where=str(target), next_step="choose another place") from None
    return Cleaned(source, target, reader.kind, reader.rows, problems.total, tuple(problems.first))


@contextmanager
def new_file(target: Path) -> Generator[IO[bytes]]:
    """A file that takes its name when all went well; raises `FileExistsError` when there is one by then."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
        os.link(file.name, target)


def plain_row(row: Row) -> dict[str, Any]:
    """A row in the plain form of its kind."""
    match row:
        case ChatRow(conversation, ()):
            return {"messages": conversation}
        case ChatRow(conversation, tools):
            return {"messages": conversation, "tools": [{"type": "function", "function": tool} for tool in tools]}
        case PreferenceRow(prompt, chosen, rejected):
            return {"prompt": prompt, "chosen": chosen, "rejected": rejected}
        case ProblemRow(prompt, answer):
            return {"prompt": prompt, "ground_truth": answer}
        case PromptRow(prompt):
            return {"prompt": prompt}
