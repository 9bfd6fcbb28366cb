"""The record part of a report: what it cost, how exactly it was asked, and what identifies all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tcao_tui.domain.document import DocumentBlock, Grid, Heading, Paragraph
from tcao_tui.domain.eval_cost import total
from tcao_tui.domain.eval_report import LAYERS, ReportFacts, how_sure
from tcao_tui.domain.eval_words import level_text
from tcao_tui.domain.evaluation import CellKey, EvalTask, Usage
from tcao_tui.domain.plan import Plan, config_hash
from tcao_tui.domain.plan_data import data_files
from tcao_tui.domain.wording import UNKNOWN, count_text, money_text


def record(facts: ReportFacts) -> Iterator[DocumentBlock]:
    """Costs, settings and hashes."""
    yield from _costs(facts)
    yield Heading("Exact settings")
    for task in facts.matrix.tasks:
        yield Heading(f"{task.name} (layer {task.layer}, {LAYERS[task.layer]})", 3)
        yield Grid(("setting", "value"), list(settings(task)))
    yield Grid(("package", "version"), list(facts.versions.items()))
    yield from training(facts)
    yield Heading("Hashes")
    yield Grid(("what", "which"), list(_hashes(facts)))
    yield Paragraph(f"Written {facts.written_at}.")


def _costs(facts: ReportFacts) -> Iterator[DocumentBlock]:
    yield Heading("Costs")
    usages = {
        task.name: [c.record.usage for k, c in facts.matrix.cells.items() if k.task == task.name]
        for task in facts.matrix.tasks
    }
    rows = [_cost_row(name, found) for name, found in usages.items() if found]
    rows.append(_cost_row("all", [usage for found in usages.values() for usage in found]))
    header = ("task", "read", "of them cached", "written", "cost", "judge's tokens", "judge's cost")
    yield Grid(header, rows, frozenset(range(1, 7)))


def _cost_row(name: str, usages: Sequence[Usage]) -> Sequence[str]:
    used = total(usages)
    return (
        name,
        count_text(used.input_tokens),
        count_text(used.cached_tokens),
        count_text(used.output_tokens),
        money_text(used.usd),
        count_text(used.judge_tokens),
        money_text(used.judge_usd),
    )


def settings(task: EvalTask) -> Iterator[tuple[str, str]]:
    """All that a score of a task depends on; what is not set is left out."""
    values = task.model_dump(mode="json", exclude={"name", "layer", "content"})
    for key, value in values.items():
        if value not in ("", {}, None):
            yield key.replace("_", " "), value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if task.limit is None:
        yield "limit", "all samples"


def summary(facts: ReportFacts) -> Iterator[DocumentBlock]:
    """The same in short, for the run's record: model, data, hyperparameters, schedule, suite and results."""
    matrix, selection = facts.matrix, facts.matrix.selection
    yield Heading("Evaluations")
    if selection is not None:
        chosen = selection.choice.subject if selection.choice is not None else selection.recommended
        yield Paragraph(f"{facts.written_at}: use {chosen}. {how_sure(selection, matrix.base)}")
        if selection.choice is not None:
            yield Paragraph(f"Decided by {selection.choice.by}: {selection.choice.reason}")
    rows = [
        (task.name, *(level_text(cell.level) if (cell := matrix.cells.get(CellKey(task.name, one.name))) else UNKNOWN
                      for one in matrix.subjects))
        for task in matrix.tasks
    ]  # fmt: skip
    yield Grid(("score (95 %)", *(subject.name for subject in matrix.subjects)), rows)
    yield Grid(
        ("task", "layer", "what is asked", "samples", "epochs"),
        [
            (
                task.name,
                str(task.layer),
                task.target,
                "all" if task.limit is None else str(task.limit),
                str(task.epochs),
            )
            for task in matrix.tasks
        ],
    )
    yield from training(facts)


def training(facts: ReportFacts) -> Iterator[DocumentBlock]:
    """How the weights came about."""
    yield Heading("Training")
    rows = list(facts.run)
    if facts.plan is not None:
        rows += _plan_rows(facts.plan)
    yield Grid(("", ""), rows)


def _plan_rows(plan: Plan) -> Iterator[tuple[str, str]]:
    config = plan.training
    yield "goal", plan.goal or UNKNOWN
    yield "model", config.base_model
    yield "method", plan.method
    yield "LoRA", f"rank {config.lora_rank}"
    yield "learning rate", f"{config.learning_rate:g}, {config.lr_schedule}, {config.warmup_steps} steps of warm-up"
    yield "batch", config.step_size
    yield "steps", f"{config.num_steps:,}"
    yield "longest row", f"{config.max_seq_len:,} tokens"
    yield "seed", str(config.seed)
    for file in data_files(plan):
        yield file.field.removesuffix("_file").replace("_", " "), str(file.path)


def _hashes(facts: ReportFacts) -> Iterator[tuple[str, str]]:
    if facts.plan is not None:
        yield "plan", config_hash(facts.plan)
        for file in data_files(facts.plan):
            if file.recorded:
                yield f"data: {file.path.name}", file.recorded
    for evaluation in facts.records:
        yield f"evaluation {evaluation.evaluation_id}", evaluation.approval_hash
    for task in facts.matrix.tasks:
        yield f"task {task.name}", task.identity
        if task.content:
            yield f"files of {task.name}", task.content
    for subject in facts.matrix.subjects:
        yield f"weights {subject.name}", subject.identity
