"""Part of gate 2: how the training is to go, its schedule, its pilot and what ends it early."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.checks.findings import Finder, shown
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.held_out import held_out_metrics
from tcao_tui.domain.pilot_range import PILOTED
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.watch_plan import RangeTest


def check_course(find: Finder, subject: Subject) -> Iterator[Finding]:
    """Judge what needs no measurement."""
    yield from _schedule(find, subject)
    yield from _batch_tokens(find, subject)
    yield from _pilot(find, subject)
    yield from _early_stopping(find, subject)


def _schedule(find: Finder, subject: Subject) -> Iterator[Finding]:
    config = subject.config
    if config.warmup_steps >= config.num_steps:
        yield find.error(
            "training.warmup_steps",
            got=f"{config.warmup_steps} steps, and the training has {config.num_steps}",
            expected="fewer than num_steps: the learning rate would never reach its value",
            fix=f"set training.warmup_steps to {max(0, config.num_steps // 20)}",
        )


def _batch_tokens(find: Finder, subject: Subject) -> Iterator[Finding]:
    config = subject.config
    if config.batch_tokens is None:
        return
    if subject.plan.method != "sft":
        yield find.error(
            "training.batch_tokens",
            got=f"a token budget for method {subject.plan.method}",
            expected="rows per step, train_batch_size",
            fix="remove training.batch_tokens",
        )
    elif config.batch_tokens < config.max_seq_len:
        yield find.warning(
            "training.batch_tokens",
            got=f"{config.batch_tokens:,} tokens per step, and a row may have {config.max_seq_len:,}",
            expected="room for the longest row",
            fix=f"set training.batch_tokens to {config.max_seq_len:,} or more",
        )


def _pilot(find: Finder, subject: Subject) -> Iterator[Finding]:
    pilot = subject.plan.pilot
    if pilot is not None and pilot.steps >= subject.config.num_steps:
        yield find.error(
            "pilot.steps",
            got=f"{pilot.steps} steps of {subject.config.num_steps}",
            expected="fewer than num_steps: nothing would be left to decide",
            fix=f"set pilot.steps to {max(2, subject.config.num_steps // 20)}, or remove the pilot",
        )
    if pilot is not None and pilot.range_test is not None:
        yield from _range_test(find, subject, pilot.range_test)


def _range_test(find: Finder, subject: Subject, test: RangeTest) -> Iterator[Finding]:
    method = stage_plans(subject.plan)[0].plan.method
    if method not in PILOTED:
        yield find.error(
            "pilot.range_test",
            got=f"a range test for method {method}",
            expected=f"one of the methods whose batches are known: {', '.join(PILOTED)}",
            fix="remove pilot.range_test; `tcao sweep` varies values of any method",
        )
    cap = None if subject.model is None else subject.model.rank_cap
    if cap is not None and (above := [rank for rank in test.lora_ranks if rank > cap]):
        yield find.error(
            "pilot.range_test.lora_ranks",
            got=", ".join(map(str, above)),
            expected=f"at most {cap}, the model's cap here",
            fix="set pilot.range_test.lora_ranks to ranks within it",
        )


def _early_stopping(find: Finder, subject: Subject) -> Iterator[Finding]:
    early = subject.plan.watch.early_stopping
    if early is None:
        return
    is_score, held_out = early.metric == "score", held_out_metrics(subject.plan.method)
    if not is_score and early.metric not in held_out:
        yield find.error(
            "watch.early_stopping.metric",
            got=f"{shown(early.metric)}, which method {subject.plan.method} does not give",
            expected=" or ".join((*held_out, "score")),
            fix=f"set watch.early_stopping.metric to {held_out[0]}",
        )
        return
    given = subject.plan.evals.score is not None if is_score else subject.config.val_file is not None
    if not given or not subject.config.eval_every:
        missing = "training.eval_every" if given else "evals.score" if is_score else "training.val_file"
        yield find.error(
            "watch.early_stopping.metric",
            got=f"{early.metric}, which is not measured while it trains",
            expected="a metric that each eval gives",
            fix=f"set {missing}, or remove watch.early_stopping",
        )
