"""What may complete the word under the cursor of a composer. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    """One completion: what it puts in place of the word, how it reads, and a hint."""

    text: str
    label: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Offers:
    """Completions of the text between `start` and the cursor."""

    start: int
    offers: tuple[Offer, ...] = ()
