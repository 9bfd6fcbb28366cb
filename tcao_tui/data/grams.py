"""Word n-grams of many texts at once, as 64-bit hashes, with numpy.

A word ends at white space. Each character of Chinese, Japanese and Korean, of Thai and of the Indian scripts begins
one too, since not all of them write spaces. Texts are expected in normal form (`row_text.normalised`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LONGEST_TEXT_BYTES = 2**18
"""Only so much of a text is looked at: it bounds memory, and nobody copies a longer text by accident."""

_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 2**64)
_SPACE = 0x20
_INDIC_AND_THAI = 0xE0
_FIRST_EAST_ASIAN, _LAST_EAST_ASIAN = 0xE3, 0xED
"""First bytes of UTF-8 characters from U+0800 to U+0FFF, and from U+3000 to U+D7FF."""

type Hashes = npt.NDArray[np.uint64]
type Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grams:
    """N-grams of a batch of texts.

    Attributes:
        hashes: Of every n-gram, text after text.
        firsts: Index of each text's first n-gram; every text has at least one.
        words: Words per text.
    """

    hashes: Hashes
    firsts: Indices
    words: Indices

    def owners(self) -> Indices:
        """Index of the text that each n-gram belongs to."""
        counts = np.diff(self.firsts, append=len(self.hashes))
        return np.repeat(np.arange(len(self.firsts)), counts)


class GramHasher:
    """Hashes n-grams; equal words have equal hashes in every batch and every process.

    Args:
        n: Words per n-gram. A text of fewer words is one n-gram as a whole.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self._powers = _powers(_BASE, 1)
        self._inverses = _powers(_INVERSE, 1)

    def __call__(self, texts: Sequence[str]) -> Grams:
        """N-grams of `texts`."""
        pieces = [text.encode(errors="replace")[:LONGEST_TEXT_BYTES] or b"\0" for text in texts]
        data = np.frombuffer(b" ".join(pieces) + b" ", np.uint8)
        lengths = np.array([len(piece) + 1 for piece in pieces])
        ends = np.cumsum(lengths)
        words = _word_starts(data)
        first_words = np.searchsorted(words, ends - lengths)
        counts = np.diff(first_words, append=len(words))
        owner = np.repeat(np.arange(len(pieces)), counts)
        last_words = first_words[owner] + counts[owner] - self.n
        ordinal = np.arange(len(words))
        chosen = (ordinal <= last_words) | (ordinal == first_words[owner])
        starts = words[chosen]
        following = np.append(words, len(data))
        stops = np.minimum(following[np.minimum(ordinal[chosen] + self.n, len(words))], ends[owner[chosen]])
        firsts = np.searchsorted(owner[chosen], np.arange(len(pieces)))
        return Grams(self._hash(data, starts, stops), firsts, counts)

    def _hash(self, data: npt.NDArray[np.uint8], starts: Indices, stops: Indices) -> Hashes:
        if len(self._powers) < len(data):
            self._powers = _powers(_BASE, len(data))
            self._inverses = _powers(_INVERSE, len(data))
        sums = np.zeros(len(data) + 1, np.uint64)
        np.multiply(self._powers[: len(data)], data, out=sums[1:])
        np.cumsum(sums, out=sums)
        # A polynomial hash of every slice comes from two prefix sums, moved back to where the slice begins.
        return mixed((sums[stops] - sums[starts]) * self._inverses[starts])


def mixed(values: Hashes) -> Hashes:
    """Values spread evenly over 64 bits: the finaliser of SplitMix64 (Steele, Lea, Flood, 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _powers(base: int, count: int) -> Hashes:
    factors = np.full(count, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)


def _word_starts(data: npt.NDArray[np.uint8]) -> Indices:
    is_space = data == _SPACE
    after_space = np.concatenate(([True], is_space[:-1]))
    wide = (data == _INDIC_AND_THAI) | ((data >= _FIRST_EAST_ASIAN) & (data <= _LAST_EAST_ASIAN))
    return np.flatnonzero((after_space & ~is_space) | wide)
