"""The report of a run's evaluations as a document: what to use and why, and everything that it rests on.

Made of values alone; `services.eval_report` gathers them. Chapters on settings, costs and hashes are in
`eval_report_record`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tcao_tui.domain.document import (
    Bullets,
    Curve,
    CurveChart,
    DocumentBlock,
    Grid,
    Heading,
    IntervalChart,
    Mark,
    Paragraph,
)
from tcao_tui.domain.eval_matrix import CellView, EvalMatrix, Selection
from tcao_tui.domain.eval_words import gain_text, level_text
from tcao_tui.domain.evaluation import CellKey, EvalTask, EvaluationRecord
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.wording import share_text

LAYERS = {1: "training metrics", 2: "public benchmarks", 3: "the product"}


@dataclass(frozen=True, slots=True)
class Flip:
    """An item that two subjects did differently on.

    Attributes:
        asked: What was asked; the last of the user's turns.
        before, after: Answers of the base and of the other one, with what the scorer said.
        is_gain: The other one did better.
    """

    task: str
    item: str
    asked: str
    wanted: str
    before: str
    after: str
    is_gain: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """An item on which the subject of the report still fails; `kind` is a guess by the form of the answer."""

    task: str
    item: str
    asked: str
    wanted: str
    given: str
    kind: str


@dataclass(frozen=True, slots=True)
class TagScore:
    """Scores of the items of one tag: of the base and of the subject of the report."""

    task: str
    tag: str
    items: int
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What a report is made of.

    Attributes:
        subject: What it is about: the subject that a person chose, else the recommended one; empty without any.
        records: The evaluations, the newest first.
        plan: The run's; None for weights of another origin.
        run: Label and text of what is known of the run.
        curves: Loss by step.
        failure_kinds: Kinds of failure of the subject on the goal, with how many of the answers looked at have it.
        cautions: What else a person should know, such as of judges.
        versions: By package.
        written_at: When, for people.
    """

    matrix: EvalMatrix
    subject: str
    records: Sequence[EvaluationRecord]
    plan: Plan | None = None
    run: Sequence[tuple[str, str]] = ()
    curves: Sequence[Curve] = ()
    flips: Sequence[Flip] = ()
    failures: Sequence[Failure] = ()
    failure_kinds: Mapping[str, int] = field(default_factory=dict[str, int])
    tags: Sequence[TagScore] = ()
    cautions: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    written_at: str = ""


def results(facts: ReportFacts) -> Iterator[DocumentBlock]:
    """The answer, the scores it rests on, and the rule that gave it."""
    matrix = facts.matrix
    yield Heading(f"Evaluation of {matrix.title}", 1)
    yield from _answer(facts)
    if matrix.notes:
        yield Bullets(list(matrix.notes))
    for layer, words in sorted(LAYERS.items(), reverse=True):
        tasks = [task for task in matrix.tasks if task.layer == layer]
        yield Heading(f"Layer {layer}: {words}")
        if not tasks:
            yield Paragraph("Nothing was evaluated here.")
        for task in tasks:
            yield from _task(facts, task)
        if layer == 1:
            yield CurveChart("loss, nats per token", "step", facts.curves)
    yield from _why(matrix.selection)


def _answer(facts: ReportFacts) -> Iterator[DocumentBlock]:
    selection, base = facts.matrix.selection, facts.matrix.base
    if selection is None:
        yield Paragraph(
            "Nothing can be recommended: the base model and a checkpoint must be evaluated.", is_strong=True
        )
        return
    choice = selection.choice
    if choice is not None:
        yield Paragraph(f"Use {choice.subject}: so decided {choice.by}.", is_strong=True)
        yield Paragraph(f"Reason given: {choice.reason}")
        yield Paragraph(f"The rule would take {selection.recommended}.")
    else:
        yield Paragraph(_recommendation(selection, base), is_strong=True)
    yield Paragraph(how_sure(selection, base))
    if len(selection.trade_offs) > 1:
        yield Paragraph(f"Of several goals, no other subject beats these: {', '.join(selection.trade_offs)}.")


def _recommendation(selection: Selection, base: str) -> str:
    if selection.recommended != base:
        return f"Use {selection.recommended}: it is better than {base} on {selection.goal}."
    if selection.sure == "better":
        return f"Keep {base}: every checkpoint is worse on {selection.goal}."
    return f"Keep {base} for now: no checkpoint that may be used is better as far as can be told."


def how_sure(selection: Selection, base: str) -> str:
    """How sure the recommendation is, what cannot be told from it, and what would tell."""
    parts: list[str] = []
    if selection.quoted is not None:
        parts.append(
            f"Gain over {base}: {gain_text(selection.quoted)} on {selection.quoted.items:,} items kept for this."
        )
    else:
        parts.append("It cannot be told." if selection.sure == "cannot tell" else "That is clear.")
    if selection.alike:
        parts.append(f"Not told from it: {', '.join(selection.alike)}.")
    if selection.more_items:
        parts.append(f"{selection.more_items:,} items in all would tell, were the gain what it seems.")
    return " ".join(parts)


def _task(facts: ReportFacts, task: EvalTask) -> Iterator[DocumentBlock]:
    matrix = facts.matrix
    cells = [(subject.name, cell) for subject in matrix.subjects if (cell := _cell(matrix, task, subject.name))]
    direction = "" if task.higher_is_better else ", lower is better"
    guard = ", must not get worse" if task.is_guardrail else ""
    yield Heading(f"{task.name}{direction}{guard}", 3)
    base = _cell(matrix, task, matrix.base)
    yield IntervalChart(
        f"{task.name}{direction}: score with its 95 % interval; the line is the base",
        [_mark(name, cell, facts.subject) for name, cell in cells if cell.level is not None],
        None if base is None or base.level is None else base.level.mean,
    )
    header = ("", "score (95 %)", "against the base (95 %)", "p", "better", "worse", "verdict", "items", "unusable")
    yield Grid(header, [_row(name, cell) for name, cell in cells], frozenset({3, 4, 5, 7, 8}))
    if cautions := [f"{name}: {text}" for name, cell in cells if (text := cell.caution or cell.record.problem)]:
        yield Bullets(cautions)
    numbers = sorted({key for _, cell in cells for key in cell.record.numbers})
    shown = [[name, *(_number(cell, key) for key in numbers)] for name, cell in cells if cell.record.numbers]
    yield Grid(["", *(key.replace("_", " ") for key in numbers)], shown, frozenset(range(1, len(numbers) + 1)))


def _cell(matrix: EvalMatrix, task: EvalTask, subject: str) -> CellView | None:
    return matrix.cells.get(CellKey(task.name, subject))


def _number(cell: CellView, key: str) -> str:
    return f"{cell.record.numbers[key]:.4g}" if key in cell.record.numbers else "-"


def _mark(name: str, cell: CellView, chosen: str) -> Mark:
    level = cell.level
    assert level is not None
    known = math.isfinite(level.low)
    return Mark(name, level.mean, level.low if known else None, level.high if known else None, name == chosen)


def _row(name: str, cell: CellView) -> Sequence[str]:
    gain = cell.gain
    against = ("-", "-", "-", "-", "") if gain is None else (
        gain_text(gain), f"{cell.p_value:.2g}", f"{gain.wins:,}", f"{gain.losses:,}", cell.outcome or ""
    )  # fmt: skip
    items = "-" if cell.level is None else f"{cell.level.items:,}"
    return name, level_text(cell.level), *against, items, share_text(cell.unusable)


def _why(selection: Selection | None) -> Iterator[DocumentBlock]:
    if selection is None:
        return
    yield Heading("Why")
    yield Bullets(list(selection.rule))
    yield Grid(("checkpoint", "verdict", "why"), [(one.subject, one.outcome, one.why) for one in selection.rulings])
