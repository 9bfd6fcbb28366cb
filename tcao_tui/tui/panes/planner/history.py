"""What the person wrote in an interview before, to be called back with the up key. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tcao_tui.domain.interview import Answered, Said, StoredEntry

_MOST = 500


def words_of_person(transcript: Sequence[StoredEntry]) -> list[str]:
    """Words and typed answers of the person, oldest first, without repeats in a row."""
    said: list[str] = []
    for stored in transcript:
        match stored.entry:
            case Said(who="you", text=text):
                said.append(text)
            case Answered(answers=answers):
                said += [answer.value for answer in answers if isinstance(answer.value, str)]
            case _:
                pass
    return [text for i, text in enumerate(said) if text.strip() and (i == 0 or said[i - 1] != text)][-_MOST:]
