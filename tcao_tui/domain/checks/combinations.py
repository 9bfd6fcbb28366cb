"""Gate 2: the values fit together, whatever the data is: method and its section, rates, layers, steps."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.checks.course import check_course
from tcao_tui.domain.checks.findings import Finder, Judged, names, nearest, shown
from tcao_tui.domain.checks.sampling import check_sampling
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.gates import Finding, Gate
from tcao_tui.domain.hyperparams import IMITATING, RATES, TINY_LEARNING_RATE, is_tiny
from tcao_tui.domain.method_params import METHOD_PARAMS

_FIND = Finder(Gate.COMBINATIONS)

FEWEST_STEPS = 100
"""The cookbook's hyperparameter guide: fewer steps rarely show what a run can do."""

_FAR = 10
"""A learning rate outside the usual range is warned about; a model's own rate is left by this factor."""


def check_combinations(subject: Subject) -> Judged:
    """Judge what needs no measurement."""
    checks = (_method, _dpo, _learning_rate, _layers, _steps, _trained_tokens)
    found = [finding for check in checks for finding in check(subject)]
    return Judged((*found, *check_sampling(_FIND, subject), *check_course(_FIND, subject)))


def _method(subject: Subject) -> Iterator[Finding]:
    method = subject.plan.method
    known = [*METHOD_PARAMS, *(m for m in subject.facts.methods if m not in METHOD_PARAMS)]
    if method not in known:
        near = nearest(method, known)
        fix = f"set method to {near[0]}" if near else f"set method to one of {names(known)}"
        yield _FIND.error("method", got=shown(method), expected=f"one of {names(known)}", fix=fix)
    elif method not in subject.facts.methods:
        yield _FIND.note(
            "method",
            got=f"no worker here can carry out {method} yet",
            expected=f"for a run today: {names(subject.facts.methods)}",
            fix="the plan may be approved and kept; it is not launched",
        )


def _dpo(subject: Subject) -> Iterator[Finding]:
    if subject.plan.method == "dpo" and subject.plan.start_from is None:
        yield _FIND.warning(
            "start_from",
            got="preferences on a model that was not fine-tuned on the task",
            expected="the weights of an SFT run on the same task",
            fix="run SFT on the chosen answers first, then set start_from to its state path (`tcao show RUN`)",
        )


def _learning_rate(subject: Subject) -> Iterator[Finding]:
    rate, usual = subject.config.learning_rate, RATES.get(subject.plan.method)
    if usual is None:
        return
    low, high, start, source = usual.low, usual.high, usual.start, usual.source
    model, is_supervised = subject.model, subject.plan.method in IMITATING
    if model is not None and is_tiny(model):
        high = TINY_LEARNING_RATE * _FAR
        if is_supervised:
            low, start, source = TINY_LEARNING_RATE / _FAR, TINY_LEARNING_RATE, "measured on models this small"
    elif is_supervised and model is not None and model.sft_learning_rate:
        start = model.sft_learning_rate
        low, high, source = min(low, start / _FAR), max(high, start * _FAR), "cookbook hyperparam_utils.get_lr"
    if not low <= rate <= high:
        yield _FIND.warning(
            "training.learning_rate",
            got=f"{rate:g}, far {'below' if rate < low else 'above'} what {subject.plan.method} is trained with",
            expected=f"{low:g} to {high:g} ({source})",
            fix=f"set training.learning_rate to {start:g}",
        )


def _layers(subject: Subject) -> Iterator[Finding]:
    if subject.config.train_attn and not subject.config.train_mlp:
        yield _FIND.warning(
            "training.train_mlp",
            got="LoRA on attention alone",
            expected="MLP layers too: attention-only LoRA learns less even at a higher rank (LoRA Without Regret)",
            fix="set training.train_mlp to true",
        )


def _steps(subject: Subject) -> Iterator[Finding]:
    config = subject.config
    if config.num_steps < FEWEST_STEPS:
        yield _FIND.warning(
            "training.num_steps",
            got=f"{config.num_steps} steps",
            expected=f"at least {FEWEST_STEPS}: fewer rarely show what a run can do",
            fix=f"set training.num_steps to {FEWEST_STEPS} or more, or take this for a trial",
        )
    if config.save_every == 0 and config.num_steps >= FEWEST_STEPS:
        yield _FIND.warning(
            "training.save_every",
            got="no checkpoint before the end",
            expected="checkpoints on the way: without one a crash loses every step",
            fix="set training.save_every to 20",
        )


def _trained_tokens(subject: Subject) -> Iterator[Finding]:
    if subject.plan.method == "sft" and subject.config.train_on_what == "all_user_and_system_messages":
        yield _FIND.warning(
            "training.train_on_what",
            got="loss on the questions, none on the answers",
            expected="all_assistant_messages, unless the model is to write prompts",
            fix="set training.train_on_what to all_assistant_messages",
        )
