"""A seeded, stratified split of a data file into new files; the file itself is never modified.

Rows with the same prompt and near duplicates stay on one side, or validation would measure memory. Strata are the
answers where there are few of them, else turns and length, so that each part looks like the whole.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tcao_tui.data.answer_shapes import AnswerCounter
from tcao_tui.data.duplicates import RowComparer, text_key
from tcao_tui.data.file_pass import FilePass, OnBytes
from tcao_tui.data.problems import RowProblem
from tcao_tui.data.row_text import normalised
from tcao_tui.data.split_files import PARTS, check_target, part_path, write_parts
from tcao_tui.domain.data_profile import FieldMap, Split
from tcao_tui.errors import PlanInvalid

_TRAIN = 0
_LENGTH_STRATA = 4
_SEVERAL_TURNS = 3
_LARGEST_GROUP, _LARGEST_SHARE = 20, 0.05
"""Larger groups of near duplicates are a form that all rows share, such as a long instruction."""

type Numbers = npt.NDArray[np.int64]


def split_file(
    source: Path,
    into: Path,
    *,
    validation: int,
    test: int,
    seed: int = 0,
    fields: FieldMap | None = None,
    on_bytes: OnBytes = lambda count: None,
) -> Split:
    """Write the parts of `source` below `into`, each whole or not at all.

    Args:
        source: The file; a row that cannot be used stops the split.
        into: Folder, made if need be; an earlier split there is replaced.
        validation: Rows to hold out for validation; rows that belong together may make it a few less.
        test: Rows to hold out for the application's own eval.
        seed: The same seed gives the same split.
        fields: How rows are read; None to find out.
        on_bytes: Told how far each of two passes is.

    Raises:
        PlanInvalid: The source cannot be used, or the sizes leave less than half of it to train on.
        Refused: A file is in the way that no split wrote.
    """
    file = FilePass(source, fields, on_bytes)
    check_target(source, into)
    layout = Layout(file)
    _check(file, layout.rows, validation, test)
    parts = layout.assign((0, validation, test), seed)
    counts = np.bincount(parts, minlength=len(PARTS)).tolist()
    if (validation and not counts[1]) or (test and not counts[2]):
        raise PlanInvalid(
            "too few rows have a prompt of their own to hold some out",
            where=str(source),
            next_step="hold out more rows, or add rows with other prompts",
        )
    split = Split(
        source=source,
        source_sha256=file.sha256(),
        train=part_path(into, 0),
        validation=part_path(into, 1) if counts[1] else None,
        test=part_path(into, 2) if counts[2] else None,
        rows=(counts[0], counts[1], counts[2]),
        seed=seed,
        method=f"seed {seed}; stratified by {layout.strata_name}; {layout.groups_name}",
    )
    write_parts(FilePass(source, fields, on_bytes), into, parts.tolist(), split)
    return split


def _check(file: FilePass, rows: int, validation: int, test: int) -> None:
    """Raises `PlanInvalid` when the file or the sizes will not do."""
    if file.problems.total:
        raise _cannot_use(file.problems.first[0], file.problems.total)
    held_out = validation + test
    if min(validation, test) < 0 or not held_out:
        raise PlanInvalid("no rows are held out", where="validation", next_step="ask for some, such as a tenth of all")
    if 2 * held_out > rows:
        raise PlanInvalid(
            f"{held_out:,} of {rows:,} rows held out leave less than half to train on",
            where="validation and test",
            next_step=f"hold out {rows // 2:,} or fewer, better about {max(1, rows // 10):,}",
        )


def _cannot_use(problem: RowProblem, total: int) -> PlanInvalid:
    many = "a row cannot be used" if total == 1 else f"{total:,} rows cannot be used, the first one"
    return PlanInvalid(
        f"{many}: {problem.what}",
        where=f"{problem.path}:{problem.line}" if problem.line else str(problem.path),
        next_step=f"{problem.fix}, or write a copy without such rows: tcao data clean",
    )


class Layout:
    """Which rows belong together, and which are of a kind.

    Attributes:
        rows: Rows of the file.
        strata_name, groups_name: What rows are stratified by and kept together by, for people.
    """

    def __init__(self, file: FilePass) -> None:
        comparer, answers = RowComparer(), AnswerCounter()
        keys, lengths, turns = list[int](), list[int](), list[int]()
        for batch in file.batches():
            comparer.add(batch)
            answers.add([row.answer for row in batch if row.answer])
            keys += [text_key(normalised(row.answer)) for row in batch]
            lengths += [len(row.whole) for row in batch]
            turns += [row.turns for row in batch]
        self.rows = len(keys)
        self._groups, self.groups_name = _groups(comparer, self.rows)
        if answers.shape() == "label":
            self.strata_name = f"{answers.distinct} different answers"
            self._strata = np.unique(np.array(keys, np.uint64), return_inverse=True)[1]
        else:
            self.strata_name = "number of turns and length"
            self._strata = _by_size(np.array(lengths), np.array(turns)) if keys else np.empty(0, np.int64)

    def assign(self, wanted: Sequence[int], seed: int) -> npt.NDArray[np.int8]:
        """Number of the part of each row; part 0 gets what is left."""
        parts = np.zeros(self.rows, np.int8)
        sizes = np.bincount(self._groups, minlength=self.rows)
        members = np.argsort(self._groups, kind="stable")
        starts = np.cumsum(sizes) - sizes
        roots = np.flatnonzero(sizes).tolist()
        random.Random(seed).shuffle(roots)
        for part, rows in enumerate(wanted):
            for root in self._picked(roots, parts, sizes, rows) if part != _TRAIN else ():
                parts[members[starts[root] : starts[root] + sizes[root]]] = part
        return parts

    def _picked(self, roots: list[int], parts: npt.NDArray[np.int8], sizes: Numbers, wanted: int) -> Sequence[int]:
        """Groups of `wanted` rows together, or of as many as can be had, in the proportions of the strata."""
        quotas = _quotas(np.bincount(self._strata), wanted)
        taken: dict[int, None] = {}
        left = wanted
        for root, quota in chain(((r, quotas) for r in roots), ((r, None) for r in roots)):
            room = left if quota is None else min(left, quota[self._strata[root]])
            if parts[root] != _TRAIN or root in taken or sizes[root] > room:
                continue
            taken[root] = None
            left -= int(sizes[root])
            quotas[self._strata[root]] -= int(sizes[root])
            if not left:
                break
        return list(taken)


def _groups(comparer: RowComparer, rows: int) -> tuple[Numbers, str]:
    """First row that each row belongs together with, by row, and what they have in common, for people."""
    prompts = _joined(np.arange(rows), comparer.same_prompts() if rows else ())
    both = _joined(prompts, comparer.near_copies() if rows else ())
    largest = np.bincount(both).max(initial=0)
    if largest > max(_LARGEST_GROUP, _LARGEST_SHARE * rows):
        alike = f"near duplicates are not, since {largest:,} rows are all much alike"
        return prompts, f"{_followers(prompts):,} rows kept with the row whose prompt they repeat; {alike}"
    return (
        both,
        f"{_followers(both):,} rows kept with the row whose prompt they repeat or whose text they nearly repeat",
    )


def _followers(groups: Numbers) -> int:
    return int(np.count_nonzero(groups != np.arange(len(groups))))


def _joined(groups: Numbers, pairs: Iterable[tuple[int, int]]) -> Numbers:
    """Groups after those of each pair were made one."""
    parents = groups.tolist()

    def root_of(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    for one, other in pairs:
        first, second = sorted((root_of(one), root_of(other)))
        parents[second] = first
    return np.array([root_of(row) for row in range(len(parents))], np.int64)


def _by_size(lengths: Numbers, turns: Numbers) -> Numbers:
    edges = np.quantile(lengths, np.arange(1, _LENGTH_STRATA) / _LENGTH_STRATA)
    return np.searchsorted(edges, lengths) * 2 + (turns >= _SEVERAL_TURNS)


def _quotas(sizes: Numbers, wanted: int) -> list[int]:
    """How `wanted` rows are shared out by size, by largest remainders."""
    exact = sizes * wanted / sizes.sum()
    quotas = np.floor(exact).astype(np.int64)
    quotas[np.argsort(quotas - exact, kind="stable")[: wanted - int(quotas.sum())]] += 1
    return quotas.tolist()
