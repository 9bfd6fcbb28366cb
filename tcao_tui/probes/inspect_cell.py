"""`python -m tcao_tui.probes.inspect_cell JOB.json`: an Inspect task over one subject, as a cell of an evaluation.

Inspect allows one evaluation at a time in a process and takes seconds to import, so each cell has a process. It can be
killed at any moment and started again: answers that reached it stand in its book and are not asked for twice.
"""

from __future__ import annotations

import math
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from inspect_ai import eval as inspect_eval
from inspect_ai.hooks import Hooks, SampleEnd, SampleStart, TaskStart, hooks
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import Model, get_model

from tcao_tui import __version__
from tcao_tui.domain.eval_cost import total
from tcao_tui.domain.eval_job import Ended, Found, GaveUp, Job
from tcao_tui.domain.evaluation import Counts, Usage
from tcao_tui.domain.plain_text import one_line
from tcao_tui.errors import TcaoError
from tcao_tui.probes.answer_book import BOOK_VARIABLE, Answer, read_answers
from tcao_tui.probes.cell_journal import Journal, read_job
from tcao_tui.probes.inspect_judge import judge_model
from tcao_tui.probes.log_items import counts_of, item_result, with_sample
from tcao_tui.services.benchmarks import model_roles
from tcao_tui.store.evaluation_dir import LOGS

BOOK = "answers.jsonl"
_PROBLEM_WIDTH = 400


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry a job out. Returns the exit code."""
    [job_file] = sys.argv[1:] if arguments is None else arguments
    job = read_job(job_file)
    with Journal(job.directory) as journal:
        return _carry_out(job, Teller(job, journal))


def _carry_out(job: Job, teller: Teller) -> int:
    os.environ[BOOK_VARIABLE] = str(teller.book)
    os.environ["INSPECT_CACHE_DIR"] = str(job.directory / "cache")
    _follow(teller)
    try:
        [log] = evaluate(job)
    except TcaoError as error:
        teller.gave_up(error.what, error.next_step or "")
        return 0
    except (ValueError, OSError, LookupError, ImportError) as error:
        teller.gave_up(f"{type(error).__name__}: {error}", "see the cell's log")
        raise
    teller.ended(log)
    return 0


def evaluate(job: Job) -> list[EvalLog]:
    """Run the task by Inspect, every sample to its end; an error of one sample ends no other."""
    task, subject = job.task, job.subject
    return inspect_eval(
        task.target,
        model=_model(job),
        model_roles={role: judge_model(name, job.profile) for role, name in model_roles(task).items()} or None,
        task_args={**task.arguments, **task.files},
        metadata={
            "tcao_version": __version__,
            "task_identity": task.identity,
            "base_model": subject.base_model,
            "checkpoint": subject.checkpoint,
            "run": subject.run_id,
            "step": subject.step,
            "renderer": subject.renderer,
        },
        limit=task.limit,
        sample_shuffle=None if task.limit is None else task.seed,
        # A public benchmark may have epochs of its own, which were neither asked for nor counted.
        epochs=task.epochs if task.epochs > 1 or task.layer == 2 else None,
        continue_on_fail=True,
        retry_on_error=1,
        display="none",
        log_dir=str(job.directory / LOGS),
        log_realtime=True,
        score_display=False,
        ctl_server=True,
        **cast("Any", task.generate),
    )


def model_name(job: Job) -> str:
    """What Inspect calls the subject; it names the checkpoint, so that nothing takes it for another one."""
    subject = job.subject
    if subject.is_base:
        return f"tcao/{subject.base_model}"
    known = f"{subject.run_id}-{subject.step}" if subject.run_id else subject.checkpoint.rpartition("/")[2]
    return f"tcao/{subject.base_model}@{known}"


def _model(job: Job) -> Model:
    arguments: dict[str, Any] = {"profile": job.profile, "renderer": job.subject.renderer}
    if not job.subject.is_base:
        arguments["checkpoint"] = job.subject.checkpoint
    return get_model(model_name(job), memoize=False, **arguments)


class Teller:
    """Tells what was found, as a line for each."""

    def __init__(self, job: Job, journal: Journal) -> None:
        self._job, self._model = job, model_name(job).removeprefix("tcao/")
        self.book = job.directory / BOOK
        self._tell = journal.write
        self._told = total(line.usage for line in journal.before if isinstance(line, Found))
        self._paid, self._read_to = Usage(), 0
        self._samples: defaultdict[str, list[EvalSample]] = defaultdict(list)
        self._counts, self._epochs, self._started = Counts(), 1, 0

    def planned(self, samples: int, epochs: int) -> None:
        """How many samples are to be answered, and how often each."""
        self._counts, self._epochs = Counts(planned=samples * epochs), epochs
        self._tell(Found(items=(), counts=self._counts, usage=Usage(usd=None)))

    def started(self) -> None:
        """A sample is on its way."""
        self._started += 1

    def sample(self, sample: EvalSample) -> None:
        """A sample ended."""
        name, scorer = str(sample.id), self._job.task.scorer
        epochs = self._samples[name]
        epochs.append(sample)
        self._counts = with_sample(self._counts, sample, scorer)
        item = item_result(name, epochs, scorer)
        if len(epochs) >= self._epochs:
            del self._samples[name]  # samples of long tasks are large, and the log has them all
        in_flight = max(0, self._started - self._counts.completed)
        counts = self._counts.model_copy(update={"in_flight": in_flight})
        self._tell(Found(items=(item,), counts=counts, usage=self._newly_paid()))

    def ended(self, log: EvalLog) -> None:
        """All is done, or nothing could be: the log has the last word."""
        samples = log.samples or []
        if not samples:
            told = log.error.message if log.error else f"Inspect ended with status {log.status} and without a sample"
            self.gave_up(told, "see the cell's log")
            return
        scorer = self._job.task.scorer
        by_id: defaultdict[str, list[EvalSample]] = defaultdict(list)
        for sample in samples:
            by_id[str(sample.id)].append(sample)
        items = tuple(item_result(name, several, scorer) for name, several in by_id.items())
        counts = counts_of(samples, scorer, planned=self._counts.planned)
        judged = _judge_tokens(log)
        usage = self._newly_paid().model_copy(update={"judge_tokens": judged, "judge_usd": None if judged else 0.0})
        self._tell(Found(items=items, counts=counts, usage=usage))
        _drop_others(self._job.directory / LOGS, Path(log.location))
        self._tell(Ended(numbers=_metrics(log)))

    def gave_up(self, problem: str, next_step: str) -> None:
        """It cannot go on."""
        self._tell(GaveUp(problem=one_line(problem, _PROBLEM_WIDTH), next_step=next_step))

    def _newly_paid(self) -> Usage:
        """What the book has beyond what was told, be it of a process that died before it could tell."""
        start, self._read_to = self._read_to, self.book.stat().st_size if self.book.exists() else 0
        for answer in read_answers(self.book, start):
            if answer.model == self._model:
                self._paid = total([self._paid, answer_usage(answer)])
        new = _since(self._paid, self._told)
        self._told = self._paid
        return new


def answer_usage(answer: Answer) -> Usage:
    """What an answer took; its price is for those who know the prices."""
    written = sum(len(tokens) for tokens in answer.tokens)
    return Usage(input_tokens=answer.prompt_tokens, cached_tokens=answer.cached_tokens, output_tokens=written, usd=None)


def _since(paid: Usage, told: Usage) -> Usage:
    """The subject's tokens that were paid for and not told yet."""
    return Usage(
        input_tokens=paid.input_tokens - told.input_tokens,
        cached_tokens=paid.cached_tokens - told.cached_tokens,
        output_tokens=paid.output_tokens - told.output_tokens,
        usd=None,
    )


def _judge_tokens(log: EvalLog) -> int:
    """Of every further model that a task asks by a role: judges, and those that play a part."""
    return sum(usage.total_tokens for usage in (log.stats.role_usage or {}).values())


def _metrics(log: EvalLog) -> dict[str, float]:
    """Inspect's own numbers of the whole, `SCORER/METRIC`; what is no number is left out."""
    scores = log.results.scores if log.results else []
    return {
        f"{score.name}/{name}": float(metric.value)
        for score in scores
        for name, metric in score.metrics.items()
        if math.isfinite(metric.value)
    }


def _drop_others(logs: Path, kept: Path) -> None:
    """Logs of processes that died say nothing that this one does not."""
    for log in logs.glob("*.eval"):
        if log.name != kept.name:
            log.unlink(missing_ok=True)


def _follow(teller: Teller) -> None:
    """Have Inspect tell of each sample as it ends."""

    class _Follow(Hooks):
        async def on_task_start(self, data: TaskStart) -> None:
            teller.planned(len(data.spec.dataset.sample_ids or ()), data.spec.config.epochs or 1)

        async def on_sample_start(self, data: SampleStart) -> None:
            teller.started()

        async def on_sample_end(self, data: SampleEnd) -> None:
            teller.sample(data.sample)

    hooks(name="tcao_cell", description="Tells what a cell of an evaluation found, item by item.")(_Follow)


if __name__ == "__main__":
    sys.exit(main())
