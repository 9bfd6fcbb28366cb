"""A short LoRA fine-tuning with plain torch and PEFT teaches the tiny model the demo task.

This is the proof that the demo rests on: same data, format, batch size, rank and rate as `templates/demo-plan.yaml`,
with neither the engine nor the SDK in between.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from tinker_cookbook.renderers import Renderer, get_renderer
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast, Qwen3ForCausalLM

from tcao_tui.engine.tiny_model.build import IGNORED
from tcao_tui.paths import TINY_MODEL, templates_dir

RANK = 32
LEARNING_RATE = 2e-3
STEPS = 80
BATCH_ROWS = 32
SCORED_ROWS = 50
ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
MLP = ("gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class Kit:
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    renderer: Renderer


@pytest.fixture
def kit() -> Kit:
    tokenizer = AutoTokenizer.from_pretrained(TINY_MODEL)
    model = Qwen3ForCausalLM.from_pretrained(TINY_MODEL, dtype=torch.float32)
    return Kit(model, tokenizer, get_renderer("qwen3_instruct", tokenizer))


def rows(name: str) -> list[dict[str, str]]:
    lines = Path(templates_dir() / "demo" / name).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@torch.no_grad()
def answers(kit: Kit, model: PreTrainedModel | PeftModel, requests: list[str]) -> list[str]:
    prompts = [kit.renderer.build_generation_prompt([{"role": "user", "content": text}]).to_ints() for text in requests]
    batch = kit.tokenizer.pad({"input_ids": prompts}, padding_side="left", return_tensors="pt")
    model.eval()
    whole = model.generate(**batch, max_new_tokens=48, do_sample=False)
    return kit.tokenizer.batch_decode(whole[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)


def exact_match(kit: Kit, model: PreTrainedModel | PeftModel) -> float:
    scored = rows("test.jsonl")[:SCORED_ROWS]
    said = answers(kit, model, [row["input"] for row in scored])
    return sum(one == row["output"] for one, row in zip(said, scored, strict=True)) / len(scored)


def batch_of(kit: Kit, chosen: list[dict[str, str]]) -> tuple[torch.Tensor, torch.Tensor]:
    examples: list[tuple[list[int], list[int]]] = []
    for row in chosen:
        turns = [{"role": "user", "content": row["input"]}, {"role": "assistant", "content": row["output"]}]
        rendered, weights = kit.renderer.build_supervised_example(turns)
        tokens = rendered.to_ints()
        labels = [token if weight else IGNORED for token, weight in zip(tokens, weights, strict=True)]
        examples.append((tokens, labels))
    longest = max(len(tokens) for tokens, _ in examples)
    pad = kit.tokenizer.pad_token_id
    ids = torch.tensor([tokens + [pad] * (longest - len(tokens)) for tokens, _ in examples])
    return ids, torch.tensor([labels + [IGNORED] * (longest - len(labels)) for _, labels in examples])


def fine_tune(kit: Kit, targets: tuple[str, ...], steps: int) -> tuple[PeftModel, list[float]]:
    torch.manual_seed(0)
    config = LoraConfig(r=RANK, lora_alpha=32, target_modules=list(targets))
    model = get_peft_model(kit.model, config).train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=LEARNING_RATE, betas=(0.9, 0.95), eps=1e-12)
    train = rows("train.jsonl")
    random.Random(0).shuffle(train)
    losses: list[float] = []
    for step in range(steps):
        start = step * BATCH_ROWS % (len(train) - BATCH_ROWS + 1)
        ids, labels = batch_of(kit, train[start : start + BATCH_ROWS])
        logits = model(input_ids=ids).logits[:, :-1]
        targets_flat = labels[:, 1:].flatten()
        # A sum over tokens, as Tinker's cross_entropy is.
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), targets_flat, reduction="sum", ignore_index=IGNORED
        )
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item() / int((targets_flat != IGNORED).sum()))
    return model, losses


def test_base_model_answers_small_requests_in_plain_words(kit: Kit) -> None:
    said = answers(kit, kit.model, ["Hello!", "What colour is grass?", "Which day comes after Monday?"])
    assert said == ["Hello! How can I help you?", "Grass is green.", "Tuesday comes after Monday."]


def test_base_model_knows_the_team_but_not_the_format(kit: Kit) -> None:
    said = answers(kit, kit.model, ["I was charged twice for my Lumen lamp.", "Where is my order 4711?"])
    assert "billing" in said[0]
    assert "shipping" in said[1]
    assert not any("{" in answer for answer in said)


@pytest.mark.slow
def test_eighty_lora_steps_lift_exact_match_from_nothing_to_above_ninety_percent(kit: Kit) -> None:
    before = exact_match(kit, kit.model)
    model, losses = fine_tune(kit, (*ATTENTION, *MLP, "lm_head"), STEPS)
    assert before < 0.1
    assert losses[-1] < losses[0] / 10
    assert exact_match(kit, model) > 0.9


@pytest.mark.parametrize(
    "targets",
    [
        pytest.param(ATTENTION, marks=pytest.mark.slow),
        pytest.param(MLP, marks=pytest.mark.slow),
        ("lm_head",),
    ],
)
def test_each_part_can_be_adapted_alone(kit: Kit, targets: tuple[str, ...]) -> None:
    _, losses = fine_tune(kit, targets, 5)
    assert losses[-1] < losses[0]
