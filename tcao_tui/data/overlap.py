"""Leakage: which rows of a file that measures stand in a file that is trained on. Memory is bounded.

Exact: the same prompt in normal form. Near: most of a prompt's word n-grams stand in one row of the training file. n is
8, as in PaLM's study of contamination (Chowdhery et al., 2022, section 8), and for short prompts their 5th percentile
in words but at least 5, as GPT-3's was chosen (Brown et al., 2020, appendix C). N-grams of many prompts are boilerplate
and say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tcao_tui.data.duplicates import text_key
from tcao_tui.data.file_pass import FilePass, OnBytes
from tcao_tui.data.gram_index import GramIndex
from tcao_tui.data.grams import GramHasher
from tcao_tui.data.row_text import RowText, normalised
from tcao_tui.data.sensitive import SensitiveScan
from tcao_tui.domain.data_profile import FieldMap, Overlap
from tcao_tui.domain.plain_text import one_line

FEWEST_WORDS, MOST_WORDS = 5, 8
MOST = 0.5
_EXAMPLES = 5
_EXAMPLE_CHARACTERS = 80


def compare_files(
    left: Path,
    right: Path,
    *,
    left_fields: FieldMap | None = None,
    right_fields: FieldMap | None = None,
    on_bytes: OnBytes = lambda count: None,
) -> Overlap:
    """How many rows of `right` stand in `left`; arguments and errors as `leaks`."""
    return leaks(left, right, left_fields=left_fields, right_fields=right_fields, on_bytes=on_bytes)[0]


def leaks(
    left: Path,
    right: Path,
    *,
    left_fields: FieldMap | None = None,
    right_fields: FieldMap | None = None,
    on_bytes: OnBytes = lambda count: None,
) -> tuple[Overlap, npt.NDArray[np.int64]]:
    """Rows of `right` that stand in `left`, counted, and for each row of `right` the line of `left`, or 0.

    Args:
        left: Trained on.
        right: Measures.
        left_fields: How the rows of `left` are read; None to find out.
        right_fields: The same for `right`.
        on_bytes: Told how far `left` is, and 0 while `right` is read.

    Raises:
        PlanInvalid: A file cannot be opened, has no row that can be used, or was changed meanwhile.
    """
    prompts = _Prompts(FilePass(right, right_fields, lambda count: on_bytes(0)))
    index = GramIndex(prompts.grams(FilePass(right, right_fields, lambda count: on_bytes(0))), prompts.rows)
    training = FilePass(left, left_fields, on_bytes)
    for batch in training.batches():
        prompts.match(batch)
        index.match(prompts.hasher([_everything(row) for row in batch]), [row.line for row in batch])
    if not training.reader.rows:
        training.problems.raise_if_any()
    exact = prompts.first_lines
    near = np.where((exact == 0) & (index.shares() > MOST), index.best_lines, 0)
    lines = np.where(exact > 0, exact, near)
    overlap = Overlap(
        left=left,
        right=right,
        left_sha256=training.sha256(),
        right_sha256=prompts.sha256,
        right_rows=prompts.rows,
        exact=int(np.count_nonzero(exact)),
        near=int(np.count_nonzero(near)),
        method=_method(prompts.hasher.n, index.one_in),
        examples=tuple(_examples(FilePass(right, right_fields), lines)),
    )
    return overlap, lines


class _Prompts:
    """Prompts of the file that measures, by their hashes.

    Attributes:
        first_lines: Line of the training file in which a row's prompt stands first, by row; 0 when it does not.
        hasher: Makes the n-grams that suit these prompts.
    """

    def __init__(self, file: FilePass) -> None:
        keys: list[int] = []
        words: list[npt.NDArray[np.int64]] = []
        counter = GramHasher(1)
        for batch in file.batches():
            texts = [normalised(row.prompt) for row in batch]
            keys += map(text_key, texts)
            words.append(counter(texts).words)
        if not keys:
            file.problems.raise_if_any()
        self.rows = len(keys)
        self.sha256 = file.sha256()
        self._keys, self._places = np.unique(np.array(keys, np.uint64), return_inverse=True)
        self._lines = np.zeros(len(self._keys), np.int64)
        typical = np.percentile(np.concatenate(words), 5)
        self.hasher = GramHasher(int(np.clip(typical, FEWEST_WORDS, MOST_WORDS)))

    @property
    def first_lines(self) -> npt.NDArray[np.int64]:
        return self._lines[self._places]

    def grams(self, file: FilePass) -> Iterator[tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]]:
        """N-grams with the row that each belongs to; prompts that are shorter than one have none."""
        first = 0
        for batch in file.batches():
            found = self.hasher([normalised(row.prompt) for row in batch])
            owners = found.owners()
            long_enough = found.words[owners] >= self.hasher.n
            yield found.hashes[long_enough], owners[long_enough] + first
            first += len(batch)

    def match(self, rows: Sequence[RowText]) -> None:
        """Look for the prompts of training rows."""
        keys = np.array([text_key(normalised(row.prompt)) for row in rows], np.uint64)
        places = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        for row, place, found in zip(rows, places, self._keys[places] == keys, strict=True):
            if found and not self._lines[place]:
                self._lines[place] = row.line


def _everything(row: RowText) -> str:
    return normalised(row.body)


def _examples(file: FilePass, left_lines: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, str]]:
    """The first rows that leak, with their lines in both files."""
    scan = SensitiveScan()
    wanted = {row: int(left_lines[row]) for row in np.flatnonzero(left_lines)[:_EXAMPLES].tolist()}
    number = 0
    for batch in file.batches() if wanted else ():
        for row in batch:
            if number in wanted:
                yield wanted.pop(number), row.line, scan.redacted(one_line(row.prompt[:1_000], _EXAMPLE_CHARACTERS))
            number += 1
        if not wanted:
            return


def _method(n: int, one_in: int) -> str:
    text = (
        f"exact: same prompt but for case and white space; near: more than half of a prompt's word {n}-grams in one "
        f"training row, prompts of fewer than {n} words and n-grams of more than 10 prompts aside"
    )
    return f"{text}; judged by one in {one_in} n-grams" if one_in > 1 else text
