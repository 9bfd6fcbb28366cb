"""`python -m tcao_tui.probes.eval_logs FILE...`: what a comparison needs of Inspect logs, one JSON object per line.

A process of its own: Inspect takes seconds to import. Its own API reads, since the file format is no promise.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from statistics import fmean
from zipfile import BadZipFile

from inspect_ai.log import EvalLog, EvalSample, read_eval_log
from inspect_ai.scorer import value_to_float
from pydantic_core import to_jsonable_python

from tcao_tui.domain.eval_logs import EvalLogSummary
from tcao_tui.domain.evaluation import ItemResult

_CUT = ("max_tokens", "model_length")


def main(paths: Sequence[str]) -> int:
    """Print a summary, or an error, of each file. Returns the exit code."""
    for path in paths:
        try:
            sys.stdout.write(summary(read_eval_log(path), path).model_dump_json() + "\n")
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            sys.stdout.write(json.dumps({"error": f"{type(error).__name__}: {error}"[:400], "path": path}) + "\n")
    return 0


def summary(log: EvalLog, path: str) -> EvalLogSummary:
    """A log as our values. Raises `ValueError` for one without a sample."""
    samples = log.samples or []
    scorer = _scorer(log, samples)
    by_id: dict[str, list[EvalSample]] = {}
    for sample in samples:
        by_id.setdefault(str(sample.id), []).append(sample)
    return EvalLogSummary(
        path=path,
        task=log.eval.task,
        version=str(log.eval.task_version),
        model=log.eval.model,
        checkpoint=str(log.eval.model_args.get("checkpoint", "")),
        status=log.status,
        scorer=scorer,
        settings=json.dumps(
            to_jsonable_python([log.eval.task_args, log.plan.config.model_dump(exclude_none=True)]), sort_keys=True
        ),
        planned=max(len(by_id), _planned(log)),
        items=tuple(_item(name, several, scorer) for name, several in by_id.items()),
    )


def _planned(log: EvalLog) -> int:
    if log.results is not None:
        return log.results.total_samples // (log.eval.config.epochs or 1)
    return len(log.eval.dataset.sample_ids or ())


def _scorer(log: EvalLog, samples: Sequence[EvalSample]) -> str:
    named = [score.scorer for score in log.results.scores] if log.results else []
    found = named or [name for sample in samples for name in (sample.scores or {})]
    if not found:
        raise ValueError("no sample of it was scored")
    return found[0]


def _item(name: str, samples: Sequence[EvalSample], scorer: str) -> ItemResult:
    values = [value for sample in samples if (value := _value(sample, scorer)) is not None]
    cut = any(sample.output.stop_reason in _CUT for sample in samples if sample.output.choices)
    return ItemResult(item=name, value=fmean(values) if len(values) == len(samples) else None, truncated=cut)


def _value(sample: EvalSample, scorer: str) -> float | None:
    score = (sample.scores or {}).get(scorer)
    if sample.error is not None or score is None or isinstance(score.value, list | dict):
        return None
    value = value_to_float()(score.value)
    return value if math.isfinite(value) else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
