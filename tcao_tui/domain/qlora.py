"""A supervised plan of Tinker as a QLoRA for one's own GPU: the configuration of PEFT, bitsandbytes and Transformers.

Each value has its reason, and what the two sides cannot have in common is said. Sections are keyword arguments:
`LoraConfig(**lora)`, `BitsAndBytesConfig(**quantization)`, `TrainingArguments(**training)`; `data` is read by the
generated script. Writing files is the business of `services.qlora`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tcao_tui.domain.hyperparams import rate_text
from tcao_tui.domain.lora_layers import LORA_ALPHA, UNEMBEDDING, layers_of
from tcao_tui.domain.model_names import parameters_in
from tcao_tui.domain.plan import Plan
from tcao_tui.domain.qlora_differences import differences
from tcao_tui.domain.training_config import LrSchedule, TrainingConfig

MICRO_BATCH_TOKENS = 4096
"""Tokens that one forward pass holds: a model of 8B in 4 bits, its adapter and their logits then fit into 24 GB."""

_SMALL_BELOW, _MIDDLE_UP_TO = 6.5e9, 14e9
_SCHEDULES: Mapping[LrSchedule, str] = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, and why it is this one; the reason is empty where the plan says it word by word."""

    value: object
    why: str = ""


type Section = Mapping[str, Setting]


@dataclass(frozen=True, slots=True)
class Qlora:
    """A whole configuration, and what it cannot mimic, one sentence each."""

    data: Section
    lora: Section
    quantization: Section
    training: Section
    differences: tuple[str, ...]

    @property
    def sections(self) -> Mapping[str, Section]:
        """The sections by name, in the order in which people read them."""
        return {
            "data": self.data,
            "lora": self.lora,
            "quantization": self.quantization,
            "training": self.training,
        }


def translate(plan: Plan, model: str) -> Qlora:
    """The configuration that mimics a plan of method sft.

    Args:
        plan: What was or would be trained on Tinker.
        model: What the base model is loaded by: a name on the Hugging Face hub, or a folder.
    """
    config = plan.training
    return Qlora(
        data=dict(_data(plan, model)),
        lora=dict(_lora(config)),
        quantization=dict(_quantization()),
        training=dict(_training(config)),
        differences=tuple(differences(plan)),
    )


def rows_per_step(config: TrainingConfig) -> int:
    """Rows of one update: those of the plan; of a budget of tokens as many as surely fit."""
    return config.train_batch_size if config.batch_tokens is None else max(1, config.batch_tokens // config.max_seq_len)


def start_rate(rate: float, parameters: int | None) -> Setting:
    """Learning rate to start from, for a run that used `rate` on a base of so many parameters, None if unknown.

    2e-4 for 7B and 13B and 1e-4 for 33B and 65B are those of the QLoRA paper (Dettmers et al. 2023, table 9); up to
    3e-4 is in use for 7B to 13B.
    """
    if parameters is None or parameters < _SMALL_BELOW:
        return Setting(rate, "as in the Tinker run; from 7B on, 4-bit bases are started with 2e-4 to 3e-4")
    low, high, whom = (2e-4, 3e-4, "7B to 13B") if parameters <= _MIDDLE_UP_TO else (1e-4, 2e-4, "more than 13B")
    usual = f"{rate_text(low)} to {rate_text(high)} is what 4-bit bases of {whom} are started with"
    if low <= rate <= high:
        return Setting(rate, f"as in the Tinker run; {usual}")
    side = "above" if rate > high else "below"
    return Setting(min(max(rate, low), high), f"the Tinker run had {rate_text(rate)}, {side} the usual: {usual}")


def _data(plan: Plan, model: str) -> Iterator[tuple[str, Setting]]:
    config = plan.training
    yield "model", Setting(model, "loaded from the Hugging Face hub, or a folder")
    yield "base_model", Setting(config.base_model, "as Tinker names it; decides the renderer")
    yield "train_file", Setting(str(config.train_file), "a relative path starts at this file")
    yield "train_sha256", Setting(plan.data.train_file, "of the file that was approved; empty to train on another")
    yield "val_file", Setting(None if config.val_file is None else str(config.val_file))
    for name in ("data_format", "input_field", "output_field", "chosen_field", "renderer_name", "train_on_what"):
        yield name, Setting(getattr(config, name))
    yield "max_seq_len", Setting(config.max_seq_len, "longer rows are cut, as on Tinker")


def _lora(config: TrainingConfig) -> Iterator[tuple[str, Setting]]:
    layers = layers_of(config.base_model)
    modules = [
        *(layers.attention if config.train_attn else ()),
        *(layers.mlp if config.train_mlp else ()),
        *((UNEMBEDDING,) if config.train_unembed else ()),
    ]
    parts = [name for name in ("train_attn", "train_mlp", "train_unembed") if getattr(config, name)]
    scale = f"{LORA_ALPHA / config.lora_rank:g}"
    yield "r", Setting(config.lora_rank)
    yield "lora_alpha", Setting(LORA_ALPHA, f"Tinker's, whatever the rank: the update is scaled by alpha / r = {scale}")
    yield "lora_dropout", Setting(0.0, "Tinker has none")
    yield "bias", Setting("none", "Tinker trains no biases")
    yield "target_modules", Setting(modules, f"what {', '.join(parts)} stand for in this family")
    if layers.experts and config.train_mlp:
        why = "experts of a layer are one parameter in Transformers, not modules"
        yield "target_parameters", Setting(list(layers.experts), why)
    yield "task_type", Setting("CAUSAL_LM")


def _quantization() -> Iterator[tuple[str, Setting]]:
    yield "load_in_4bit", Setting(True, "the Q of QLoRA; the script's --no-4bit leaves the base as it is")
    yield "bnb_4bit_quant_type", Setting("nf4", "NormalFloat: made for normally distributed weights")
    yield "bnb_4bit_use_double_quant", Setting(True, "quantises the constants too: 0.37 bits less per weight")
    yield "bnb_4bit_compute_dtype", Setting("bfloat16", "float16 on GPUs older than Ampere, with fp16 below for bf16")


def _training(config: TrainingConfig) -> Iterator[tuple[str, Setting]]:
    yield from _steps(config)
    yield from _optimiser(config)
    yield "bf16", Setting(True, "16 bits with the range of 32; GPUs older than Ampere do not have it")
    yield "gradient_checkpointing", Setting(True, "computes activations twice instead of keeping them")
    evaluates = config.val_file is not None
    yield "eval_strategy", Setting("steps" if evaluates and config.eval_every else "no")
    yield "eval_steps", Setting(config.eval_every or None)
    yield "eval_on_start", Setting(evaluates, "the loss before training, as the console measures it")
    yield "save_strategy", Setting("steps" if config.save_every else "no", "the script saves the adapter at the end")
    yield "save_steps", Setting(config.save_every or config.num_steps)
    yield "logging_steps", Setting(1)
    yield "seed", Setting(config.seed, "the same rows in the same batches: their order is a function of it")


def _steps(config: TrainingConfig) -> Iterator[tuple[str, Setting]]:
    rows = rows_per_step(config)
    wanted = max(1, MICRO_BATCH_TOKENS // config.max_seq_len)
    micro = max(size for size in range(1, min(wanted, rows) + 1) if rows % size == 0)
    yield "max_steps", Setting(config.num_steps)
    yield (
        "per_device_train_batch_size",
        Setting(micro, f"rows at a time: at most {MICRO_BATCH_TOKENS:,} tokens; lower it if memory runs out"),
    )
    yield (
        "gradient_accumulation_steps",
        Setting(rows // micro, f"times the rows above, an update is made of {rows:,} rows, as on Tinker"),
    )
    yield "per_device_eval_batch_size", Setting(micro)
    yield "train_sampling_strategy", Setting("sequential", "the script has put the rows in the order of the run")


def _optimiser(config: TrainingConfig) -> Iterator[tuple[str, Setting]]:
    rows = rows_per_step(config)
    parameters = parameters_in(config.base_model)
    yield "learning_rate", start_rate(config.learning_rate, None if parameters is None else parameters[0])
    yield "lr_scheduler_type", Setting(_SCHEDULES[config.lr_schedule])
    yield "warmup_steps", Setting(config.warmup_steps)
    yield "optim", Setting("adamw_torch", "Tinker's AdamW; an adapter's states are small, so they need no paging")
    yield "adam_beta1", Setting(config.adam_beta1)
    yield "adam_beta2", Setting(config.adam_beta2, "Transformers' own default is 0.999")
    summed = f"on Tinker, where gradients are sums over {rows:,} rows; here they are means"
    yield "adam_epsilon", Setting(config.adam_eps / rows, f"{config.adam_eps:g} {summed}")
    yield "weight_decay", Setting(config.weight_decay)
    clip = f"{config.grad_clip_norm:g} {summed}" if config.grad_clip_norm else "0: no clipping, as in the plan"
    yield "max_grad_norm", Setting(config.grad_clip_norm / rows, clip)
