"""Writes what a run's evaluations found: `eval-report.md` and `eval-report.html`, and a part of the run's record."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from tcao_tui.domain.document import Curve, DocumentBlock
from tcao_tui.domain.document_html import html
from tcao_tui.domain.document_markdown import markdown
from tcao_tui.domain.eval_matrix import EvalMatrix
from tcao_tui.domain.eval_report import ReportFacts, results
from tcao_tui.domain.eval_report_answers import answers
from tcao_tui.domain.eval_report_record import record, summary
from tcao_tui.domain.judges import judge_cautions
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.wording import count_text, money_text
from tcao_tui.errors import Refused, UsageError
from tcao_tui.services import eval_examples
from tcao_tui.services.follow import read_view
from tcao_tui.services.plans import plan_of_run
from tcao_tui.store.atomic_file import write_text
from tcao_tui.store.evaluation_dir import evaluation_dir
from tcao_tui.store.port import RunStore
from tcao_tui.store.run_dir import RunDir

if TYPE_CHECKING:
    from tcao_tui.domain.run_view import RunView

REPORT, REPORT_HTML, RECORD = "eval-report.md", "eval-report.html", "examples.md"
_PACKAGES = ("tcao-tui", "tinker", "tinker-cookbook", "inspect-ai", "inspect-evals")
_CURVES = {"train_mean_nll": "training", "val_mean_nll": "held out"}
_MOST_POINTS = 300
_BEGIN, _END = "<!-- tcao: evaluations -->", "<!-- tcao: end of evaluations -->"


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a report; `record` is None where the run has none to add to."""

    report: Path
    html: Path
    record: Path | None


def write_report(
    store: RunStore,
    runs_root: Path,
    matrix: EvalMatrix,
    read: eval_examples.ReadTranscript,
    *,
    clock: Callable[[], float] = time.time,
) -> Written:
    """Write both files whole, and the evaluations' part of the run's record; blocks.

    They go into the run's directory, or into the evaluation's where it is about no run.

    Raises:
        Refused: Nothing was evaluated.
        OSError: A file cannot be written.
    """
    facts = gather(store, runs_root, matrix, read, clock=clock)
    place, blocks = _place(runs_root, facts), _blocks(facts)
    written = Written(place / REPORT, place / REPORT_HTML, place / RECORD if (place / RECORD).is_file() else None)
    write_text(written.report, markdown(blocks))
    write_text(written.html, html(matrix.title, blocks))
    if written.record is not None:
        old = written.record.read_text(encoding="utf-8", errors="replace")
        write_text(written.record, _with_part(old, markdown(list(summary(facts)))))
    return written


def page(store: RunStore, runs_root: Path, matrix: EvalMatrix, read: eval_examples.ReadTranscript) -> str:
    """The report as one HTML page. Raises `Refused` when nothing was evaluated."""
    return html(matrix.title, _blocks(gather(store, runs_root, matrix, read)))


def _blocks(facts: ReportFacts) -> list[DocumentBlock]:
    return [*results(facts), *answers(facts), *record(facts)]


def gather(
    store: RunStore,
    runs_root: Path,
    matrix: EvalMatrix,
    read: eval_examples.ReadTranscript,
    *,
    clock: Callable[[], float] = time.time,
) -> ReportFacts:
    """Everything that a report says. Raises `Refused` when nothing was evaluated."""
    ids = dict.fromkeys(cell.evaluation_id for cell in matrix.cells.values())
    if not ids:
        raise Refused("nothing was evaluated yet", next_step="tcao eval RUN")
    records = sorted((store.evaluations.evaluation(each) for each in ids), key=lambda one: -one.created_at)
    run_id = next((one.spec.run_id for one in records if one.spec.run_id), "")
    plan, view = plan_of_run(runs_root, run_id), _view(store, run_id)
    subject = subject_of(matrix)
    found = eval_examples.read_answers(store.evaluations, matrix, subject)
    goal = matrix.selection.goal if matrix.selection is not None else ""
    failures = [each for one in found if one.task.name == goal for each in eval_examples.failures(one, read)]
    return ReportFacts(
        matrix=matrix,
        subject=subject,
        records=records,
        plan=plan,
        run=tuple(_run_rows(view)) if view is not None else (),
        curves=tuple(_curves(view)) if view is not None else (),
        flips=tuple(flip for one in found for flip in eval_examples.flips(one, read)),
        failures=tuple(failures[: eval_examples.FAILURES_SHOWN]),
        failure_kinds=eval_examples.kinds(failures),
        tags=tuple(score for one in found for score in eval_examples.tag_scores(one)),
        cautions=tuple(_cautions(matrix, plan)),
        versions={name: version(name) for name in _PACKAGES},
        written_at=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(clock())),
    )


def subject_of(matrix: EvalMatrix) -> str:
    """What a report is about: what a person chose, else what the rule recommends, else the best-looking checkpoint."""
    selection = matrix.selection
    if selection is None:
        return ""
    chosen = selection.choice.subject if selection.choice is not None else selection.recommended
    if chosen != matrix.base:
        return chosen
    gains = {
        key.subject: cell.gain.mean
        for key, cell in matrix.cells.items()
        if key.task == selection.goal and cell.gain is not None and cell.gain.is_known
    }
    return max(gains, key=lambda name: gains[name], default=chosen)


def _place(runs_root: Path, facts: ReportFacts) -> Path:
    run_id = next((one.spec.run_id for one in facts.records if one.spec.run_id), "")
    if run_id and (place := RunDir(runs_root, run_id).path).is_dir():
        return place
    return evaluation_dir(runs_root, facts.records[0].evaluation_id)


def _view(store: RunStore, run_id: str) -> RunView | None:
    if not run_id:
        return None
    try:
        return read_view(store, run_id)
    except UsageError:  # its evaluations outlive a run whose record was lost
        return None


def _run_rows(view: RunView) -> Iterator[tuple[str, str]]:
    yield "run", f"{view.name} ({view.run_id})"
    yield "state", f"{view.status}, step {view.step:,} of {view.total_steps:,}, attempt {view.attempt}"
    yield "server", view.backend
    yield "trained", f"{count_text(view.tokens)} tokens for {money_text(view.cost_usd)}"


def _curves(view: RunView) -> Iterator[Curve]:
    for key, label in _CURVES.items():
        series = view.series.get(key)
        if series is not None and len(series):
            columns = series.columns(series.steps[0], series.steps[-1] + 1, _MOST_POINTS)
            width = (series.steps[-1] + 1 - series.steps[0]) / _MOST_POINTS
            points = [(series.steps[0] + place * width, column.last) for place, column in enumerate(columns) if column]
            yield Curve(label, points)


def _cautions(matrix: EvalMatrix, plan: Plan | None) -> Iterator[str]:
    if plan is not None:
        for task in matrix.tasks:
            if task.judge:
                yield from (f"{task.name}: {caution.what}" for caution in judge_cautions(plan, task.judge))


def _with_part(text: str, part: str) -> str:
    """The record with its part on evaluations replaced, or added; what people wrote around it stays."""
    whole = f"{_BEGIN}\n\n{part}\n{_END}"
    if _BEGIN in text and _END in text.partition(_BEGIN)[2]:
        return re.sub(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", lambda _: whole, text, count=1, flags=re.DOTALL)
    return f"{text.rstrip()}\n\n{whole}\n"
