"""Rows that repeat an earlier row, exactly or nearly, and the same prompt answered differently; memory is bounded.

Near duplicates are found by MinHash (Broder, 1997) over word 3-grams, grouped by locality-sensitive hashing: 32 hash
functions of 8 bits each, 8 bands of 4. A row that shares a band with an earlier one is compared with it by the share
of equal hashes, an estimate of the Jaccard similarity.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from tcao_tui.data.grams import GramHasher, Grams
from tcao_tui.data.row_text import RowText, normalised

ROWS_COMPARED = 4_000_000
"""Rows that are compared with each other, 64 bytes each; later ones are not looked at, and the method says so."""

SIMILARITY = 0.8
GRAM_WORDS = 3
_HASHES = 32
_BAND_TYPE = np.uint32  # four hashes of eight bits
_EQUAL_HASHES = _HASHES * (SIMILARITY + (1 - SIMILARITY) / 256)
"""Of so similar texts, since one in 256 hashes of different n-grams is equal by chance."""
_COMPARED_AT_ONCE = 2**17


@dataclass(frozen=True, slots=True)
class Repeats:
    """What `RowComparer` found.

    Attributes:
        exact, near: Rows that repeat an earlier one; no row is counted twice.
        in_a_row: Of the exact ones those that stand right after what they repeat, as a mix writes rows to weigh more.
        conflicting: Rows whose prompt has another answer elsewhere; the first of them begins at `first_conflict`.
        method: For people.
    """

    exact: int
    in_a_row: int
    near: int
    conflicting: int
    first_conflict: int
    method: str


class RowComparer:
    """Takes in rows in batches, then tells which repeat others.

    Args:
        limit: Rows that are compared; more are not looked at.
    """

    def __init__(self, limit: int = ROWS_COMPARED) -> None:
        self._limit = limit
        self._rows = 0
        self._hasher = GramHasher(GRAM_WORDS)
        # Bytes, because they grow in place, and arrays over them need no copy.
        self._lines = bytearray()
        self._keys = bytearray()
        self._signatures = bytearray()
        noise = np.random.default_rng(0)
        self._masks = noise.integers(0, 2**32, _HASHES, np.uint32)
        self._factors = noise.integers(0, 2**32, _HASHES, np.uint32) | np.uint32(1)

    def add(self, rows: Sequence[RowText]) -> None:
        """Take in the next rows."""
        self._rows += len(rows)
        rows = rows[: max(0, self._limit - self._rows + len(rows))]
        if not rows:
            return
        texts = [NormalText.of(row) for row in rows]
        self._lines += np.array([row.line for row in rows], np.uint64).tobytes()
        self._keys += np.array([text.keys() for text in texts], np.uint64).tobytes()
        self._signatures += self._minima(self._hasher([text.body() for text in texts])).tobytes()

    def repeats(self) -> Repeats:
        """Counts over all rows taken in."""
        _, questions, answers = self._all_keys().T
        rows = questions * np.uint64(3) ^ answers
        copies = _later_copies(rows)
        in_a_row = int((rows[1:] == rows[:-1]).sum())
        distinct = np.flatnonzero(~copies)
        near = sum(1 for _ in self._near_pairs(distinct))
        conflicting = distinct[_in_groups(questions[distinct])]
        lines = np.frombuffer(self._lines, np.uint64)[conflicting]
        first = int(lines.min()) if len(lines) else 0
        return Repeats(int(copies.sum()), in_a_row, near, len(lines), first, self._method())

    def same_prompts(self) -> Iterator[tuple[int, int]]:
        """Row indices of a row and of the first one that has its prompt."""
        order, first = _first_of_equals(self._all_keys()[:, 0])
        yield from zip(order[first != order].tolist(), first[first != order].tolist(), strict=True)

    def near_copies(self) -> Iterator[tuple[int, int]]:
        """Row indices of a row and of an earlier one that it nearly repeats."""
        yield from self._near_pairs(np.arange(len(self._all_keys())))

    def _all_keys(self) -> npt.NDArray[np.uint64]:
        return np.frombuffer(self._keys, np.uint64).reshape(-1, 3)

    def _near_pairs(self, rows: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
        """Each row of `rows` that is nearly an earlier one, once, with that one."""
        signatures = np.frombuffer(self._signatures, np.uint8).reshape(-1, _HASHES)
        found = np.zeros(len(rows), bool)
        for band in signatures.view(_BAND_TYPE).T:
            order, first = _first_of_equals(band[rows])
            previous = np.where(first == order, order, np.roll(order, 1))
            for earlier in (first, previous):
                candidates = np.flatnonzero((earlier != order) & ~found[order])
                for start in range(0, len(candidates), _COMPARED_AT_ONCE):
                    chosen = candidates[start : start + _COMPARED_AT_ONCE]
                    later, former = rows[order[chosen]], rows[earlier[chosen]]
                    similar = (signatures[later] == signatures[former]).sum(axis=1) >= _EQUAL_HASHES
                    found[order[chosen][similar]] = True
                    yield from zip(later[similar].tolist(), former[similar].tolist(), strict=True)

    def _minima(self, grams: Grams) -> npt.NDArray[np.uint8]:
        hashes = grams.hashes.astype(np.uint32)
        signature = np.empty((len(grams.firsts), _HASHES), np.uint8)
        for index, (mask, factor) in enumerate(zip(self._masks, self._factors, strict=True)):
            signature[:, index] = np.minimum.reduceat((hashes ^ mask) * factor, grams.firsts)
        return signature

    def _method(self) -> str:
        near = f"MinHash of word {GRAM_WORDS}-grams, system prompts aside, Jaccard similarity of about {SIMILARITY} up"
        text = f"exact: same text but for case and white space; near: {near}"
        return f"{text}; among the first {self._limit:,} rows" if self._rows > self._limit else text


@dataclass(frozen=True, slots=True)
class NormalText:
    """A row's texts in normal form."""

    system: str
    prompt: str
    answer: str
    worse: str

    @classmethod
    def of(cls, row: RowText) -> Self:
        """That of a row."""
        return cls(normalised(row.system), normalised(row.prompt), normalised(row.answer), normalised(row.worse))

    def body(self) -> str:
        """What is compared for near duplicates."""
        return " ".join((self.prompt, self.answer, self.worse))

    def keys(self) -> tuple[int, int, int]:
        """Hashes of the prompt, of the question that is settled, and of the answer.

        A pair settles which of its two sides is better, so a pair and its reverse answer one question differently.
        """
        prompt = f"{self.system}\x1e{self.prompt}"
        question = key = text_key(prompt)
        if self.worse:
            question = text_key("\x1e".join((prompt, *sorted((self.answer, self.worse)))))
        return key, question, text_key(self.answer)


def text_key(normal: str) -> int:
    """64-bit hash of a text in normal form, the same in every process."""
    return int.from_bytes(hashlib.blake2b(normal.encode(errors="replace"), digest_size=8).digest())


def _first_of_equals[Number: np.generic](
    values: npt.NDArray[Number],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Indices that sort `values` stably, and for each of them the index of the first equal value."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    begins = np.ones(len(values), bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    return order, order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))]


def _later_copies(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Whether an equal value stands before, by index."""
    order, first = _first_of_equals(values)
    copies = np.empty(len(values), bool)
    copies[order] = order != first
    return copies


def _in_groups(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Whether an equal value stands anywhere else, by index."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return counts[inverse] > 1
