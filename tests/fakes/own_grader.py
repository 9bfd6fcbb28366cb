"""Graders as a user would write them."""

from __future__ import annotations


def same_first_word(answer: str, reference: str) -> bool | None:
    return answer.split()[:1] == reference.split()[:1] if reference.split() else None


def share_of_words(answer: str, reference: str) -> float:
    wanted = reference.split()
    return sum(word in answer.split() for word in wanted) / len(wanted)


def broken(answer: str, reference: str) -> float:
    return {"1": 1.0, "nan": float("nan")}[answer]


class Nothing:
    pass


def even_length(answer: str, reference: str) -> bool:
    return len(answer) % 2 == 0
