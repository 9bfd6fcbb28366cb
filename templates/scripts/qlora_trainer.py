"""QLoRA on one GPU with PEFT, bitsandbytes and Transformers: what a run learned on Tinker, learned at home.

    python qlora_trainer.py --dry-run           build every configuration, the layers and one batch; loads no weights
    python qlora_trainer.py                     train what ../qlora-config.yaml says; run it again to resume
    python qlora_trainer.py --no-4bit           the same on a base that is not quantised, also without a GPU
    python qlora_trainer.py --help

Needs `pip install torch transformers peft accelerate bitsandbytes tinker-cookbook`, and no key. Rows, the tokens that
are learned, their weights and the order of batches are those of the run; qlora-config.yaml ends with what is not.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import os
import random
import sys
import time
from importlib.util import find_spec
from pathlib import Path

# Before torch is loaded: batches and losses are those of the run as long as one process trains on one GPU.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from tinker_cookbook.renderers import Renderer, TrainOnWhat
from torch.nn import Linear, functional
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.modeling_outputs import CausalLMOutputWithPast
from transformers.trainer_callback import PrinterCallback
from transformers.trainer_utils import get_last_checkpoint

from plan import PLAN_DIR, Values, conversations, load_renderer, read_yaml

IGNORED = -100
NAMES = {
    "loss": "train_mean_nll",
    "eval_loss": "val_mean_nll",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
}
Row = dict[str, list[int]]


def main() -> None:
    """Build everything, train, and print where the adapter is."""
    arguments = parse_arguments()
    config = read_config(arguments)
    data, lora = config["data"], LoraConfig(**config["lora"])
    quantization = BitsAndBytesConfig(**config["quantization"])
    training = training_arguments(config["training"], arguments)
    tokenizer = AutoTokenizer.from_pretrained(data["model"])
    renderer = load_renderer(data, tokenizer)
    rows = load_rows(data["train_file"], data, renderer, sha256=data["train_sha256"])
    validation = load_rows(data["val_file"], data, renderer) if data["val_file"] else None
    rows_per_step = training.per_device_train_batch_size * training.gradient_accumulation_steps
    ordered = in_order_of_the_run(rows, rows_per_step, training.max_steps, training.seed)
    if arguments.dry_run:
        base = empty_model(data["model"])
    else:
        base = load_model(data["model"], None if arguments.no_4bit else quantization)
    model = with_adapter(base, lora)
    if arguments.dry_run:
        report(model, training, rows, ordered, tokenizer)
        return
    trainer = Trainer(
        model=model,
        args=training,
        train_dataset=ordered,
        eval_dataset=validation,
        data_collator=collate,
        compute_loss_func=functools.partial(mean_over_rows, rows_per_step=rows_per_step),
        callbacks=[Metrics(arguments.output)],
    )
    trainer.remove_callback(PrinterCallback)
    train(trainer, arguments.output)
    adapter = arguments.output / "adapter"
    model.save_pretrained(str(adapter))
    tokenizer.save_pretrained(adapter)
    print(f"ADAPTER={adapter}")


def parse_arguments() -> argparse.Namespace:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=PLAN_DIR / "qlora-config.yaml", help="every setting")
    parser.add_argument("--output", type=Path, default=PLAN_DIR / "qlora", help="adapter, checkpoints, metrics.jsonl")
    parser.add_argument("--model", help="a folder, or a name on the Hugging Face hub, instead of the configured one")
    parser.add_argument("--max-steps", type=int, help="updates, instead of the configured number")
    parser.add_argument("--no-4bit", action="store_true", help="plain LoRA: the base is not quantised")
    parser.add_argument("--dry-run", action="store_true", help="build everything but the weights, and train nothing")
    return parser.parse_args()


def read_config(arguments: argparse.Namespace) -> Values:
    """The configuration, with what the command line says; its relative paths start where it lies."""
    config = read_yaml(arguments.config)
    data, training = config["data"], config["training"]
    for key in ("train_file", "val_file"):
        data[key] = data[key] and arguments.config.parent / data[key]
    data["model"] = arguments.model or data["model"]
    for key in ("learning_rate", "weight_decay", "adam_epsilon", "max_grad_norm"):
        training[key] = float(training[key])  # YAML 1.1 takes 2e-4 for text
    training["max_steps"] = arguments.max_steps or training["max_steps"]
    return config


def training_arguments(training: Values, arguments: argparse.Namespace) -> TrainingArguments:
    """Transformers' arguments; without a GPU in 32 bits."""
    here = {} if torch.cuda.is_available() else {"use_cpu": True, "bf16": False}
    return TrainingArguments(
        output_dir=str(arguments.output),
        report_to="none",
        prediction_loss_only=True,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        disable_tqdm=True,
        **(training | here),
    )


def load_rows(path: Path, data: Values, renderer: Renderer, *, sha256: str = "") -> list[Row]:
    """All rows as tokens, and as labels those of them that are learned: the first token never is."""
    if sha256 and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        sys.exit(f"{path} is not the file of the run: its SHA-256 differs; empty train_sha256 to train on it anyway")
    what, longest = TrainOnWhat(data["train_on_what"]), data["max_seq_len"]
    rows = []
    for turns in conversations(path, data, renderer):
        model_input, weights = renderer.build_supervised_example(turns, what)
        tokens = model_input.to_ints()[:longest]
        labels = [token if weight > 0 else IGNORED for token, weight in zip(tokens, weights.tolist(), strict=False)]
        rows.append({"input_ids": tokens, "labels": [IGNORED, *labels[1:]]})
    return rows


def in_order_of_the_run(rows: list[Row], rows_per_step: int, steps: int, seed: int) -> list[Row]:
    """The rows of all updates, one after the other: each epoch is shuffled anew, and what fills no batch left out."""
    per_epoch = len(rows) // rows_per_step * rows_per_step
    if not per_epoch:
        sys.exit(f"{len(rows)} rows do not fill one update of {rows_per_step}: lower gradient_accumulation_steps")
    found: list[int] = []
    epoch = 0
    while len(found) < rows_per_step * steps:
        order = list(range(len(rows)))
        random.Random(f"{seed}:{epoch}").shuffle(order)
        found += order[:per_epoch]
        epoch += 1
    return [rows[index] for index in found[: rows_per_step * steps]]


def collate(rows: list[Row]) -> dict[str, torch.Tensor]:
    """Rows padded on the right to the longest of them."""
    longest = max(len(row["input_ids"]) for row in rows)

    def padded(key: str, filler: int) -> torch.Tensor:
        return torch.tensor([row[key] + [filler] * (longest - len(row[key])) for row in rows])

    mask = torch.tensor([[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in rows])
    return {"input_ids": padded("input_ids", 0), "labels": padded("labels", IGNORED), "attention_mask": mask}


def mean_over_rows(
    outputs: CausalLMOutputWithPast,
    labels: torch.Tensor,
    num_items_in_batch: torch.Tensor | int | None = None,
    *,
    rows_per_step: int,
) -> torch.Tensor:
    """Each row counts alike, however long its answer, as in the run; Transformers' own loss counts each token alike."""
    logits, targets = outputs.logits[:, :-1].float(), labels[:, 1:]
    losses = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none", ignore_index=IGNORED)
    row_means = losses.view_as(targets).sum(1) / (targets != IGNORED).sum(1).clamp(min=1)
    # While training this is one share of an update, and the shares are summed; a validation batch stands for itself.
    return row_means.sum() / (rows_per_step if torch.is_grad_enabled() else len(labels))


def load_model(name: str, quantization: BitsAndBytesConfig | None) -> PreTrainedModel:
    """The base model, quantised unless `quantization` is None."""
    has_gpu = torch.cuda.is_available()
    if quantization is not None and not has_gpu:
        # On a CPU, bitsandbytes (0.50) packs weights at an evaluation, and no gradient flows through them any more.
        sys.exit("4 bits need a GPU, and none is found; leave them: --no-4bit")
    if quantization is not None and find_spec("bitsandbytes") is None:
        sys.exit("4 bits need bitsandbytes: pip install bitsandbytes, or leave them: --no-4bit")
    return AutoModelForCausalLM.from_pretrained(
        name,
        dtype=torch.bfloat16 if has_gpu else torch.float32,
        quantization_config=quantization,
        device_map={"": 0} if has_gpu else None,
    )


def empty_model(name: str) -> PreTrainedModel:
    """The layers of the base model without their weights."""
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(name))


def with_adapter(base: PreTrainedModel, lora: LoraConfig) -> PeftModel:
    """The base model, frozen, with a new adapter in 32 bits.

    PEFT's `prepare_model_for_kbit_training` is not called: it turns what is not quantised, such as lm_head and fused
    experts, into 32 bits, which takes twice their memory and is not needed where gradients flow through bfloat16.
    """
    base.config.use_cache = False
    linear = sorted({name.rpartition(".")[2] for name, layer in base.named_modules() if isinstance(layer, Linear)})
    model = get_peft_model(base, lora, low_cpu_mem_usage=base.device.type == "meta")
    found = {name.rpartition(".")[2] for name in model.targeted_module_names}
    if missing := sorted(set(lora.target_modules) - found):
        sys.exit(f"the model has no layers {', '.join(missing)}; its linear layers: {', '.join(linear)}")
    # Or each checkpoint would hold the whole unembedding of the base beside the LoRA on it.
    model.save_pretrained = functools.partial(model.save_pretrained, save_embedding_layers=False)
    return model


def train(trainer: Trainer, output: Path) -> None:
    """Train, from the last checkpoint where there is one, and measure at the end."""
    last = get_last_checkpoint(str(output)) if output.is_dir() else None
    if last is not None:
        say(f"resuming from {last}")
    trainer.train(resume_from_checkpoint=last)
    measured = [row for row in trainer.state.log_history if "eval_loss" in row]
    if trainer.eval_dataset and (not measured or measured[-1]["step"] < trainer.state.global_step):
        trainer.evaluate()


class Metrics(TrainerCallback):
    """Rows of metrics.jsonl under the names of the run, so that `tcao watch DIRECTORY` shows them."""

    def __init__(self, output: Path) -> None:
        self.file = output / "metrics.jsonl"

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **more: object,
    ) -> None:
        """Append a row and tell a person."""
        values = {name: logs[key] for key, name in NAMES.items() if logs and key in logs}
        if not values:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": state.global_step, **values, "time": time.time()}) + "\n")
        say(f"step {state.global_step}  " + "  ".join(f"{name} {value:.4g}" for name, value in values.items()))


def report(
    model: PeftModel, training: TrainingArguments, rows: list[Row], ordered: list[Row], tokenizer: AutoTokenizer
) -> None:
    """What a dry run found, as JSON: look at `learned`, the text that the first row teaches."""
    batch = collate(ordered[: training.per_device_train_batch_size])
    first = ordered[0]
    learned = [label for label in first["labels"] if label != IGNORED]
    print(
        json.dumps(
            {
                "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
                "adapted_layers": len(model.targeted_module_names),
                "rows": len(rows),
                "steps": training.max_steps,
                "batch_shape": list(batch["input_ids"].shape),
                "batch_loss_tokens": int((batch["labels"] != IGNORED).sum()),
                "text": tokenizer.decode(first["input_ids"]),
                "learned": tokenizer.decode(learned),
            },
            indent=2,
            ensure_ascii=False,
        )
    )


def say(text: str) -> None:
    """Progress goes to stderr; stdout is for the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        say("interrupted; run it again to go on from the last checkpoint")
        sys.exit(130)
