"""The committed tiny model is loadable, speaks the cookbook's chat format and is what its build script makes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest
import torch
from tinker_cookbook.renderers import Message, Renderer, TrainOnWhat, get_renderer
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from tcao_tui.engine.tiny_model import build
from tcao_tui.engine.tiny_model.corpus import conversations, render
from tcao_tui.paths import TINY_MODEL

CONVERSATION: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "  Grüße, 42 parcels\n\nare late! "},
    {"role": "assistant", "content": "I will pass this on to shipping."},
    {"role": "user", "content": "What is 3 + 4?"},
]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return AutoTokenizer.from_pretrained(TINY_MODEL)


@pytest.fixture(scope="module")
def renderer(tokenizer: PreTrainedTokenizerFast) -> Renderer:
    return get_renderer("qwen3_instruct", tokenizer)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "plain",
        "  two  spaces ,and punctuation .",
        "héllo wörld ÿ",
        "日本語 🙂",
        "\x00\x7f\r\n\t\n",
        "<think>a</think>",
        "<|im_start|>user\n1234567890<|im_end|>",
        "".join(map(chr, range(0x20, 0x250))),
    ],
)
def test_any_text_survives_encoding_and_decoding(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_block_tokens_stay_in_decoded_text_and_framing_does_not(tokenizer: PreTrainedTokenizerFast) -> None:
    tokens = tokenizer.encode("<think>x</think><tool_call>{}</tool_call><|im_end|>")
    assert len(tokens) == 8
    assert tokenizer.decode(tokens, skip_special_tokens=True) == "<think>x</think><tool_call>{}</tool_call>"


def test_generation_prompt_of_the_cookbook_equals_the_chat_template(
    tokenizer: PreTrainedTokenizerFast, renderer: Renderer
) -> None:
    rendered = renderer.build_generation_prompt(CONVERSATION).to_ints()
    assert rendered == tokenizer.apply_chat_template(CONVERSATION, add_generation_prompt=True, return_dict=False)


def test_training_example_of_the_cookbook_equals_the_chat_template(
    tokenizer: PreTrainedTokenizerFast, renderer: Renderer
) -> None:
    whole: list[Message] = [*CONVERSATION, {"role": "assistant", "content": "7"}]
    rendered, weights = renderer.build_supervised_example(whole, train_on_what=TrainOnWhat.LAST_ASSISTANT_MESSAGE)
    template = tokenizer.apply_chat_template(whole, return_dict=False)
    # The template ends with a line break that the model never has to write.
    assert tokenizer.decode(template[-1:]) == "\n"
    assert rendered.to_ints() == template[:-1]
    assert tokenizer.decode([t for t, w in zip(rendered.to_ints(), weights, strict=True) if w]) == "7<|im_end|>"


def test_tool_conversations_of_the_cookbook_equal_the_chat_template(
    tokenizer: PreTrainedTokenizerFast, renderer: Renderer
) -> None:
    call = {"type": "function", "id": "1", "function": {"name": "add", "arguments": '{"a": 1}'}}
    tail = [{"role": "tool", "content": "2", "tool_call_id": "1", "name": "add"}]
    told = [{"role": "user", "content": "Add."}, {"role": "assistant", "content": "Yes.", "tool_calls": [call]}, *tail]
    schema = {"name": "add", "description": "adds", "parameters": {"type": "object", "properties": {}}}
    prefix = renderer.create_conversation_prefix_with_tools([schema])
    parsed = renderer.parse_response(
        tokenizer.encode('<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call><|im_end|>')
    )
    told_to_cookbook = [told[0], {**told[1], "tool_calls": parsed[0]["tool_calls"]}, *tail]
    template = tokenizer.apply_chat_template(
        told, tools=[{"type": "function", "function": schema}], add_generation_prompt=True, return_dict=False
    )
    rendered = renderer.build_generation_prompt([*prefix, *told_to_cookbook])
    assert tokenizer.decode(rendered.to_ints()) == tokenizer.decode(template)


def test_pre_training_text_is_in_the_format_of_the_renderer(
    tokenizer: PreTrainedTokenizerFast, renderer: Renderer
) -> None:
    for conversation in conversations(seed=1, count=50):
        system, turns = conversation
        messages: list[Message] = [{"role": "system", "content": system}] if system else []
        for request, answer in turns:
            messages += [{"role": "user", "content": request}, {"role": "assistant", "content": answer}]
        rendered, _ = renderer.build_supervised_example(messages)
        ours = [token for turn in render(conversation) for text in turn for token in tokenizer.encode(text)]
        assert ours == rendered.to_ints()


def test_weights_were_built_from_the_present_recipe_and_corpus() -> None:
    record = json.loads((TINY_MODEL / "BUILD.json").read_text("utf-8"))
    assert record["recipe"] == build.asdict(build.Recipe())
    assert record["corpus_sha256"] == build.corpus_sha256(build.Recipe())
    weights = (TINY_MODEL / "model.safetensors").read_bytes()
    assert record["weights_sha256"] == hashlib.sha256(weights).hexdigest()


def test_committed_tokenizer_is_the_one_the_corpus_gives(tokenizer: PreTrainedTokenizerFast) -> None:
    rebuilt = build.corpus_tokenizer(build.Recipe())
    assert json.loads(rebuilt.backend_tokenizer.to_str()) == json.loads(tokenizer.backend_tokenizer.to_str())


def test_model_directory_stays_small_and_loads_in_float32() -> None:
    assert sum(path.stat().st_size for path in TINY_MODEL.iterdir()) <= 2_000_000
    model = AutoModelForCausalLM.from_pretrained(TINY_MODEL)
    assert model.dtype == torch.float32
    assert model.config.vocab_size == len(AutoTokenizer.from_pretrained(TINY_MODEL))
    assert model.lm_head.weight is not model.model.embed_tokens.weight
    assert model.config.max_position_embeddings >= 1024


@pytest.fixture
def torch_settings() -> Iterator[None]:
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)


@pytest.mark.usefixtures("torch_settings")
def test_two_builds_give_the_same_weights() -> None:
    recipe = build.Recipe(conversations=300, merge_conversations=200)
    tokenizer = build.corpus_tokenizer(recipe)
    first, first_losses = build.train(recipe, tokenizer)
    second, second_losses = build.train(recipe, tokenizer)
    assert first_losses == second_losses
    assert all(map(torch.equal, first.parameters(), second.parameters()))
