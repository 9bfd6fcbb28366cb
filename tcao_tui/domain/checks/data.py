"""Gate 3: the rows teach what is meant. Needs training and validation files inspected and compared, and code found."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.checks.code import check_code, unread_code
from tcao_tui.domain.checks.files import check_file, check_kind, check_teacher_files, why_unknown
from tcao_tui.domain.checks.findings import Finder, Judged, rows_text
from tcao_tui.domain.checks.leakage import check_leakage, why_uncompared
from tcao_tui.domain.checks.renderers import check_renderer
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.checks.tokens import check_tokens, why_unmeasured
from tcao_tui.domain.data_profile import DataProfile
from tcao_tui.domain.gates import Finding, Gate
from tcao_tui.domain.hyperparams import power_of_two_at_most
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan_data import DataFile, Place, kinds_of, teacher_files
from tcao_tui.domain.row_tokens import row_tokens

_FIND = Finder(Gate.DATA)

MANY_EXACT, MANY_NEAR = 0.01, 0.05
"""Shares of repeated rows from which they weigh on what is learned; below, they are only noted."""

MANY_EPOCHS = 10
"""Passes over the same rows beyond which a fixed set is learned by heart."""

_PLACES: tuple[Place, ...] = ("train_file", "val_file")


def check_data(subject: Subject) -> Judged:
    """Judge training and validation rows."""
    findings: list[Finding] = []
    files = [file for file in subject.files if file.field in _PLACES]
    for file in files:
        findings += check_file(_FIND, subject, file)
        if (profile := subject.profile_of(file)) is not None:
            findings += _of_one_file(subject, file, profile)
    findings += check_teacher_files(_FIND, subject)
    findings += _amount(subject)
    findings += check_tokens(_FIND, subject)
    findings += check_renderer(_FIND, subject)
    for file in files[1:]:
        findings += check_leakage(_FIND, subject, file)
    findings += check_code(_FIND, subject)
    reasons = [*(why_unknown(subject, file) for file in files), why_unmeasured(subject)]
    reasons += [
        f"{file.key} is not inspected yet"
        for file in teacher_files(subject.plan)
        if subject.facts.profile(file.path) is None and str(file.path) not in subject.facts.missing
    ]
    reasons += [why_uncompared(subject, file) for file in files[1:]]
    reasons += [f"the code of {code.key} is not looked at yet" for code in unread_code(subject)]
    return Judged(tuple(findings), "; ".join(filter(None, reasons)))


def _of_one_file(subject: Subject, file: DataFile, profile: DataProfile) -> Iterator[Finding]:
    method = subject.plan.method
    wanted = kinds_of(subject.plan)
    if wanted is not None:
        yield from check_kind(_FIND, file, profile, wanted, f"which {method} learns from")
    yield from _repeated(file, profile)
    place = one_line(str(file.path))
    for anomaly in profile.anomalies:
        yield _FIND.warning(
            file.key,
            got=f"{rows_text(anomaly.count)}: {anomaly.what}",
            expected="rows without it",
            fix=anomaly.fix or "look at them, and correct them if they are not meant so",
            where=f"{place}:{anomaly.first_line}" if anomaly.first_line else place,
        )
    if profile.sensitive:
        counts = ", ".join(f"{one_line(kind, 40)} in {rows_text(count)}" for kind, count in profile.sensitive.items())
        yield _FIND.warning(
            file.key,
            got=f"what looks like secrets or personal data: {counts}",
            expected="rows that may be learned by heart and repeated to anybody",
            fix="remove or mask them, unless they are invented",
            where=place,
        )


def _repeated(file: DataFile, profile: DataProfile) -> Iterator[Finding]:
    weighted = profile.duplicates_in_a_row
    if weighted:
        yield _FIND.note(
            file.key,
            got=f"{weighted:,} of {rows_text(profile.rows)} repeat the row right before them, as a mix repeats rows",
            expected="rows that are to weigh more",
            fix="nothing, if they are to; else `tcao data mix` with weights that the files can fill",
        )
    for count, share, what in (
        (profile.exact_duplicates - weighted, MANY_EXACT, "repeat an earlier row word for word"),
        (profile.near_duplicates, MANY_NEAR, "are nearly an earlier row"),
    ):
        if not count:
            continue
        say = _FIND.warning if profile.rows and count / profile.rows >= share else _FIND.note
        yield say(
            file.key,
            got=f"{count:,} of {rows_text(profile.rows)} {what}",
            expected="each row once, unless some are to weigh more",
            fix="remove the repeats, unless they are meant",
        )


def _amount(subject: Subject) -> Iterator[Finding]:
    profile, config = subject.profile("train_file"), subject.config
    if profile is None or not profile.rows:
        return
    batch = config.train_batch_size
    if config.batch_tokens is not None:
        tokens = row_tokens(profile, config.base_model)
        if tokens is None:
            return
        batch = tokens.per_batch(config.batch_tokens)
    elif profile.rows < batch:
        yield _FIND.error(
            "training.train_batch_size",
            got=f"{rows_text(profile.rows)} do not fill one batch of {config.train_batch_size}",
            expected=f"at most {profile.rows}",
            fix=f"set training.train_batch_size to {power_of_two_at_most(profile.rows)}, or add rows",
        )
        return
    epochs = config.num_steps * batch / profile.rows
    if epochs > MANY_EPOCHS and subject.plan.method in ("sft", "dpo"):
        steps = max(1, MANY_EPOCHS * profile.rows // batch)
        yield _FIND.warning(
            "training.num_steps",
            got=f"each of {rows_text(profile.rows)} is trained {epochs:.0f} times",
            expected=f"at most {MANY_EPOCHS} times: beyond that rows are learned by heart",
            fix=f"set training.num_steps to {steps}, make the batch smaller, or add rows",
        )
