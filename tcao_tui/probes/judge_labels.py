"""`python -m tcao_tui.probes.judge_labels JOB.json`: what a judge says of answers that people graded.

The scorer is that of the grader `model`; only the answer is given instead of generated.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import ModelOutput, ModelUsage
from inspect_ai.scorer import CORRECT, INCORRECT
from inspect_ai.solver import Generate, Solver, TaskState, solver

from tcao_tui import paths
from tcao_tui.domain.judge_labels import RESULT, Judged, JudgeJob, Judgement
from tcao_tui.errors import BackendError
from tcao_tui.probes.inspect_judge import ROLE, judge_model, judged
from tcao_tui.store.atomic_file import write_text

_ANSWER = "answer"


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry a job out. Returns the exit code."""
    [job_file] = sys.argv[1:] if arguments is None else arguments
    job = JudgeJob.model_validate_json(Path(job_file).read_bytes())
    os.environ["INSPECT_CACHE_DIR"] = str(paths.state_dir() / "judge-cache")
    write_text(job.directory / RESULT, ask(job).model_dump_json())
    return 0


def ask(job: JudgeJob) -> Judged:
    """Have the judge grade every row; an error of one ends no other.

    Raises:
        BackendError: Nothing could be asked.
    """
    [log] = inspect_eval(
        Task(
            dataset=MemoryDataset(
                [
                    Sample(input=row.input, target=row.output, id=str(row.line), metadata={_ANSWER: row.answer})
                    for row in job.rows
                ]
            ),
            solver=given(),
            scorer=judged(job.rubric),
        ),
        model="none/none",
        model_roles={ROLE: judge_model(job.judge, job.profile)},
        continue_on_fail=True,
        retry_on_error=1,
        display="none",
        log_dir=str(job.directory / "logs"),
        score_display=False,
    )
    return _found(log)


@solver
def given() -> Solver:
    """The answer that people graded, as if a model had given it."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        state.output = ModelOutput.from_content("given", state.metadata[_ANSWER])
        return state

    return solve


def _found(log: EvalLog) -> Judged:
    if not log.samples:
        raise BackendError(log.error.message if log.error else f"Inspect ended with status {log.status}")
    used = (log.stats.role_usage or {}).get(ROLE, ModelUsage())
    return Judged(
        judgements=tuple(_judgement(sample) for sample in log.samples),
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cache_read_tokens=used.input_tokens_cache_read or 0,
        cache_write_tokens=used.input_tokens_cache_write or 0,
    )


def _judgement(sample: EvalSample) -> Judgement:
    line = int(sample.id)
    if sample.error is not None or not sample.scores:
        return Judgement(line=line, grade=None, error=sample.error.message if sample.error else "it was not graded")
    [score] = sample.scores.values()
    grades: dict[object, bool] = {CORRECT: True, INCORRECT: False}
    return Judgement(line=line, grade=grades.get(score.value), said=score.explanation or "")


if __name__ == "__main__":
    sys.exit(main())
