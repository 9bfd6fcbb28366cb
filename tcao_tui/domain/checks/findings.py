"""How the gates say what is wrong: makers of findings, values made safe to show, the nearest name for a wrong one.

Values of a plan, names of models and text of rows are foreign: nothing of them reaches a finding but through `shown`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from tcao_tui.domain.gates import Finding, Gate, Severity
from tcao_tui.domain.plain_text import one_line

_SHOWN_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Judged:
    """What one gate found; `why_open` says what is missing before it can be judged to the end."""

    findings: tuple[Finding, ...] = ()
    why_open: str = ""


@dataclass(frozen=True, slots=True)
class Finder:
    """Makes the findings of one gate."""

    gate: Gate

    def error(self, path: str, *, got: str, expected: str, fix: str, where: str = "") -> Finding:
        """Something that stops the plan."""
        return self._finding("error", path=path, got=got, expected=expected, fix=fix, where=where)

    def warning(self, path: str, *, got: str, expected: str, fix: str, where: str = "") -> Finding:
        """Something that a person should know before approving."""
        return self._finding("warning", path=path, got=got, expected=expected, fix=fix, where=where)

    def note(self, path: str, *, got: str, expected: str, fix: str = "", where: str = "") -> Finding:
        """Something that is good to know."""
        return self._finding("note", path=path, got=got, expected=expected, fix=fix, where=where)

    def _finding(self, severity: Severity, **texts: str) -> Finding:
        return Finding(gate=self.gate, severity=severity, **{key: one_line(text) for key, text in texts.items()})


def shown(value: object) -> str:
    """A value of a plan as one short line: JSON for structures and text in quotes, nothing that steers a terminal."""
    if isinstance(value, Path):
        return one_line(str(value), _SHOWN_CHARACTERS)
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        text = type(value).__name__
    return one_line(text, _SHOWN_CHARACTERS)


def quoted(path: Path) -> str:
    """A path as a shell takes it, for a command that a fix names."""
    return shlex.quote(one_line(str(path)))


def nearest(name: str, known: Iterable[str], count: int = 1, *, likeness: float = 0.5) -> list[str]:
    """The known names that are most like a wrong one, whatever their case; `likeness` is 0 to 1."""
    by_folded = {other.casefold(): other for other in known}
    return [by_folded[found] for found in get_close_matches(name.casefold(), by_folded, n=count, cutoff=likeness)]


def names(known: Iterable[str], limit: int = 8) -> str:
    """Some names in a row, for a sentence."""
    listed = [one_line(name, 60) for name in known]
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more if listed else "none"


def rows_text(count: int) -> str:
    """`1 row`, `1,500 rows`."""
    return "1 row" if count == 1 else f"{count:,} rows"
