"""What a person consents to: the validated plan, its cost, its warnings, its hash; never a planner's words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tcao_tui.domain.cost import CostEstimate
from tcao_tui.domain.gates import GateResult
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.domain.wording import count_text, money_text, number_text
from tcao_tui.tui.panes.planner.plan_rows import finding_lines
from tcao_tui.tui.widgets.line_view import Line
from tcao_tui.tui.widgets.text_block import wrapped

_LABEL = 12


def approve_lines(plan: Plan, sheet: PlanSheet, width: int) -> list[Line]:
    """Cost and cap, warnings, then the plan in labelled lines."""
    lines: list[Line] = []
    warned = [line for result in sheet.gates for line in _warnings(result, width)]
    for label, text in _cost(plan, sheet.cost) if sheet.cost is not None else ():
        lines += _labelled(label, text, width, ink="strong" if label == "cost" else "text")
    lines += [(), *warned] if warned else []
    lines.append(())
    for label, text in _facts(plan, sheet.cost):
        lines += _labelled(label, text, width)
    return lines


def _facts(plan: Plan, cost: CostEstimate | None) -> Iterator[tuple[str, str]]:
    config = plan.training
    yield "goal", plan.goal or "(none given)"
    yield "method", f"{plan.method}, LoRA rank {config.lora_rank} on {_layers(plan)}"
    yield "model", config.base_model
    yield "training", _file(config.train_file)
    if config.val_file is not None:
        yield "validation", _file(config.val_file)
    if plan.evals.score is not None:
        score = plan.evals.score
        yield "score", f"{_file(score.file)}, up to {score.max_rows:,} rows, graded by {score.grader}"
    if plan.evals.benchmarks:
        yield "benchmarks", ", ".join(each.name.rpartition("/")[2] for each in plan.evals.benchmarks)
    yield "success", _success(plan)
    rate = number_text(config.learning_rate)
    yield "steps", f"{config.num_steps:,} of {config.step_size}, learning rate {rate}"
    if cost is not None:
        yield "tokens", ", ".join(f"{each.kind} {count_text(each.tokens)}" for each in cost.lines if each.tokens)
        yield from (("not in cost", text) for text in cost.not_counted)


def _layers(plan: Plan) -> str:
    config = plan.training
    chosen = {"MLP": config.train_mlp, "attention": config.train_attn, "unembedding": config.train_unembed}
    names = [name for name, is_on in chosen.items() if is_on]
    return "all layers" if len(names) == len(chosen) else " and ".join(names) or "no layer"


def _file(path: Path) -> str:
    return f"{path.name} ({path.parent})"


def _success(plan: Plan) -> str:
    success = plan.success
    reach = "better than the base model" if success.threshold is None else f"at least {number_text(success.threshold)}"
    kept = f"; must not get worse: {', '.join(success.must_not_regress)}" if success.must_not_regress else ""
    return f"{success.metric} {reach}{kept}"


def _cost(plan: Plan, cost: CostEstimate) -> Iterator[tuple[str, str]]:
    total = cost.total
    if cost.is_free:
        yield "cost", "$0.00, this backend is free"
    elif total.expected_usd is None:
        yield "cost", "unknown: a price that it needs is not known"
    else:
        expected, low, high = (money_text(usd) for usd in (total.expected_usd, total.low_usd, total.high_usd))
        yield "cost", f"{expected} expected, {low} to {high}"
    cap = plan.budget.max_cost_usd
    yield "cap", "none" if cap is None else f"{money_text(cap)}: the worker stops there with a checkpoint"
    yield "prices", cost.price_source


def _warnings(result: GateResult, width: int) -> list[Line]:
    return [
        line for finding in result.findings if finding.severity == "warning" for line in finding_lines(finding, width)
    ]


def _labelled(label: str, text: str, width: int, ink: str = "text") -> list[Line]:
    lines = wrapped(one_line(text), width - _LABEL - 2, most=3)
    heads = [f"{label:>{_LABEL}}  ", *[" " * (_LABEL + 2)] * (len(lines) - 1)]
    return [((head, "muted"), (line, ink)) for head, line in zip(heads, lines, strict=True)]
