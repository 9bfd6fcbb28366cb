"""What a QLoRA on one's own GPU cannot have in common with a LoRA of Tinker, said before scores are compared."""

from __future__ import annotations

from collections.abc import Iterator

from tcao_tui.domain.lora_layers import layers_of
from tcao_tui.domain.model_names import base_name, parameters_in
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.domain.wording import count_text

_PUBLISHED_QUANTISED = {"gpt-oss": "MXFP4", "deepseek-v3": "FP8", "kimi-k2": "INT4"}
"""Part of a model's name, and the number type that its weights are published in."""


def differences(plan: Plan) -> Iterator[str]:
    """Each in a sentence or two: what holds for every QLoRA first, then what this plan brings."""
    config = plan.training
    yield (
        "The base is rounded to 4 bits, Tinker's is not: the adapter also learns to make up for the rounding, so it "
        "belongs on a base that is loaded in 4 bits. Merged into the 16-bit base it loses a little: measure it."
    )
    yield (
        "LoRA A starts from PEFT's random numbers, not from Tinker's: the seed gives the same batches, not the same "
        "weights. Losses agree in shape, not digit by digit."
    )
    yield (
        "Rows are written by the cookbook's renderer, as on Tinker. A server that uses the chat template of the "
        "tokenizer may write prompts otherwise: compare the two before serving."
    )
    yield "Scores, samples, watch rules, early stopping and budgets of the plan are not carried over."
    yield from _of_layers(config)
    yield from _of_schedule(config)
    if plan.start_from is not None:
        yield (
            "The plan starts from a training state on the server, which cannot be loaded here: this starts from the "
            "base model. Export that checkpoint and merge it into the base first."
        )


def _of_layers(config: TrainingConfig) -> Iterator[str]:
    layers, name = layers_of(config.base_model), base_name(config.base_model).lower()
    if config.train_unembed:
        yield (
            "train_unembed is a LoRA on lm_head, which bitsandbytes leaves in 16 bits; where a model ties it to the "
            "embedding, only the head changes. Some servers ignore a LoRA there: merge, or check what they answer."
        )
    if layers.experts:
        size = parameters_in(name)
        all_of = "" if size is None else f" of {count_text(size[0])} parameters, 2 bytes each"
        yield (f"Experts are one fused parameter, which bitsandbytes does not quantise: most{all_of} stays in 16 bits.")
    if layers.experts and config.train_mlp:
        yield (
            "Tinker shares one LoRA factor among all experts of a layer; PEFT gives each expert both of its own, so "
            "this adapter is larger at the same rank."
        )
    if layers.fused and config.train_attn:
        yield (
            f"{' and '.join(layers.fused)} holds several projections in one, which Tinker trains with a LoRA each: "
            "here they share one of the same rank."
        )
    if layers.out_of_reach:
        yield f"Left as they are, since PEFT cannot adapt them: {layers.out_of_reach}."
    for part, number_type in _PUBLISHED_QUANTISED.items():
        if part in name:
            yield (
                f"The published weights are {number_type}, which bitsandbytes does not quantise again: load a copy in "
                "bfloat16 (--model DIR)."
            )


def _of_schedule(config: TrainingConfig) -> Iterator[str]:
    if config.batch_tokens is not None:
        yield (
            f"The plan cuts batches at {config.batch_tokens:,} tokens; here every batch has the same number of rows, "
            "as many as fit when all are of full length. Raise gradient_accumulation_steps if rows are shorter."
        )
    if config.warmup_steps:
        yield "Transformers warms up from 0 and Tinker's plan from one step above it: the rate is one step behind."
    if config.changes:
        yield (
            "Settings that a person changed while the run trained are not repeated: the learning rate is the planned "
            "one throughout."
        )
