"""Pre-trains the tiny model: `python -m tcao_tui.engine.tiny_model.build [--out DIR] [--conversations N]`.

Everything is seeded and runs on one thread (which is also the quickest on a busy machine), so the same versions on
the same kind of processor give the same weights; `BUILD.json` beside them records what they were made from.
Takes minutes. Fine-tuning is out of scope.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import platform
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import batched
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import GenerationConfig, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from tcao_tui.engine.tiny_model.corpus import Conversation, conversations, render
from tcao_tui.engine.tiny_model.tokenizer import CONTEXT_TOKENS, TEXT_END, TURN_END, build_tokenizer, learn_merges
from tcao_tui.paths import TINY_MODEL

IGNORED = -100
"""Label of padding, as in `torch.nn.functional.cross_entropy`."""


@dataclass(frozen=True)
class Recipe:
    """How the weights are made; the learning rate falls from its peak to a tenth along a cosine.

    Attributes:
        prompt_weight: Weight of a request's tokens against 1 for an answer's; reading is learned from both.
        row_tokens: Length of a row, into which whole conversations are packed.
    """

    seed: int = 20261123
    conversations: int = 60_000
    merge_conversations: int = 10_000
    rows: int = 16
    row_tokens: int = 192
    peak_learning_rate: float = 4e-3
    warmup_steps: int = 60
    weight_decay: float = 0.02
    prompt_weight: float = 0.1
    threads: int = 1


@dataclass(frozen=True)
class Batch:
    """Token ids and their loss weights, both (rows, tokens); padding has weight 0."""

    ids: torch.Tensor
    weights: torch.Tensor


def model_config(tokenizer: PreTrainedTokenizerFast) -> Qwen3Config:
    """About 0.6 million parameters; embedding and output are apart, so that either can be adapted alone."""
    return Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        initializer_range=0.06,
        max_position_embeddings=CONTEXT_TOKENS,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=tokenizer.get_vocab()[TURN_END],
        pad_token_id=tokenizer.get_vocab()[TEXT_END],
    )


def corpus_tokenizer(recipe: Recipe) -> PreTrainedTokenizerFast:
    """The tokenizer whose merges are learned from the first conversations that `recipe` reads."""
    first = conversations(recipe.seed, recipe.merge_conversations)
    turns = (turn for _, turns in first for turn in turns)
    return build_tokenizer(learn_merges(text for turn in turns for text in ("user", "assistant", "system", *turn)))


def corpus_sha256(recipe: Recipe) -> str:
    """Fingerprint of every text that `recipe` reads, in order."""
    digest = hashlib.sha256()
    for conversation in conversations(recipe.seed, recipe.conversations):
        for prompt, answer in render(conversation):
            digest.update(f"{prompt}{answer}\0".encode())
    return digest.hexdigest()


Row = list[tuple[int, float]]
"""Token ids with their loss weights."""


def batches(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> Iterator[Batch]:
    """The batches of one training: whole conversations, as many as fit into each row."""
    every = conversations(recipe.seed, recipe.conversations)
    separator = (tokenizer.get_vocab()[TEXT_END], 0.0)
    rows = _packed(([*_encoded(recipe, tokenizer, one), separator] for one in every), recipe.row_tokens)
    for group in batched(rows, recipe.rows):
        padded = [row + [separator] * (recipe.row_tokens - len(row)) for row in group]
        table = torch.tensor(padded, dtype=torch.float64)
        yield Batch(table[..., 0].long(), table[..., 1].float())


def _encoded(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, conversation: Conversation) -> Row:
    row: Row = []
    for prompt, answer in render(conversation):
        row += [(token, recipe.prompt_weight) for token in tokenizer.encode(prompt)]
        row += [(token, 1.0) for token in tokenizer.encode(answer)]
    return row


def _packed(rows: Iterable[Row], row_tokens: int) -> Iterator[Row]:
    packed: Row = []
    for row in rows:
        if packed and len(packed) + len(row) > row_tokens:
            yield packed
            packed = []
        packed = (packed + row)[:row_tokens]
    yield packed


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Linear warm-up, then a cosine down to a tenth of the peak."""
    if step < recipe.warmup_steps:
        return recipe.peak_learning_rate * (step + 1) / recipe.warmup_steps
    done = (step - recipe.warmup_steps) / max(1, steps - recipe.warmup_steps)
    return recipe.peak_learning_rate * (0.1 + 0.45 * (1 + math.cos(math.pi * done)))


def train(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> tuple[Qwen3ForCausalLM, list[float]]:
    """The pre-trained model in float32, and the weighted mean loss (nats per token) of each step."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    torch.use_deterministic_algorithms(True)
    model = Qwen3ForCausalLM(model_config(tokenizer)).train()
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.peak_learning_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay
    )
    losses: list[float] = []
    started = time.monotonic()
    every = list(batches(recipe, tokenizer))
    for step, batch in enumerate(every):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(recipe, step, len(every))
        losses.append(_step(model, optimizer, batch))
        if step % 50 == 0 or step == len(every) - 1:
            print(f"step {step + 1}/{len(every)} loss {losses[-1]:.3f} {time.monotonic() - started:.0f} s", flush=True)
    return model, losses


def _step(model: Qwen3ForCausalLM, optimizer: torch.optim.Optimizer, batch: Batch) -> float:
    logits = model(input_ids=batch.ids).logits[:, :-1]
    weights = batch.weights[:, 1:].flatten()
    token_losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.ids[:, 1:].flatten(), reduction="none")
    loss = (token_losses * weights).sum() / weights.sum()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def save(model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """Writes the Hugging Face layout: stored as float16 to stay small, declared float32 so that loading widens it."""
    model.generation_config = GenerationConfig(
        do_sample=True, eos_token_id=tokenizer.get_vocab()[TURN_END], pad_token_id=tokenizer.get_vocab()[TEXT_END]
    )
    model.half().save_pretrained(out)
    model.config.dtype = torch.float32
    model.config.save_pretrained(out)
    tokenizer.save_pretrained(out, save_jinja_files=False)


def build_record(recipe: Recipe, losses: list[float], model: Qwen3ForCausalLM, weights: Path) -> dict[str, Any]:
    """What `BUILD.json` says; holds nothing of the machine but its kind of processor."""
    return {
        "recipe": asdict(recipe),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps": len(losses),
        "final_loss": round(sum(losses[-50:]) / len(losses[-50:]), 4),
        "corpus_sha256": corpus_sha256(recipe),
        "weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
        "machine": platform.machine(),
    }


def main(arguments: list[str] | None = None) -> int:
    """Builds the model into `--out`."""
    parser = argparse.ArgumentParser(prog="python -m tcao_tui.engine.tiny_model.build", description=__doc__)
    parser.add_argument("--out", type=Path, default=TINY_MODEL, help="directory to write")
    parser.add_argument("--conversations", type=int, default=Recipe.conversations, help="fewer are quick and worse")
    options = parser.parse_args(arguments)
    recipe = Recipe(conversations=options.conversations)
    tokenizer = corpus_tokenizer(recipe)
    model, losses = train(recipe, tokenizer)
    save(model, tokenizer, options.out)
    record = build_record(recipe, losses, model, options.out / "model.safetensors")
    (options.out / "BUILD.json").write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    print(f"{record['parameters']} parameters, loss {record['final_loss']}, written to {options.out.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
