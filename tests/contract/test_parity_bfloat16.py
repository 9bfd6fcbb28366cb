"""What the parity proof lets pass and what it catches when one side computes in bfloat16, on the included model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from tcao_tui import paths
from tcao_tui.domain.parity import ANSWER_TOKENS, INCLUDED_PROMPTS, Answered, Parity, compare, tolerance_for
from tcao_tui.probes.parity import _measure

TEXT = "<|im_start|>user\nWhat is it?<|im_end|>\n<|im_start|>assistant\nIt is a lamp, and it shines.<|im_end|>"
LAYERS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head"]
STEPS, LEARNING_RATE = 12, 0.002

type Weights = dict[str, torch.Tensor]


class Backend(NamedTuple):
    """A LoRA that has learned one sentence a little, and its own answers in float32."""

    model: Any
    weights: Weights
    answers: list[Answered]


@pytest.fixture(scope="module")
def backend() -> Backend:
    torch.manual_seed(1)
    tokenizer = AutoTokenizer.from_pretrained(paths.TINY_MODEL)
    base = AutoModelForCausalLM.from_pretrained(paths.TINY_MODEL, dtype=torch.float32)
    model: Any = get_peft_model(
        base, LoraConfig(r=8, lora_alpha=32, target_modules=LAYERS, task_type="CAUSAL_LM")
    ).train()
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=LEARNING_RATE)
    tokens = torch.tensor([tokenizer.encode(TEXT)])
    for _ in range(STEPS):
        model(tokens, labels=tokens).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    model.eval()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    return Backend(model, weights, [answered(model, tokenizer, prompt) for prompt in INCLUDED_PROMPTS])


def answered(model: Any, tokenizer: Any, text: str) -> Answered:
    prompt = tokenizer.encode(f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n")
    with torch.inference_mode():
        both = model.generate(
            torch.tensor([prompt]), max_new_tokens=ANSWER_TOKENS, do_sample=False, pad_token_id=tokenizer.pad_token_id
        )[0].tolist()
    logprobs = _measure(model, tuple(both)).logprobs
    words = tuple(tokenizer.decode([token]) for token in both)
    return Answered(text=text, tokens=tuple(both), prompt_tokens=len(prompt), logprobs=(None, *logprobs), words=words)


def proved(backend: Backend, damage: Callable[[Weights], None], dtype: torch.dtype = torch.bfloat16) -> Parity:
    """The proof of an export that computes in `dtype`, its weights damaged before."""
    weights = {name: value.clone() for name, value in backend.weights.items()}
    damage(weights)
    backend.model.to(torch.float32).load_state_dict(weights)
    backend.model.to(dtype)
    measured = [_measure(backend.model, answer.tokens) for answer in backend.answers]
    return compare(backend.answers, measured, tolerance_for(str(dtype).removeprefix("torch.")))


def names(weights: Weights, part: str) -> list[str]:
    return [name for name in weights if part in name]


def nothing(_weights: Weights) -> None:
    pass


def one_wrong_matrix(weights: Weights) -> None:
    name = names(weights, "q_proj.lora_B")[0]
    weights[name] = -weights[name]


def one_lost_matrix(weights: Weights) -> None:
    weights[names(weights, "o_proj.lora_B")[-1]].zero_()


def two_layers_swapped(weights: Weights) -> None:
    first, second = names(weights, "v_proj.lora_B")[:2]
    weights[first], weights[second] = weights[second], weights[first]


def scaled_by_its_rank(weights: Weights) -> None:
    for name in names(weights, "lora_B"):
        weights[name] *= 2


def lost_unembedding(weights: Weights) -> None:
    for name in names(weights, "lm_head.lora_B"):
        weights[name].zero_()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_rounding_alone_passes_with_room(backend: Backend, dtype: torch.dtype) -> None:
    found = proved(backend, nothing, dtype)
    assert found.ready_to_serve, found.failures
    # Both sides may round: sqrt(2) times what one of them does.
    assert 1.4 * found.mean_nats < found.tolerance.mean_nats
    assert 1.4 * found.max_nats < found.tolerance.max_nats


@pytest.mark.parametrize(
    "damage", [one_wrong_matrix, one_lost_matrix, two_layers_swapped, scaled_by_its_rank, lost_unembedding]
)
def test_what_rounding_does_not_explain_is_caught_in_bfloat16_too(
    backend: Backend, damage: Callable[[Weights], None]
) -> None:
    found = proved(backend, damage)
    assert not found.ready_to_serve
    assert found.max_nats > found.tolerance.max_nats
    assert found.mean_nats > found.tolerance.mean_nats
