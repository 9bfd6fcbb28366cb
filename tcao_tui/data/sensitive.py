"""Secrets and personal data in rows: counted by kind, never repeated. A warning, not a proof of absence.

Keys are known by the prefixes that their makers document; cards and IBANs must pass their check digits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

_TOKEN = r"[A-Za-z0-9_\-]"
_KEYS = {
    "AWS access key": (("AKIA", "ASIA"), r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "Anthropic key": (("sk-ant-",), rf"\bsk-ant-{_TOKEN}{{20,}}"),
    "OpenAI key": (("sk-",), rf"\bsk-(?!ant-)(?=[A-Za-z_\-]{{0,60}}\d){_TOKEN}{{20,}}"),
    "Tinker key": (("tml-",), rf"\btml-{_TOKEN}{{20,}}"),
    "GitHub token": (
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
    ),
    "GitLab token": (("glpat-",), rf"\bglpat-{_TOKEN}{{20,}}"),
    "Slack token": (("xox",), r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}"),
    "Stripe key": (("_live_",), r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
    "Google key": (("AIza",), rf"\bAIza{_TOKEN}{{35}}"),
    "Hugging Face token": (("hf_",), r"\bhf_[A-Za-z0-9]{30,}"),
    "npm token": (("npm_",), r"\bnpm_[A-Za-z0-9]{36}"),
    "SendGrid key": (("SG.",), rf"\bSG\.{_TOKEN}{{16,}}\.{_TOKEN}{{16,}}"),
    "private key": (("PRIVATE KEY",), r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    "JSON web token": (("eyJ",), rf"\beyJ{_TOKEN}{{8,1000}}\.eyJ{_TOKEN}{{8,2000}}\.{_TOKEN}{{8,1000}}"),
    "password in a URL": (("://",), r"\b[a-z][a-z0-9+.\-]{1,20}://[^\s:/@]{1,100}:[^\s:/@]{3,100}@[\w.\-]+"),
    "e-mail address": (("@",), r"\b[\w.+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){0,8}\.[A-Za-z]{2,24}\b"),
}
"""What must be there for the pattern to be tried, and the pattern."""

_NUMBERS = {
    "card number": r"(?<![\d.,])(?:\d[ -]?){12,18}\d(?![\d.,]\d|\d)",
    "IBAN": r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
    "phone number": (
        r"(?<![\w+.,])(?:\+\d{1,3}[ .\-]?(?:\(\d{1,4}\)[ .\-]?)?\d{1,4}(?:[ .\-]?\d{2,4}){2,4}"
        r"|\(\d{3}\) ?\d{3}[ .\-]\d{4}|\d{3}-\d{3}-\d{4})(?![\w]|[.,]\d)"
    ),
}

_LONGEST_CHARACTERS = 2**20
"""Only so much of a row is looked at: patterns are slow on texts made to slow them."""

_WINDOW_BYTES = 12
_WINDOW_DIGITS = 8
"""So many digits among so few characters, with nothing but what groups digits between: all numbers above have that."""

_AROUND_BYTES = 48
"""No number is longer on either side of such a place."""


def _is_card(text: str) -> bool:
    digits = [int(character) for character in text if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return digits[0] in (2, 3, 4, 5, 6) and len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    compact = text.replace(" ", "")
    return 15 <= len(compact) <= 34 and int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


_CHECKS: dict[str, Callable[[str], bool]] = {"card number": _is_card, "IBAN": _is_iban}


class SensitiveScan:
    """Counts rows by kind of secret or personal datum."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._keys = {kind: (marks, re.compile(pattern)) for kind, (marks, pattern) in _KEYS.items()}
        self._weights = _weights()
        self._numbers = {kind: re.compile(pattern) for kind, pattern in _NUMBERS.items()}

    def add(self, texts: Sequence[str]) -> None:
        """Look through the next texts, one per row."""
        texts = [text[:_LONGEST_CHARACTERS] for text in texts]
        together = "\n".join(texts)
        has_underscore = "_" in together  # found ten times as fast as the marks that hold one
        for kind, (marks, pattern) in self._keys.items():
            present = [mark for mark in marks if (has_underscore or "_" not in mark) and mark in together]
            if present:
                candidates = (text for text in texts if any(mark in text for mark in present))
                self.counts.update(kind for text in candidates if pattern.search(text))
        found = {
            (row, kind) for row, piece in _long_numbers(texts, self._weights) for kind in self._number_kinds(piece)
        }
        self.counts.update(kind for _, kind in found)

    def redacted(self, text: str) -> str:
        """`text` with every finding replaced by the name of its kind."""
        for kind, pattern in [*((kind, pattern) for kind, (_, pattern) in self._keys.items()), *self._numbers.items()]:
            for found in {match[0] for match in pattern.finditer(text)}:
                text = text.replace(found, f"({kind})") if _passes(kind, found) else text
        return text

    def _number_kinds(self, text: str) -> Iterator[str]:
        for kind, pattern in self._numbers.items():
            if any(_passes(kind, found[0]) for found in pattern.finditer(text)):
                yield kind


def _passes(kind: str, found: str) -> bool:
    check = _CHECKS.get(kind)
    return check is None or check(found)


def _weights() -> npt.NDArray[np.int32]:
    """By byte: 1 for a digit, 0 for what stands between digits, and enough to rule a window out for everything else."""
    weights = np.full(256, -_WINDOW_BYTES, np.int32)
    weights[list(b" -.()+ABCDEFGHIJKLMNOPQRSTUVWXYZ")] = 0
    weights[list(b"0123456789")] = 1
    return weights


def _long_numbers(texts: Sequence[str], weights: npt.NDArray[np.int32]) -> Iterator[tuple[int, str]]:
    """Places with many digits close together, each with the index of its text and what stands around it."""
    pieces = [text.encode(errors="replace") for text in texts]
    together = b"\n".join(pieces) + b"\n" * _WINDOW_BYTES
    sums = np.zeros(len(together) + 1, np.int32)
    np.cumsum(weights[np.frombuffer(together, np.uint8)], out=sums[1:])
    places = np.flatnonzero(sums[_WINDOW_BYTES:] - sums[:-_WINDOW_BYTES] >= _WINDOW_DIGITS)
    if not len(places):
        return
    ends = np.cumsum([len(piece) + 1 for piece in pieces])
    rows = np.searchsorted(ends, places, side="right")
    apart = (np.diff(places, prepend=-_AROUND_BYTES) >= _AROUND_BYTES) | (np.diff(rows, prepend=-1) != 0)
    lasts = places[np.append(np.flatnonzero(apart)[1:] - 1, len(places) - 1)]
    for first, last, row in zip(places[apart].tolist(), lasts.tolist(), rows[apart].tolist(), strict=True):
        start = max(first - _AROUND_BYTES, int(ends[row]) - len(pieces[row]) - 1)
        stop = min(last + _WINDOW_BYTES + _AROUND_BYTES, int(ends[row]) - 1)
        yield row, together[start:stop].decode(errors="replace")
