"""Rows that are trained on and measured with: found by comparing files, told with both lines."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.checks.findings import Finder, quoted, rows_text
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.data_profile import Overlap
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan_data import DataFile

_SHOWN = 5


def check_leakage(find: Finder, subject: Subject, file: DataFile) -> Iterator[Finding]:
    """Rows of one file that stand in the training file."""
    profile, train = subject.profile_of(file), subject.profile("train_file")
    if profile is None or train is None or not profile.rows:
        return
    if profile.sha256 == train.sha256:
        yield find.error(
            file.key,
            got="the same content as training.train_file",
            expected="rows that are not trained on",
            fix=f"name another file: `tcao data split {quoted(train.path)} --into split` makes two of this one",
            where=one_line(str(file.path)),
        )
        return
    overlap = subject.trained_on(file)
    if overlap is not None:
        yield from _shared_rows(find, file.key, overlap)


def why_uncompared(subject: Subject, file: DataFile) -> str:
    """Why it is not known whether a file shares rows with the training file; empty when it is."""
    profile, train = subject.profile_of(file), subject.profile("train_file")
    if profile is None or train is None or not profile.rows or not train.rows:
        return ""
    if profile.sha256 == train.sha256 or subject.trained_on(file) is not None:
        return ""
    return f"{file.key} is not compared with the training rows yet"


def _shared_rows(find: Finder, key: str, overlap: Overlap) -> Iterator[Finding]:
    left, right = one_line(str(overlap.left)), one_line(str(overlap.right))
    pairs = [f"line {here} as line {there} there" for there, here, _ in overlap.examples[:_SHOWN]]
    listed = f": {', '.join(pairs)}" if pairs else ""
    first = f"{right}:{overlap.examples[0][1]}" if overlap.examples else right
    if overlap.exact:
        yield find.error(
            key,
            got=f"{overlap.exact:,} of {rows_text(overlap.right_rows)} stand in the training file{listed}",
            expected="no row that is trained on: such rows measure memory, not ability",
            fix=f"remove them from {left}, or name other rows here: "
            f"`tcao data split {quoted(overlap.left)} --into split --test 10%` makes such files",
            where=first,
        )
    if overlap.near:
        yield find.warning(
            key,
            got=f"{overlap.near:,} of {rows_text(overlap.right_rows)} are nearly rows of the training file"
            f"{listed if not overlap.exact else ''} ({one_line(overlap.method, 400)})",
            expected="rows that differ from what is trained on",
            fix=f"look at them and remove from {left} those that give the answer away",
            where="" if overlap.exact else first,
        )
