"""Gate 4: the server can do it: the model is offered and trainable, and rank and lengths are within its limits."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.capabilities import Capabilities, ModelInfo
from tcao_tui.domain.checks.findings import Finder, Judged, names, shown
from tcao_tui.domain.checks.subject import Subject
from tcao_tui.domain.gates import Finding, Gate
from tcao_tui.domain.hyperparams import (
    FAR_BELOW,
    IMITATING,
    lora_parameters,
    low_regret_rank,
    power_of_two_at_most,
    rank_limit,
)
from tcao_tui.domain.model_names import nearest_models
from tcao_tui.domain.plain_text import one_line
from tcao_tui.domain.wording import count_text

_FIND = Finder(Gate.CAPABILITY)


def check_capability(subject: Subject) -> Judged:
    """Judge the plan by what the server offers."""
    offered = subject.facts.capabilities
    if offered is None:
        reason = subject.facts.missing.get("capabilities", "it was not asked")
        return Judged(why_open=f"the server's models are not known: {one_line(reason)}")
    findings = list(_model("training.base_model", subject.config.base_model, offered, must_train=True))
    for key, teacher in _teachers(subject):
        findings += _model(key, teacher, offered, must_train=False)
    if subject.model is not None:
        findings += [*_lengths(subject, subject.model), *_rank(subject, subject.model), *_capacity(subject)]
    return Judged(tuple(findings))


def _teachers(subject: Subject) -> Iterator[tuple[str, str]]:
    params = subject.plan.distill
    if params is not None:
        yield "distill.teacher_model", params.teacher_model
        for index, teacher in enumerate(params.more_teachers):
            yield f"distill.more_teachers[{index}].model", teacher.model


def _model(key: str, name: str, offered: Capabilities, *, must_train: bool) -> Iterator[Finding]:
    model = offered.model(name)
    usable = [m for m in offered.models if m.trainable or not must_train]
    if model is not None and (model.trainable or not must_train):
        return
    near = [m.name for m in nearest_models(name, usable)]
    yield _FIND.error(
        key,
        got=f"{shown(name)}, which {one_line(offered.profile, 60)} "
        + ("does not offer (misspelt or retired)" if model is None else "offers for sampling only"),
        expected=f"a model of this server: {names([m.name for m in usable])}",
        fix=f"set {key} to {names(near)}" if near else "choose another backend: this one offers no such model",
    )


def _lengths(subject: Subject, model: ModelInfo) -> Iterator[Finding]:
    context, config = model.context_length, subject.config
    if context is None:
        yield _FIND.note(
            "training.max_seq_len", got="the server does not say the model's context length", expected="a known length"
        )
        return
    if config.max_seq_len > context:
        yield _FIND.error(
            "training.max_seq_len",
            got=f"{config.max_seq_len:,} tokens",
            expected=f"at most {context:,}, the context of {shown(model.name)}",
            fix=f"set training.max_seq_len to {context}",
        )
    section = subject.plan.rl or subject.plan.distill or subject.plan.rlhf
    if section is not None and section.max_tokens >= context:
        yield _FIND.error(
            f"{subject.plan.method}.max_tokens",
            got=f"{section.max_tokens:,} tokens per answer",
            expected=f"fewer than the context of {context:,}, with room for the prompt",
            fix=f"set {subject.plan.method}.max_tokens to {power_of_two_at_most(context // 2)}",
        )


def _rank(subject: Subject, model: ModelInfo) -> Iterator[Finding]:
    cap, rank = model.rank_cap, subject.config.lora_rank
    if cap is not None and rank > cap:
        yield _FIND.error(
            "training.lora_rank",
            got=f"{rank}",
            expected=f"at most {cap}, the cap of {shown(model.name)} here",
            fix=f"set training.lora_rank to {power_of_two_at_most(cap)}",
        )


def _capacity(subject: Subject) -> Iterator[Finding]:
    """The low-regret rule: a LoRA learns answers like full fine-tuning with a parameter per completion token."""
    if subject.plan.method not in IMITATING:
        return
    config, tokens, model = subject.config, subject.tokens, subject.model
    held = lora_parameters(model, config.lora_rank)
    if tokens is None or held is None or model is None or model.lora_parameters_per_rank is None:
        return
    if not (config.train_mlp and config.train_attn and config.train_unembed):
        return
    wanted = tokens.completion.total
    if held >= FAR_BELOW * wanted:
        return
    limit = rank_limit(model)
    rank = low_regret_rank(model.lora_parameters_per_rank, wanted, start=config.lora_rank, limit=limit)
    raise_it = f"set training.lora_rank to {rank}" if rank > config.lora_rank else f"rank {limit} is the most"
    yield _FIND.warning(
        "training.lora_rank",
        got=f"rank {config.lora_rank} has {count_text(held)} parameters for {count_text(wanted)} completion tokens",
        expected="a parameter per completion token, or not far below (LoRA Without Regret)",
        fix=f"{raise_it}; otherwise take fewer rows or narrow the objective",
    )
