"""How far a judge agrees with people: their grades read, what asking may cost consented to, the judge asked.

The helper is `probes.judge_labels`, since Inspect takes seconds to import; it grades as evals do.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from tcao_tui.clients.llm_port import LlmUsage
from tcao_tui.clients.llm_prices import price_of
from tcao_tui.clients.llm_prices import usd_of as llm_usd_of
from tcao_tui.clients.prices import planning_quote
from tcao_tui.domain import eval_cost
from tcao_tui.domain.evaluation import Usage
from tcao_tui.domain.judge_labels import RESULT, Judged, JudgeJob, Judgement, Labelled
from tcao_tui.domain.judges import OUR_PROVIDER, model_of
from tcao_tui.domain.plan import PriceQuote
from tcao_tui.domain.statistics.agreement import Confusion, Kappa, cohens_kappa, confusion
from tcao_tui.errors import BackendError, Refused, UsageError
from tcao_tui.services.approve import require_consent
from tcao_tui.services.backends import Profile, ensure_engine
from tcao_tui.services.eval_needs import judge_lacks
from tcao_tui.services.evaluation_processes import inspect_environment
from tcao_tui.settings import ModelPrice
from tcao_tui.store.atomic_file import write_text
from tcao_tui.store.evaluation_dir import JOB_NAME

_LABELS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "c", "1", "right"), True),
    **dict.fromkeys(("false", "i", "0", "wrong"), False),
}

_SHAPE = '{"input": "...", "answer": "...", "label": true}, and "output" with the wanted answer where there is one'


@dataclass(frozen=True, slots=True)
class JudgeTrial:
    """A judge, and the rows that it is to grade; what consent is bound to.

    Attributes:
        quote: Prices of a judge of our own server; None for other providers.
        price: Of a judge of Anthropic, where it is known.
    """

    judge: str
    rubric: str
    profile: Profile
    rows: tuple[Labelled, ...]
    quote: PriceQuote | None
    price: ModelPrice | None

    @property
    def is_free(self) -> bool:
        """Whether asking can cost nothing."""
        return self.quote is not None and self.quote.is_free

    @property
    def hash(self) -> str:
        """Of judge, rubric, server, rows and prices."""
        prices = [each.model_dump(mode="json") if each else None for each in (self.quote, self.price)]
        rows = [row.model_dump(mode="json") for row in self.rows]
        told = json.dumps([self.judge, self.rubric, self.profile.name, rows, prices], sort_keys=True)
        return hashlib.sha256(told.encode(errors="replace")).hexdigest()[:12]

    def require_consent(self, given: str | None) -> None:
        """Go on only with the hash, or "auto" where nothing can cost anything.

        Raises:
            NeedsInput: Consent is missing or for something else.
        """
        require_consent(
            given,
            self.hash,
            is_free=self.is_free,
            what=f"{self.judge} may cost, so asking it",
            other="another judge, other rows or other prices",
            risk=f"{self.judge} may cost",
            details={"questions": len(self.rows)},
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """What people and a judge said of the same answers.

    Attributes:
        kappa: None where it says nothing.
        unread: Rows whose grade could not be read, which the table leaves out.
        failed: Rows that ended in an error, which the table leaves out.
        apart: Rows on which they disagree.
        usd: Of what was asked; None where a price is unknown.
    """

    table: Confusion
    kappa: Kappa | None
    unread: tuple[Judgement, ...]
    failed: tuple[Judgement, ...]
    apart: tuple[tuple[Labelled, Judgement], ...]
    tokens: int
    usd: float | None


def read_labelled(file: Path, count: int | None) -> tuple[Labelled, ...]:
    """The first `count` rows; None takes all.

    Raises:
        UsageError: No such file, no row, or a row that is not as wanted.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"it cannot be read: {error.strerror}", where=str(file)) from error
    found = tuple(_row(line, f"{file}:{number}", number) for number, line in enumerate(lines, 1) if line.strip())
    if not found:
        raise UsageError("it has no row", where=str(file), next_step=f"write rows such as {_SHAPE}")
    return found[:count]


def propose_trial(
    rows: Sequence[Labelled],
    judge: str,
    rubric: str,
    profile: Profile,
    *,
    prices: Mapping[str, ModelPrice],
    environ: Mapping[str, str],
) -> JudgeTrial:
    """What would be asked, at which prices; spends nothing.

    Raises:
        UsageError: The judge has no provider in its name.
        Refused: Its key or its package is missing.
    """
    provider, _, name = judge.partition("/")
    if not provider or not name:
        raise UsageError(
            f"{judge!r} names no model of a provider", where="--judge", next_step="--judge anthropic/claude-sonnet-4-5"
        )
    if lacks := [*judge_lacks("judge", judge, environ)]:
        raise Refused("; ".join(each.what for each in lacks), next_step="; ".join(each.fix for each in lacks))
    ours = judge.startswith(OUR_PROVIDER)
    quote = planning_quote(profile.kind, profile.base_url, model_of(judge)) if ours else None
    price = price_of(name, prices) if provider == "anthropic" else None
    return JudgeTrial(judge, rubric, profile, tuple(rows), quote, price)


def measure(trial: JudgeTrial, environ: Mapping[str, str]) -> Agreement:
    """Ask the judge, and compare. Whoever calls has consent.

    Raises:
        BackendError: The helper ended without a result.
    """
    if trial.judge.startswith(OUR_PROVIDER):
        ensure_engine(trial.profile)
    with tempfile.TemporaryDirectory(prefix="tcao-judge-") as directory:
        job = JudgeJob(
            judge=trial.judge,
            profile=trial.profile.name,
            rubric=trial.rubric,
            rows=trial.rows,
            directory=Path(directory),
        )
        judged = _asked(job, environ)
    return compare(trial, judged)


def compare(trial: JudgeTrial, judged: Judged) -> Agreement:
    """Hold what the judge said against what people said."""
    labels = {row.line: row for row in trial.rows}
    graded = [(labels[each.line], each.grade, each) for each in judged.judgements if each.grade is not None]
    table = confusion((row.label, grade) for row, grade, _ in graded)
    return Agreement(
        table=table,
        kappa=cohens_kappa(table),
        unread=tuple(each for each in judged.judgements if each.grade is None and not each.error),
        failed=tuple(each for each in judged.judgements if each.error),
        apart=tuple((row, each) for row, grade, each in graded if row.label != grade),
        tokens=judged.input_tokens + judged.output_tokens + judged.cache_read_tokens + judged.cache_write_tokens,
        usd=_usd(trial, judged),
    )


def _usd(trial: JudgeTrial, judged: Judged) -> float | None:
    if trial.quote is not None:
        used = Usage(input_tokens=judged.input_tokens, output_tokens=judged.output_tokens)
        return 0.0 if trial.is_free else eval_cost.usd_of(used, trial.quote)
    used = LlmUsage(
        input_tokens=judged.input_tokens,
        output_tokens=judged.output_tokens,
        cache_creation_input_tokens=judged.cache_write_tokens,
        cache_read_input_tokens=judged.cache_read_tokens,
    )
    return llm_usd_of(used, trial.price)


def _asked(job: JudgeJob, environ: Mapping[str, str]) -> Judged:
    job_file = job.directory / JOB_NAME
    write_text(job_file, job.model_dump_json())
    done = subprocess.run(
        [sys.executable, "-m", "tcao_tui.probes.judge_labels", str(job_file)],
        env={**os.environ, **environ, **inspect_environment()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    try:
        return Judged.model_validate_json((job.directory / RESULT).read_bytes())
    except (OSError, ValidationError) as error:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise BackendError(
            f"the helper that asks the judge ended without a result: {last}", next_step="mend that, then ask again"
        ) from error


def _row(line: bytes, where: str, number: int) -> Labelled:
    try:
        record: object = json.loads(line)
    except ValueError as error:
        raise UsageError(f"no JSON: {error}", where=where) from error
    if not isinstance(record, dict):
        raise UsageError("not an object", where=where, next_step=f"write rows such as {_SHAPE}")
    given = cast("dict[str, Any]", record)
    texts = {name: given.get(name, "" if name == "output" else None) for name in ("input", "output", "answer")}
    if bad := [name for name, text in texts.items() if not isinstance(text, str)]:
        raise UsageError(f"{', '.join(bad)}: missing or no text", where=where, next_step=f"write {_SHAPE}")
    label = _LABELS.get(str(given.get("label")).strip().casefold())
    if label is None:
        raise UsageError(
            f"label: {given.get('label')!r} is no grade", where=where, next_step="true or false, C or I, 1 or 0"
        )
    try:
        "".join(texts.values()).encode()
    except UnicodeEncodeError as error:
        raise UsageError("a text holds half of a character", where=where, next_step="write it as UTF-8") from error
    return Labelled.model_validate({**texts, "line": number, "label": label})
