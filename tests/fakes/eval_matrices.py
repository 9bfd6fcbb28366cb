"""Matrices of evaluations as a console sees them, made of invented answers."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tcao_tui.domain.eval_cells import Gains, Measured, cell_views, measure
from tcao_tui.domain.eval_matrix import EvalMatrix, Ruling, Selection
from tcao_tui.domain.eval_merge import Found
from tcao_tui.domain.evaluation import (
    CellKey,
    CellRecord,
    CellState,
    Choice,
    Counts,
    EvalTask,
    ItemResult,
    Subject,
    Usage,
)
from tests.fakes.views import STARTED_AT

NOW = STARTED_AT
RUN = "20260101-100000-tickets-1a2b"
HOSTILE = "\x1b[31mred\x1b[0m \u202egnp.exe [bold]not bold[/bold]"

BASE = Subject(name="tcao/tiny-qwen3", base_model="tcao/tiny-qwen3")


def trained(step: int) -> Subject:
    return Subject(
        name=f"tickets@{step}",
        base_model="tcao/tiny-qwen3",
        checkpoint=f"tinker://{RUN}/sampler_weights/001-{step:06d}",
        run_id=RUN,
        step=step,
    )


SUBJECTS = (BASE, trained(20), trained(40), trained(60))

HELD_OUT = EvalTask(name="held-out", layer=1, harness="held_out", target="rows.jsonl", higher_is_better=False)
GSM8K = EvalTask(
    name="inspect_evals/gsm8k", layer=2, target="inspect_evals/gsm8k", limit=200, generate={"temperature": 0.0}
)
REFUSAL = EvalTask(
    name="inspect_evals/strong_reject",
    layer=2,
    target="inspect_evals/strong_reject",
    higher_is_better=False,
    is_guardrail=True,
    judge="anthropic/claude",
)
TICKETS = EvalTask(name="tickets", layer=3, target="tcao/rows", limit=200)

RIGHT: Mapping[tuple[str, str], float] = {
    (GSM8K.name, BASE.name): 0.62,
    (GSM8K.name, "tickets@20"): 0.63,
    (GSM8K.name, "tickets@40"): 0.61,
    (GSM8K.name, "tickets@60"): 0.44,
    (REFUSAL.name, BASE.name): 0.08,
    (REFUSAL.name, "tickets@20"): 0.08,
    (REFUSAL.name, "tickets@40"): 0.09,
    (REFUSAL.name, "tickets@60"): 0.30,
    (TICKETS.name, BASE.name): 0.41,
    (TICKETS.name, "tickets@20"): 0.66,
    (TICKETS.name, "tickets@40"): 0.83,
    (TICKETS.name, "tickets@60"): 0.82,
}
LOSSES = {BASE.name: 2.41, "tickets@20": 1.32, "tickets@40": 1.05, "tickets@60": 1.11}


def answers(task: EvalTask, subject: Subject, count: int = 200) -> list[ItemResult]:
    """The same items for everyone, hard ones first lost by everyone."""
    hard = random.Random(task.name)
    luck = random.Random(task.name + subject.name)
    found: list[ItemResult] = []
    for number in range(count):
        item, difficulty = f"{task.name.rpartition('/')[2]}-{number:04d}", hard.random()
        if task.harness == "held_out":
            value = LOSSES[subject.name] + hard.random() - 0.5 + 0.1 * luck.random()
        else:
            value = float(0.8 * difficulty + 0.2 * luck.random() < RIGHT[task.name, subject.name] * 0.98)
        cut = task is GSM8K and subject.step == 60 and number % 9 == 0
        gone = task is TICKETS and number == 7
        found.append(
            ItemResult(
                item=item,
                value=None if gone else 0.0 if cut else value,
                truncated=cut,
                error=f"TimeoutError: the server was away {HOSTILE}" if gone else "",
                tokens=int(40 + 400 * difficulty),
            )
        )
    return found


def record_of(
    task: EvalTask, subject: Subject, items: Sequence[ItemResult], state: CellState, planned: int
) -> CellRecord:
    counts = Counts(
        planned=planned,
        completed=len(items),
        errored=sum(bool(item.error) for item in items),
        truncated=sum(item.truncated for item in items),
        in_flight=8 if state is CellState.RUNNING else 0,
    )
    tokens = sum(item.tokens for item in items)
    usage = Usage(
        input_tokens=3 * tokens, output_tokens=tokens, usd=tokens / 1e6, judge_tokens=900 if task.judge else 0
    )
    began = state is not CellState.WAITING
    return CellRecord(
        task=task.name,
        subject=subject.name,
        state=state,
        counts=counts,
        usage=usage,
        tried=1 if began else 0,
        log=f"{task.name}.eval" if began and task.harness == "inspect" else "",
        problem="the judge anthropic/claude refuses the key" if state is CellState.FAILED else "",
        next_step="tcao doctor, then press r" if state is CellState.FAILED else "",
        numbers={"perplexity": 2.86} if task.harness == "held_out" and items else {},
        started_at=NOW - 120 if began else None,
        ended_at=NOW - 5 if state.is_over else None,
    )


type Cells = dict[CellKey, tuple[CellRecord, list[ItemResult]]]


def cells_of(tasks: Sequence[EvalTask], subjects: Sequence[Subject], done: int = 10**6) -> Cells:
    """Everything finished, or the first `done` cells; then one amid its work, one that starts, and others that wait."""
    cells: Cells = {}
    for index, (task, subject) in enumerate((task, subject) for task in tasks for subject in subjects):
        items, state = answers(task, subject), CellState.DONE
        if index >= done:
            state = {0: CellState.RUNNING, 1: CellState.STARTING}.get(index - done, CellState.WAITING)
            items = items[:68] if state is CellState.RUNNING else []
        key = CellKey(task.name, subject.name)
        cells[key] = record_of(task, subject, items, state, 200), items
    return cells


def matrix_of(
    cells: Cells,
    tasks: Sequence[EvalTask],
    subjects: Sequence[Subject] = SUBJECTS,
    selection: Selection | None = None,
    changed: int = 0,
) -> EvalMatrix:
    """The matrix that the services would make."""
    views, gains = {}, Gains()
    for task in tasks:
        row: dict[str, tuple[Found, Measured]] = {}
        for key, (record, items) in cells.items():
            if key.task == task.name:
                row[key.subject] = (Found("e-1", record, NOW), measure(items))
        views |= cell_views(task, BASE.name, row, gains)
    return EvalMatrix(
        title="tickets",
        subjects=subjects,
        tasks=tasks,
        base=BASE.name,
        cells=views,
        selection=selection,
        is_driven=any(not record.state.is_over for record, _items in cells.values()),
        changed=changed,
    )


def selected(matrix: EvalMatrix, choice: Choice | None = None) -> EvalMatrix:
    """With what the rule says."""
    rulings = (
        Ruling("tickets@20", "better", "the gain of step 40 is clearly larger"),
        Ruling("tickets@40", "better", "best on tickets, and no guardrail is worse"),
        Ruling("tickets@60", "left out", "strong_reject is clearly worse: -22 points, p 0.0004"),
    )
    quoted = matrix.cells[CellKey(TICKETS.name, "tickets@40")].gain
    rule = (
        "The best on tickets, unless a guardrail is clearly worse.",
        "Split of tickets: 104 to choose, 95 to quote.",
    )
    return replace(
        matrix,
        selection=Selection(TICKETS.name, "tickets@40", "better", quoted, (), None, rulings, rule, choice=choice),
    )


TASKS = (HELD_OUT, GSM8K, REFUSAL, TICKETS)


def finished() -> tuple[EvalMatrix, Cells]:
    """Four subjects, four tasks of three layers, a recommendation."""
    cells = cells_of(TASKS, SUBJECTS)
    return selected(matrix_of(cells, TASKS)), cells


def working() -> tuple[EvalMatrix, Cells]:
    """Amid the work, with a cell that failed and one that was drained."""
    cells = cells_of(TASKS, SUBJECTS, done=12)
    for subject, state, count in (("tickets@60", CellState.FAILED, 0), ("tickets@40", CellState.PARTIAL, 82)):
        key = CellKey(REFUSAL.name, subject)
        items = cells[key][1][:count]
        found = next(one for one in SUBJECTS if one.name == subject)
        cells[key] = record_of(REFUSAL, found, items, state, 200), items
    return matrix_of(cells, TASKS), cells


def many() -> tuple[EvalMatrix, Cells]:
    """More tasks than fit into any terminal, with hostile names."""
    tasks = [TICKETS.model_copy(update={"name": f"task-{n}-{HOSTILE}", "target": str(n)}) for n in range(9)]
    subjects = [BASE, *(trained(step) for step in range(10, 120, 10))]
    cells: Cells = {}
    for task in tasks:
        for subject in subjects:
            items = answers(TICKETS, SUBJECTS[subject.step % 4])
            key = CellKey(task.name, subject.name)
            cells[key] = record_of(task, subject, items, CellState.DONE, 200), items
    return matrix_of(cells, tasks, subjects), cells
