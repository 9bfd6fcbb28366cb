"""Which files may be read: the person's project, and what the person named; keys and secrets by exact name only.

Consent is read off the record, so that it holds wherever the interview is resumed, and nothing but a person's own
words can give it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tcao_tui.domain.interview import Answered, Asked, Said, SlotFilled
from tcao_tui.domain.interview_state import InterviewState
from tcao_tui.domain.questions import Answer, Card

_SECRET_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".gcloud", ".password-store"})
_SECRET_NAMES = re.compile(
    r"\.env(\..+)?|\.netrc|\.pgpass|\.pypirc|\.npmrc|\.git-credentials|id_(rsa|dsa|ecdsa|ed25519)(\..+)?"
    r"|.+\.(pem|key|p12|pfx|jks|kdbx|keystore)|(credentials?|secrets?|passwords?)(\.[a-z]+)?",
    re.IGNORECASE,
)
_QUOTED = re.compile("`([^`\n]+)`|\"([^\"\n]+)\"|(?<!\\w)'([^'\n]+)'")
_EDGES = ".,;:!?()[]{}<>\"'`"


def may_read(path: str, state: InterviewState) -> bool:
    """Whether a tool may read a file of this interview."""
    target, written = resolved(path, state.directory), _absolute(path, state.directory)
    named = set(_named(state))
    if is_secret(target):
        return target in named
    parts = [file for split in state.facts.splits for file in (split.train, split.validation, split.test)]
    if target in {file.resolve() for file in parts if file is not None}:
        return True
    return target.is_relative_to(Path(state.directory).resolve()) or bool({target, written} & named)


def resolved(path: str, directory: str) -> Path:
    """Where a path really leads: from the project, with symbolic links followed."""
    return _absolute(path, directory).resolve()


def is_secret(path: Path) -> bool:
    """Whether a file looks like a key, a password or an environment of secrets."""
    return bool(_SECRET_FOLDERS & set(path.parts) or _SECRET_NAMES.fullmatch(path.name))


def paths_in(text: str) -> list[str]:
    """Words of a text that look like paths, in order; quoted ones may hold spaces."""
    found: list[str] = []
    for match in _QUOTED.finditer(text):
        found.append(next(group for group in match.groups() if group))
    found += [word.strip(_EDGES.replace(".", "")).rstrip(_EDGES) for word in _QUOTED.sub(" ", text).split()]
    return [word.removeprefix("@") for word in found if _looks_like_a_path(word)]


def _looks_like_a_path(word: str) -> bool:
    return "/" in word.strip("/") or bool(re.search(r"\w\.[a-z]\w{1,7}$", word, re.IGNORECASE)) or word.startswith("@")


def _named(state: InterviewState) -> Iterator[Path]:
    cards: dict[str, Card] = {}
    for stored in state.transcript:
        match stored.entry:
            case Said(who="you", text=text):
                yield from (_absolute(path, state.directory) for path in paths_in(text))
            case Asked(card=card):
                cards[card.id] = card
            case Answered(card_id=card_id, answers=answers):
                for answer in answers:
                    if isinstance(answer.value, str) and _was_seen(answer, cards.get(card_id)):
                        yield _absolute(answer.value, state.directory)
            case SlotFilled(filled=filled, question=question) if isinstance(filled.value, str):
                # An answer counts as it was seen; what is "by data" was written by our own tools.
                if filled.by == "data" or (filled.by == "you" and not question):
                    yield _absolute(filled.value, state.directory)
            case _:
                pass


def _was_seen(answer: Answer, card: Card | None) -> bool:
    """Whether the person wrote or saw the answer itself: an option may hide its value behind a label."""
    questions = () if card is None else card.questions
    question = next((q for q in questions if q.id == answer.question), None)
    chosen = next((o for o in question.options if o.value == answer.value), None) if question else None
    return chosen is None or answer.value in chosen.label


def _absolute(path: str, directory: str) -> Path:
    try:
        expanded = Path(path.replace("\0", "")).expanduser()
    except RuntimeError:  # ~somebody who is not there
        expanded = Path(path)
    return Path(directory).resolve() / expanded
