"""Part of gate 2: methods that learn from sampled answers, where reward, loss, batch and teachers must fit together."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.checks.findings import Finder, shown
from tcao_tui.domain.checks.graders import check_grader
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.gates import Finding
from tcao_tui.domain.method_params import DistillParams, RlParams
from tcao_tui.domain.pipeline import PREFERENCE_REWARD

_CLIPPED = ("ppo", "cispo")
"""Losses that bound what a second update may do with answers of the weights before the first."""


def check_sampling(find: Finder, subject: Subject) -> Iterator[Finding]:
    """Judge what needs no measurement."""
    if subject.plan.method == "rl":
        yield from _rl(find, subject, subject.plan.rl or RlParams())
    if subject.plan.method == "distill" and subject.plan.distill is not None:
        yield from _distill(find, subject, subject.plan.distill)


def _rl(find: Finder, subject: Subject, params: RlParams) -> Iterator[Finding]:
    is_judged = params.grader.partition(":")[0] == PREFERENCE_REWARD
    if params.environment is None and not is_judged:
        yield from check_grader(find, "rl.grader", params.grader, subject.facts.graders)
    rows = subject.config.train_batch_size * params.group_size
    if params.num_substeps > rows:
        yield find.error(
            "rl.num_substeps",
            got=f"{params.num_substeps} parts of {rows:,} answers",
            expected="at most one per answer",
            fix=f"set rl.num_substeps to {min(4, rows)} or less",
        )
    elif params.num_substeps > 1 and params.loss_fn not in _CLIPPED:
        yield find.warning(
            "rl.loss_fn",
            got=f"{params.loss_fn} with {params.num_substeps} updates per batch of answers",
            expected="a loss that bounds them: the later updates are off policy",
            fix="set rl.loss_fn to ppo, or rl.num_substeps to 1",
        )


def _distill(find: Finder, subject: Subject, params: DistillParams) -> Iterator[Finding]:
    if params.teacher_checkpoint is None and params.teacher_model == subject.config.base_model:
        yield find.error(
            "distill.teacher_model",
            got=f"{shown(params.teacher_model)}, which is the student",
            expected="a larger model, or a trained checkpoint of this one",
            fix="name another teacher_model, or set distill.teacher_checkpoint",
        )
    if params.mode == "off_policy" and params.more_teachers:
        yield find.error(
            "distill.more_teachers",
            got="several teachers, and only one can give the answers that are imitated",
            expected="one teacher, or mode on_policy",
            fix="remove distill.more_teachers, or set distill.mode to on_policy",
        )
    elif 1 + len(params.more_teachers) > subject.config.train_batch_size:
        teachers = 1 + len(params.more_teachers)
        yield find.error(
            "training.train_batch_size",
            got=f"{subject.config.train_batch_size} prompts a step for {teachers} teachers",
            expected="at least one prompt for each",
            fix=f"set training.train_batch_size to {teachers} or more",
        )
