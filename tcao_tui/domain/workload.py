"""The work of a plan in tokens, by what they are billed as: the basis of the cost estimate.

What a token costs is added in `cost_estimate`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tcao_tui.domain.application_evals import ROWS_MAX_TOKENS
from tcao_tui.domain.benchmarks.table import benchmark_named
from tcao_tui.domain.cost import CACHED_SHARE, CostKind
from tcao_tui.domain.facts import Facts
from tcao_tui.domain.method_params import DistillParams, RlParams
from tcao_tui.domain.pilot_range import range_cells
from tcao_tui.domain.pipeline import PREFERENCE_REWARD, STAGED_METHODS, stage_plans
from tcao_tui.domain.plan import BenchmarkSpec, Plan
from tcao_tui.domain.policy.renderer import thinks
from tcao_tui.domain.row_tokens import Range, RowTokens, profile_of, row_tokens

Billed = Literal["train", "prefill", "sample"]

UNKNOWN_BENCHMARK = (500, 300, 1000)
"""Prompt tokens, answer tokens and samples of a benchmark that is not in our table."""

JUDGING_FRAME = Range(20, 40, 80)
"""Tokens that the cookbook's comparison prompt adds to a prompt and two answers."""

_CHARACTERS_PER_TOKEN = 4.0


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens of one kind of work that are billed alike; None when nobody measured the rows they come from.

    Attributes:
        model: Whose price it is; "" for the base model's.
        how: How the tokens were found, for people.
    """

    kind: CostKind
    billed: Billed
    tokens: Range | None
    how: str
    model: str = ""


def pieces_of(plan: Plan, facts: Facts) -> Iterator[Piece]:
    """All work of carrying the plan out once, without storage."""
    yield from _range_test(plan, facts)
    if plan.method in STAGED_METHODS:
        for stage in stage_plans(plan):
            yield from pieces_of(stage.plan, facts)
        return
    rows = _rows(facts, plan.training.train_file, plan)
    yield from _training(plan, rows)
    yield from _validation(plan, facts)
    yield from _score(plan, facts)
    yield from _application(plan, facts)
    yield from _samples(plan)
    for benchmark in plan.evals.benchmarks:
        yield from _benchmark(benchmark, thinking=_thinks(plan))


def _range_test(plan: Plan, facts: Facts) -> Iterator[Piece]:
    """Cells differ in learning rate and rank, neither of which is billed; what dies halfway is trained again."""
    cells = range_cells(plan)
    for cell in cells[:1]:
        for piece in _training(cell.plan, _rows(facts, cell.plan.training.train_file, cell.plan)):
            tokens = None if piece.tokens is None else piece.tokens.times(len(cells))
            yield replace(piece, kind="range test", tokens=tokens, how=f"{len(cells)} cells of {piece.how}")


def passes(plan: Plan) -> int:
    """How often the weights are measured: before the first step, every so many, after the last."""
    every, steps = plan.training.eval_every, plan.training.num_steps
    return 2 + ((steps - 1) // every if every else 0)


def _training(plan: Plan, rows: RowTokens | None) -> Iterator[Piece]:
    config = plan.training
    trained = config.num_steps * config.train_batch_size
    if rows is None:
        yield Piece("training", "train", None, "the training rows were not inspected")
        return
    row = rows.row.at_most(config.max_seq_len)
    how = f"{config.num_steps:,} steps of {config.step_size}, {rows.how}"
    match plan.method:
        case "dpo":
            pair = _pair(row)
            yield Piece("training", "train", pair.times(trained), how)
            extra = Range(0.0, pair.expected, pair.high).times(trained)
            yield Piece("training", "train", extra, "the loss needs a forward pass of its own, where that is billed")
            reference = pair.times(min(trained, rows.rows))
            yield Piece("training", "prefill", reference, "the reference model reads each pair once")
        case "preference_model":
            yield Piece("training", "train", _pair(row).times(trained), f"{how}; both answers are read together")
        case "rl" if plan.rl is not None:
            yield from _rollouts(plan, plan.rl, rows, config.num_steps)
        case "distill" if plan.distill is not None and plan.distill.mode == "off_policy":
            yield from _taught(plan.distill, "training", rows, min(trained, rows.rows), thinking=_thinks(plan))
            read = rows.prompt.plus(_answer(rows.answer, plan.distill.max_tokens, thinking=_thinks(plan)))
            yield Piece("training", "train", read.times(trained), how)
        case "distill" if plan.distill is not None:
            yield from _rollouts(plan, plan.distill, rows, config.num_steps)
        case _:
            batch = row.times(config.train_batch_size) if config.batch_tokens is None else _by_budget(plan, rows)
            yield Piece("training", "train", batch.times(config.num_steps), how)


def _by_budget(plan: Plan, rows: RowTokens) -> Range:
    """Tokens of a batch that is cut by a budget: never less than the longest row, nor more than all rows have."""
    config = plan.training
    budget = max(config.batch_tokens or 0, min(rows.longest, config.max_seq_len))
    return rows.row.at_most(config.max_seq_len).times(rows.rows).at_most(budget)


def _pair(row: Range) -> Range:
    """Both sides of a pair, of which the longer one was measured."""
    return Range(1.6 * row.low, 1.9 * row.expected, 2.0 * row.high)


def _rollouts(plan: Plan, params: RlParams | DistillParams, rows: RowTokens, steps: int) -> Iterator[Piece]:
    groups = steps * plan.training.train_batch_size
    answers, size = groups * params.group_size, params.group_size
    answer = _rollout(rows.answer, params.max_tokens, thinking=_thinks(plan))
    both = rows.prompt.plus(answer)
    how = (
        f"{steps:,} steps of {plan.training.train_batch_size} x {size} answers, up to {params.max_tokens:,} tokens each"
    )
    fresh = (1 + CACHED_SHARE * (size - 1)) / size
    prompt = Range(rows.prompt.low / size, rows.prompt.expected * fresh, rows.prompt.high)
    yield Piece(
        "sampling", "prefill", prompt.times(answers), f"prompts, repeated ones at {CACHED_SHARE:.0%} of the price"
    )
    yield Piece("sampling", "sample", answer.times(answers), how)
    yield Piece("training", "train", both.times(answers), "every sampled answer with its prompt")
    if isinstance(params, DistillParams):
        yield Piece("sampling", "prefill", both.times(answers), "the teacher reads every answer", params.teacher_model)
    elif params.kl_penalty_coef:
        yield Piece("sampling", "prefill", both.times(answers), "the model at the start reads every answer")
    if _judge_of(plan):
        asked = _judged(rows.prompt, answer).times(answers * (size - 1))
        yield Piece("sampling", "prefill", asked, "the preference model compares each answer with each other one")


def _taught(params: DistillParams, kind: CostKind, rows: RowTokens, prompts: int, *, thinking: bool) -> Iterator[Piece]:
    """The teacher's answers that are imitated, each given once."""
    answer = _answer(rows.answer, params.max_tokens, thinking=thinking)
    how = f"the teacher answers {prompts:,} prompts once"
    yield Piece(kind, "prefill", rows.prompt.times(prompts), how, params.teacher_model)
    yield Piece(kind, "sample", answer.times(prompts), how, params.teacher_model)


def _judge_of(plan: Plan) -> bool:
    """Whether the reward is a preference model."""
    return plan.rl is not None and plan.rl.grader.partition(":")[0] == PREFERENCE_REWARD


def _judged(prompt: Range, answer: Range) -> Range:
    """Tokens of one judgement: the prompt, both answers, and the frame around them."""
    return prompt.plus(answer).plus(answer).plus(JUDGING_FRAME)


def _validation(plan: Plan, facts: Facts) -> Iterator[Piece]:
    if plan.training.val_file is None:
        return
    rows, times = _rows(facts, plan.training.val_file, plan), passes(plan)
    if rows is None:
        yield Piece("validation", "train", None, "the validation rows were not inspected")
    elif plan.distill is not None and plan.distill.mode == "off_policy":
        yield from _taught(plan.distill, "validation", rows, rows.rows, thinking=_thinks(plan))
        read = rows.prompt.plus(_answer(rows.answer, plan.distill.max_tokens, thinking=_thinks(plan)))
        yield Piece("validation", "train", read.times(times * rows.rows), f"{times} times {rows.rows:,} such answers")
    elif params := plan.rl or plan.distill:
        yield from _answered(plan, params, rows, times)
    else:
        yield from _forward(plan, rows, times)


def _answered(plan: Plan, params: RlParams | DistillParams, rows: RowTokens, times: int) -> Iterator[Piece]:
    """Validation by answers of the model."""
    count = times * rows.rows
    answer = _answer(rows.answer, params.max_tokens, thinking=_thinks(plan))
    yield Piece("validation", "prefill", rows.prompt.times(count), f"{times} times {rows.rows:,} prompts")
    yield Piece("validation", "sample", answer.times(count), "their answers")
    if isinstance(params, DistillParams):
        read = rows.prompt.plus(answer).times(count)
        yield Piece("validation", "prefill", read, "the teacher reads them", params.teacher_model)
    elif _judge_of(plan):
        asked = _judged(rows.prompt, rows.answer).times(2 * count)
        yield Piece("validation", "prefill", asked, "the preference model compares them with the wanted ones")


def _forward(plan: Plan, rows: RowTokens, times: int) -> Iterator[Piece]:
    """Validation by forward passes over the rows, or over both sides of pairs."""
    row = rows.row.at_most(plan.training.max_seq_len)
    if plan.method == "preference_model":
        read, what = _pair(row).times(2), "pairs in both orders"
    elif plan.method == "dpo":
        read, what = _pair(row), "pairs"
        yield Piece("validation", "prefill", read.times(rows.rows), "the reference model reads each pair once")
    else:
        read, what = row, "rows"
    how = f"{times} times {rows.rows:,} {what}, {rows.how}; a forward pass costs what training does"
    yield Piece("validation", "train", read.times(times * rows.rows), how)


def _score(plan: Plan, facts: Facts) -> Iterator[Piece]:
    spec = plan.evals.score
    if spec is None:
        return
    rows = _rows(facts, spec.file, plan)
    if rows is None:
        yield Piece("evals", "sample", None, "the scored rows were not inspected")
        return
    scored = min(spec.max_rows, rows.rows)
    times, when = (passes(plan), "at each eval") if plan.watch.needs_scores else (2, "before and after")
    answer = _answer(rows.answer, spec.max_tokens, thinking=_thinks(plan))
    yield Piece("evals", "prefill", rows.prompt.times(times * scored), f"{scored:,} rows {when}, {rows.how}")
    yield Piece("evals", "sample", answer.times(times * scored), f"answers of at most {spec.max_tokens:,} tokens")


def _application(plan: Plan, facts: Facts) -> Iterator[Piece]:
    """Further evals of rows, once of the base model and once of one checkpoint."""
    for each in plan.evals.application:
        if each.kind != "rows" or each.file is None:
            continue
        rows = _rows(facts, each.file, plan)
        if rows is None:
            yield Piece("evals", "sample", None, f"{each.name}: its rows were not inspected")
            continue
        scored = min(each.max_rows or rows.rows, rows.rows)
        most = each.max_tokens or ROWS_MAX_TOKENS
        answer = _answer(rows.answer, most, thinking=_thinks(plan)).times(2 * scored * each.epochs)
        how = f"{each.name}: {scored:,} rows before and after, {rows.how}"
        yield Piece("evals", "prefill", rows.prompt.times(2 * scored * each.epochs), how)
        yield Piece("evals", "sample", answer, f"{each.name}: answers of at most {most:,} tokens")


def _samples(plan: Plan) -> Iterator[Piece]:
    prompts, times = plan.evals.sample_prompts, passes(plan)
    if prompts:
        read = sum(map(len, prompts)) / _CHARACTERS_PER_TOKEN * times
        said = float(times * len(prompts) * plan.evals.sample_max_tokens)
        yield Piece(
            "evals", "prefill", Range(read * 0.8, read, read * 1.6), f"{times} times {len(prompts)} sample prompts"
        )
        yield Piece("evals", "sample", Range(said * 0.2, said * 0.7, said), "their answers")


def _benchmark(spec: BenchmarkSpec, *, thinking: bool) -> Iterator[Piece]:
    known = benchmark_named(spec.name)
    prompt, answer, samples = UNKNOWN_BENCHMARK
    times, doubt = 2 * (spec.limit or samples), (0.2, 5.0)
    if known is not None:
        prompt, answer = known.prompt_tokens, known.answer_tokens
        times, doubt = 2 * known.answers(spec.limit), (0.5, 2.0)
    thought = 1500 if thinking else 0
    how = f"{spec.name}: {times // 2:,} samples before and after, about {prompt + answer + thought:,} tokens each"
    yield Piece("evals", "prefill", Range(prompt * doubt[0], prompt, prompt * doubt[1]).times(times), how)
    said = Range(answer * doubt[0] + 0.3 * thought, answer + thought, answer * doubt[1] + 3 * thought)
    yield Piece("evals", "sample", said.times(times), how)


def _answer(wanted: Range, most: int, *, thinking: bool) -> Range:
    """Tokens of a sampled answer: about as long as the wanted ones, unless it thinks first; never above the limit."""
    if thinking:
        return Range(min(wanted.low, most), 0.5 * most, most)
    return Range(min(0.5 * wanted.low, most), min(wanted.expected, most), most)


def _rollout(wanted: Range, most: int, *, thinking: bool) -> Range:
    """Mean tokens of many answers of a model in training: longer than the wanted ones, and far from all cut off."""
    if thinking:
        return Range(0.1 * most, 0.5 * most, most)
    expected = min(most, max(wanted.expected, 0.2 * most))
    return Range(min(0.5 * wanted.low, most), expected, max(expected, 0.6 * most))


def _rows(facts: Facts, path: Path, plan: Plan) -> RowTokens | None:
    profile, train = profile_of(facts, path), profile_of(facts, plan.training.train_file)
    return None if profile is None else row_tokens(profile, plan.training.base_model, like=train)


def _thinks(plan: Plan) -> bool:
    return thinks(plan.training.renderer_name or "")
