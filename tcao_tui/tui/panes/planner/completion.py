"""What may complete the word under the cursor: slash commands, key paths, files. Pure but for listing a directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tcao_tui.domain.plain_text import one_line
from tcao_tui.tui.widgets.offers import Offer, Offers

MOST_OFFERS = 8
_MOST_ENTRIES = 2_000
"""Directory entries looked at; a folder of a million files must not hold up typing."""

type ListFiles = Callable[[str], Sequence[Offer]]
"""Files whose path begins with a text."""


def offers_for(
    text: str, cursor: int, *, commands: Sequence[Offer], paths: Sequence[str], files: ListFiles, wants_file: bool
) -> Offers:
    """Completions at a place of the composer's line.

    Args:
        text: The line with the cursor.
        cursor: Characters before the cursor.
        commands: Slash commands, offered at the start of the line.
        paths: Key paths, offered after `/edit`.
        files: Lists files.
        wants_file: The open question asks for a file, so that every word is a path.
    """
    found = _found(text[:cursor], commands, paths, files, wants_file=wants_file)
    is_whole = len(found.offers) == 1 and found.offers[0].text == text[found.start : cursor]
    return Offers(found.start) if is_whole else found


def _found(
    before: str, commands: Sequence[Offer], paths: Sequence[str], files: ListFiles, *, wants_file: bool
) -> Offers:
    word = before.rpartition(" ")[2]
    start = len(before) - len(word)
    if fitting := [each for each in commands if before.startswith("/") and each.text.startswith(before)]:
        return Offers(0, tuple(fitting))
    if before.startswith("/edit ") and before.count(" ") == 1:
        found = [path for path in paths if word.lower() in path.lower()]
        return Offers(start, tuple(Offer(path, path) for path in found[:MOST_OFFERS]))
    if word.startswith("@"):
        return Offers(start, tuple(Offer(f"@{each.text}", each.label, each.hint) for each in files(word[1:])))
    if wants_file and word:
        return Offers(start, tuple(files(word)))
    return Offers(start)


def list_files(typed: str, directory: Path) -> list[Offer]:
    """Files and folders whose path begins with what is typed, folders last but for hidden ones, which must be named.

    Args:
        typed: Path as far as it is; `~` is the home directory.
        directory: What relative paths start from.
    """
    folder, _, name = typed.rpartition("/")
    try:
        place = directory / Path(f"{folder}/" if folder or typed.startswith("/") else ".").expanduser()
    except RuntimeError:
        return []
    prefix = f"{folder}/" if folder or typed.startswith("/") else ""
    found: list[tuple[bool, str]] = []
    try:
        with os.scandir(place) as entries:
            for _count, entry in zip(range(_MOST_ENTRIES), entries, strict=False):
                is_wanted = entry.name.lower().startswith(name.lower()) and (
                    name.startswith(".") or not entry.name.startswith(".")
                )
                if is_wanted:
                    found.append((entry.is_dir(), entry.name))
    except OSError:
        return []
    return [
        Offer(f"{prefix}{entry}{'/' if is_folder else ''}", one_line(entry, 60) + ("/" if is_folder else ""))
        for is_folder, entry in sorted(found)[:MOST_OFFERS]
    ]
