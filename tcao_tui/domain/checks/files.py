"""What any data file of a plan must be: readable, unchanged, without bad rows, of the kind that it is used for."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tcao_tui.domain.checks.findings import Finder, quoted, rows_text
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.data_profile import KIND_WORDS, METHOD_KINDS, DataProfile, RowKind
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan_data import DataFile, teacher_files


def check_file(find: Finder, subject: Subject, file: DataFile) -> Iterator[Finding]:
    """Everything that is wrong with one file of the plan, whatever it is for."""
    yield from _read(find, subject, file, subject.profile_of(file))


def check_teacher_files(find: Finder, subject: Subject) -> Iterator[Finding]:
    """Everything that is wrong with the prompts of further teachers."""
    for file in teacher_files(subject.plan):
        profile = subject.facts.profile(file.path)
        yield from _read(find, subject, file, profile)
        if profile is not None:
            yield from check_kind(find, file, profile, METHOD_KINDS["distill"], "whose prompts the teacher scores")


def _read(find: Finder, subject: Subject, file: DataFile, profile: DataProfile | None) -> Iterator[Finding]:
    if reason := subject.facts.missing.get(str(file.path)):
        yield find.error(
            file.key,
            got=f"{one_line(str(file.path))} {one_line(reason)}",
            expected="a file that can be read",
            fix="correct the path, or restore the file",
        )
        return
    if profile is None:
        return
    if file.recorded and file.recorded != profile.sha256:
        yield find.error(
            file.key,
            got=f"{one_line(str(file.path))} changed since the plan was written",
            expected=f"SHA-256 {file.recorded[:12]}..., as data.{file.field} says",
            fix=f"restore the file, or remove data.{file.field} to plan with the new rows",
        )
    yield from _bad_rows(find, file, profile)


def why_unknown(subject: Subject, file: DataFile) -> str:
    """Why nothing is known of a file; empty when it is, or when it cannot be read."""
    if str(file.path) in subject.facts.missing or subject.profile_of(file) is not None:
        return ""
    seen = subject.facts.profile(file.path)
    if seen is None:
        return f"{file.key} is not inspected yet"
    said = ", ".join(f"{name} {one_line(text, 40)}" for name, text in file.said.items())
    return f"{file.key} was inspected as {one_line(seen.fields.data_format, 40)}, and the plan says {said}"


def check_kind(
    find: Finder, file: DataFile, profile: DataProfile, wanted: Collection[RowKind], use: str
) -> Iterator[Finding]:
    """Whether the rows are of a kind that can be used so."""
    if not profile.rows or set(wanted) & {*profile.kinds, profile.kind}:
        return
    kind = profile.kind
    expected = " or ".join(KIND_WORDS[k] for k in wanted)
    yield find.error(
        file.key,
        got=f"{KIND_WORDS[kind] if kind else 'no known rows'} (read as {one_line(profile.fields.data_format, 40)})",
        expected=f"{expected}, {use}",
        fix=f"{_other_use(file, profile, wanted)}name a file of {expected}",
    )


def _other_use(file: DataFile, profile: DataProfile, wanted: Collection[RowKind]) -> str:
    """The other ways out: a method for such rows, and how to read them as conversations after all."""
    if file.field != "train_file":
        return ""
    fields, kind = profile.fields, profile.kind
    method = next((name for name, kinds in METHOD_KINDS.items() if kind in kinds), None)
    switch = f"set method to {method}; or " if method is not None else ""
    answer = {"preference": fields.chosen_field, "problem": fields.output_field}.get(kind or "")
    if "chat" not in wanted or answer is None or answer == fields.input_field:
        return switch
    return (
        f"{switch}to imitate the {'better ' if kind == 'preference' else ''}answers, set training.data_format to "
        f"input_output, training.input_field to {one_line(fields.input_field, 40)} and training.output_field to "
        f"{one_line(answer, 40)}; or "
    )


def _bad_rows(find: Finder, file: DataFile, profile: DataProfile) -> Iterator[Finding]:
    place = one_line(str(file.path))
    for problem in profile.problems:
        where = f"{place}:{problem.line}" if problem.line else place
        yield find.error(
            file.key, got=problem.what, expected="a row that can be used", fix=problem.fix or "correct it", where=where
        )
    if profile.bad_rows > 1:
        unlisted = profile.bad_rows - len(profile.problems)
        say = find.error if unlisted else find.note
        yield say(
            file.key,
            got=f"{rows_text(profile.bad_rows)} cannot be used{f', {unlisted:,} not listed' if unlisted else ''}",
            expected="no bad row",
            fix=f"correct them, or leave them out in a copy: `tcao data clean {quoted(file.path)} -o cleaned.jsonl`",
            where=place,
        )
    if not profile.rows and not profile.bad_rows:
        yield find.error(
            file.key, got="no rows", expected="one JSON object per line", fix="write the rows into it", where=place
        )
