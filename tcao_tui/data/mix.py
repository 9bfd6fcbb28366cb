"""One training file out of several, in wanted shares: every gate then applies to what is really trained.

Rows are taken from each source by a seeded draw without replacement, a source that is too small being repeated whole
first. They stand in the order of their sources, since training shuffles every epoch anyway.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tcao_tui.data.clean import new_file, plain_row
from tcao_tui.data.jsonl_rows import row_bytes
from tcao_tui.data.problems import Problems
from tcao_tui.data.reader import RowReader
from tcao_tui.domain.data_profile import FieldMap, RowKind
from tcao_tui.errors import PlanInvalid, Refused, UsageError

MANY_TIMES = 4
"""Repeats beyond which rows are learned by heart (Muennighoff et al. 2023, on data-constrained language models)."""


@dataclass(frozen=True, slots=True)
class Source:
    """A data file and its weight against the others; `fields` is what is known of its format and mapping."""

    path: Path
    weight: float = 1.0
    fields: FieldMap | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What a mix takes of one file.

    Attributes:
        rows: Good rows of the file.
        taken: Rows of the mix that come from it.
    """

    source: Source
    rows: int
    taken: int

    @property
    def times(self) -> float:
        """How often each of its rows is taken, on average."""
        return self.taken / self.rows


@dataclass(frozen=True, slots=True)
class Mixed:
    """What was written."""

    target: Path
    kind: RowKind
    rows: int
    shares: tuple[Share, ...]


def mix(sources: Sequence[Source], target: Path, *, rows: int | None = None, seed: int = 0) -> Mixed:
    """Write rows of several files, in shares of their weights, to one.

    Args:
        sources: Data files of one kind of rows; formats may differ.
        target: A file that does not exist; it is there whole or not at all.
        rows: Rows of the mix; None: as many as all sources have.
        seed: The same seed gives the same mix.

    Raises:
        UsageError: A weight is not a number above zero.
        Refused: `target` exists, or cannot be written.
        PlanInvalid: A source holds bad rows, none, or rows of another kind than the first.
    """
    for source in sources:
        if not 0 < source.weight < math.inf:
            where = f"{source.path}:{source.weight:g}"
            raise UsageError("a weight must be a number above zero", where=where, next_step="or leave the file out")
    if target.exists():
        raise Refused("nothing is overwritten", where=str(target), next_step="choose another name")
    kind: RowKind | None = None
    counts: list[int] = []
    for source in sources:
        kind, count = _counted(source, kind)
        counts.append(count)
    assert kind is not None
    taken = shares_by_weight(sum(counts) if rows is None else rows, [source.weight for source in sources])
    shares = tuple(Share(source, n, m) for source, n, m in zip(sources, counts, taken, strict=True))
    try:
        with new_file(target) as file:
            for number, share in enumerate(shares):
                _copy(share, _drawn(share, f"{seed}:{number}"), kind, file)
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise Refused(what, where=str(target), next_step="choose another place") from None
    return Mixed(target, kind, sum(taken), shares)


def _counted(source: Source, kind: RowKind | None) -> tuple[RowKind, int]:
    problems = Problems()
    reader = RowReader(source.path, source.fields, problems, kind=kind)
    for _ in reader:
        pass
    problems.raise_if_any()
    if not reader.rows or reader.kind is None:
        raise PlanInvalid("the file holds no rows", where=str(source.path))
    return reader.kind, reader.rows


def _copy(share: Share, drawn: Sequence[int], kind: RowKind, file: IO[bytes]) -> None:
    reader = RowReader(share.source.path, share.source.fields, Problems(), kind=kind)
    for row, times in zip(reader, drawn, strict=False):
        file.write(row_bytes(plain_row(row)) * times)
    if reader.rows != share.rows:
        what = "the file was changed while it was mixed"
        raise PlanInvalid(what, where=str(share.source.path), next_step="mix it again")


def shares_by_weight(total: int, weights: Sequence[float]) -> list[int]:
    """`total` divided by largest remainder."""
    exact = [total * weight / sum(weights) for weight in weights]
    shares = [int(share) for share in exact]
    order = sorted(range(len(weights)), key=lambda at: exact[at] - shares[at], reverse=True)
    for at in order[: total - sum(shares)]:
        shares[at] += 1
    return shares


def _drawn(share: Share, seed: str) -> array[int]:
    """How often each row of a source is taken."""
    whole, rest = divmod(share.taken, share.rows)
    drawn = array("L", [whole]) * share.rows
    for index in random.Random(seed).sample(range(share.rows), rest):
        drawn[index] += 1
    return drawn
