"""Gate 5: success can be measured honestly: an eval of one's own task, on rows that are not trained on."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tcao_tui.domain.checks.application import check_application
from tcao_tui.domain.checks.findings import Finder, Judged, names, nearest, quoted, rows_text, shown
from tcao_tui.domain.checks.graders import check_grader
from tcao_tui.domain.checks.scored_rows import check_scored_rows
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.data_profile import DataProfile
from tcao_tui.domain.gates import Finding, Gate
from tcao_tui.domain.held_out import FALLING_METRICS, held_out_metrics
from tcao_tui.domain.hyperparams import power_of_two_at_least
from tcao_tui.domain.plan import ScoreSpec
from tcao_tui.domain.policy.score import GRADERS_BY_SHAPE
from tcao_tui.domain.row_tokens import row_tokens

_FIND = Finder(Gate.EVALS)

FEWEST_ROWS = 30
"""With fewer rows even a change of a third may be chance."""

_SHAPES = {
    "text": "free text, which nobody writes twice in the same words",
    "json": "JSON",
    "number": "numbers",
    "final_number": "texts that end in a number",
    "label": "a few fixed labels",
}
_OURS = {name for fitting in GRADERS_BY_SHAPE.values() for name, _ in fitting}


def check_evals(subject: Subject) -> Judged:
    """Judge the evals of the task itself, the benchmarks and what counts as success."""
    score, further = _score(subject), check_application(_FIND, subject)
    findings = (*score.findings, *further.findings, *_success(subject), *_benchmarks(subject))
    return Judged(findings, "; ".join(filter(None, (score.why_open, further.why_open))))


def _score(subject: Subject) -> Judged:
    score = subject.plan.evals.score
    if score is None and not subject.plan.evals.application:
        missing = _FIND.error(
            "evals.score",
            got="no eval of the task itself",
            expected="rows of the task that are not trained on, and a grader",
            fix="add evals.score.file, with rows as in training that are not trained on: "
            f"`tcao data split {quoted(subject.config.train_file)} --into split --test 10%` makes such a file",
        )
        return Judged((missing,))
    file, profile = subject.file("score_file"), subject.profile("score_file")
    if score is None or file is None:
        return Judged()
    judged = check_scored_rows(_FIND, subject, file)
    findings = [*judged.findings, *check_grader(_FIND, "evals.score.grader", score.grader, subject.facts.graders)]
    if profile is not None:
        findings += [*_fit(subject, score, profile), *_amount(score, profile), *_same_as_validation(subject, profile)]
    return Judged(tuple(findings), judged.why_open)


def smallest_difference(rows: int) -> float:
    """Difference between two scores on `rows` rows that is hardly chance: 95 %, at worst, both near one half.

    Returns:
        A share, 0 to 1: the half-width of the normal 95 % interval of a difference of two shares.
    """
    return min(1.0, 1.96 * math.sqrt(2 * 0.25 / max(rows, 1)))


def _fit(subject: Subject, score: ScoreSpec, profile: DataProfile) -> Iterator[Finding]:
    fitting = [name for name, _ in GRADERS_BY_SHAPE[profile.answer_shape] if name in subject.facts.graders]
    name = score.grader.partition(":")[0]
    if profile.rows and name in _OURS and name not in fitting:
        fix = f"set evals.score.grader to {fitting[0]}" if fitting else "score rows whose answers are short"
        yield _FIND.warning(
            "evals.score.grader",
            got=f"{score.grader} on answers that are {_SHAPES[profile.answer_shape]}",
            expected=names(fitting) if fitting else "answers that a rule can check",
            fix=fix,
        )
    tokens = row_tokens(profile, subject.config.base_model, like=subject.profile("train_file"))
    if tokens is not None and tokens.longest_answer > score.max_tokens:
        yield _FIND.warning(
            "evals.score.max_tokens",
            got=f"{score.max_tokens} tokens, and wanted answers have up to {tokens.longest_answer:,} ({tokens.how})",
            expected="room for the longest answers: a cut answer is a wrong one",
            fix=f"set evals.score.max_tokens to {power_of_two_at_least(tokens.longest_answer)}",
        )


def _amount(score: ScoreSpec, profile: DataProfile) -> Iterator[Finding]:
    rows = min(score.max_rows, profile.rows)
    if not rows:
        return
    points = f"{smallest_difference(rows) * 100:.0f} points"
    got = f"{rows_text(rows)} scored: a change of less than about {points} may be chance (95 %, at worst)"
    more = min(profile.rows, 4 * rows)
    fix = f"set evals.score.max_rows to {more}" if more > rows else "add rows to the eval file"
    if rows < FEWEST_ROWS:
        key = "evals.score.max_rows" if profile.rows > rows else "evals.score.file"
        yield _FIND.warning(key, got=got, expected=f"at least {FEWEST_ROWS} rows, better 100", fix=fix)
    else:
        yield _FIND.note("evals.score.max_rows", got=got, expected="more rows for a finer verdict", fix=fix)


def _same_as_validation(subject: Subject, profile: DataProfile) -> Iterator[Finding]:
    validation = subject.profile("val_file")
    if validation is not None and validation.sha256 == profile.sha256:
        yield _FIND.warning(
            "evals.score.file",
            got="the validation rows",
            expected="rows that nothing was chosen by, since the best checkpoint is the best on validation",
            fix="split the validation file in two, and score on one half",
        )


def _benchmarks(subject: Subject) -> Iterator[Finding]:
    listed = [benchmark.name for benchmark in subject.plan.evals.benchmarks]
    for index, name in enumerate(listed):
        if name in listed[:index]:
            yield _FIND.error(
                f"evals.benchmarks[{index}].name",
                got=f"{shown(name)} a second time",
                expected="each benchmark once",
                fix="remove one of the two",
            )


def _success(subject: Subject) -> Iterator[Finding]:
    success = subject.plan.success
    measured = [*_measured(subject)]
    evals = subject.plan.evals
    if success.metric == "score" and evals.score is None and not evals.application:
        return
    if not _is_measured(success.metric, measured):
        near = nearest(success.metric, measured) or measured or ["score"]
        yield _FIND.error(
            "success.metric",
            got=f"{shown(success.metric)}, which this plan does not measure",
            expected=f"one of {names(measured)}",
            fix=f"set success.metric to {near[0]}, or add the benchmark to evals.benchmarks",
        )
    elif success.metric in FALLING_METRICS:
        yield from _loss_threshold(success.threshold)
    else:
        yield from _share_threshold(success.threshold)
    for index, name in enumerate(success.must_not_regress):
        if not _is_measured(name, measured):
            yield _FIND.warning(
                f"success.must_not_regress[{index}]",
                got=f"{shown(name)}, which nothing here measures",
                expected=f"one of {names(measured)}",
                fix="add a benchmark that measures it to evals.benchmarks, or remove it",
            )


def _measured(subject: Subject) -> Iterator[str]:
    if subject.plan.evals.score is not None:
        yield "score"
    if subject.config.val_file is not None:
        yield from held_out_metrics(subject.plan.method)
    yield from (each.name for each in subject.plan.evals.application)
    yield from (benchmark.name for benchmark in subject.plan.evals.benchmarks)


def _is_measured(metric: str, measured: list[str]) -> bool:
    return any(metric == name or name.endswith(f"/{metric}") for name in measured)


def _share_threshold(threshold: float | None) -> Iterator[Finding]:
    if threshold is None or 0 < threshold <= 1:
        return
    meant = threshold / 100 if 1 < threshold <= 100 else 0.9
    yield _FIND.error(
        "success.threshold",
        got=f"{threshold:g}",
        expected="a share, more than 0 and at most 1",
        fix=f"set success.threshold to {meant:g}",
    )


def _loss_threshold(threshold: float | None) -> Iterator[Finding]:
    if threshold is not None and threshold <= 0:
        yield _FIND.error(
            "success.threshold",
            got=f"{threshold:g}",
            expected="a loss in nats per token, more than 0",
            fix="leave success.threshold out: lower than before training is then success",
        )
