"""Rows through the cookbook's own renderers: tools, calls and thinking arrive at the model, or the row is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tinker_cookbook.renderers import ToolCall, TrainOnWhat, get_renderer
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from tcao_tui.data.rows import ChatRow, Conversation, RowRejected
from tcao_tui.domain.training_config import TrainingConfig
from tcao_tui.methods.rendering import ChatRenderer
from tcao_tui.methods.token_rows import TokenRows

TOOL = {"name": "weather", "description": "Looks out", "parameters": {"type": "object", "properties": {}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
THOUGHT = [{"type": "thinking", "thinking": "ponder"}, {"type": "text", "text": "Yes"}]
ASK = {"role": "user", "content": "Is it warm?"}
WITH_CALL: Conversation = [
    {"role": "system", "content": "be kind"},
    ASK,
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": "30 degrees", "tool_call_id": "c1"},
    {"role": "assistant", "content": "It is warm."},
]


@pytest.fixture(scope="module")
def tokenizer(model_dir: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(model_dir)


def chat_renderer(tokenizer: PreTrainedTokenizerBase, name: str) -> ChatRenderer:
    config = TrainingConfig(
        base_model="random", run_name="r", train_file=Path("x"), learning_rate=1e-3, renderer_name=name
    )
    return ChatRenderer(config, tokenizer)


def text_of(tokenizer: PreTrainedTokenizerBase, renderer: ChatRenderer, row: ChatRow) -> tuple[str, str]:
    """All of a row as the model sees it, and what of it carries loss."""
    tokens, trained = renderer.trained_tokens(row)
    marked = [token for token, is_trained in zip(tokens, trained, strict=True) if is_trained]
    return str(tokenizer.decode(tokens)), str(tokenizer.decode(marked))


@pytest.mark.parametrize("name", ["qwen3_instruct", "qwen3", "qwen3_5"])
def test_tools_calls_and_results_are_written_and_only_the_assistant_is_trained(
    tokenizer: PreTrainedTokenizerBase, name: str
) -> None:
    text, trained = text_of(tokenizer, chat_renderer(tokenizer, name), ChatRow(WITH_CALL, (TOOL,)))
    for part in ("be kind", "Looks out", "<tool_call>", "weather", "Rome", "30 degrees", "It is warm."):
        assert part in text
    assert "Rome" in trained
    assert "It is warm." in trained
    for part in ("be kind", "Looks out", "Is it warm?", "30 degrees"):
        assert part not in trained


def test_tokens_are_those_of_the_cookbook(tokenizer: PreTrainedTokenizerBase) -> None:
    theirs = get_renderer("qwen3_instruct", tokenizer, model_name="random")
    prefix = theirs.create_conversation_prefix_with_tools([TOOL], "be kind")
    messages: list[Any] = [dict(turn) for turn in WITH_CALL[1:]]
    messages[1]["tool_calls"] = [ToolCall.model_validate(CALL)]
    expected, weights = theirs.build_supervised_example([*prefix, *messages], TrainOnWhat.ALL_ASSISTANT_MESSAGES)
    tokens, trained = chat_renderer(tokenizer, "qwen3_instruct").trained_tokens(ChatRow(WITH_CALL, (TOOL,)))
    assert tokens == expected.to_ints()
    assert trained == (weights > 0).tolist()


def test_a_renderer_that_names_the_function_of_a_result_is_told_it(tokenizer: PreTrainedTokenizerBase) -> None:
    text, _ = text_of(tokenizer, chat_renderer(tokenizer, "gpt_oss_no_sysprompt"), ChatRow(WITH_CALL))
    assert "functions.weather to=assistant" in text


def test_a_renderer_that_writes_ids_only_gets_ids_that_name_the_function(tokenizer: PreTrainedTokenizerBase) -> None:
    text, trained = text_of(tokenizer, chat_renderer(tokenizer, "kimi_k2"), ChatRow(WITH_CALL * 2))
    assert "functions.weather:0" in trained
    assert "## Return of functions.weather:0" in text
    assert "## Return of functions.weather:1" in text


@pytest.mark.parametrize("name", ["role_colon", "llama3"])
def test_what_a_renderer_does_not_know_is_refused_and_never_left_out(
    tokenizer: PreTrainedTokenizerBase, name: str
) -> None:
    renderer = chat_renderer(tokenizer, name)
    with pytest.raises(RowRejected, match="leaves tool calls out"):
        renderer.trained_tokens(ChatRow(WITH_CALL))
    with pytest.raises(RowRejected, match="refuses the row"):
        renderer.trained_tokens(ChatRow([ASK, {"role": "assistant", "content": "x"}], (TOOL,)))
    with pytest.raises(RowRejected, match="refuses the row"):
        renderer.trained_tokens(ChatRow([ASK, {"role": "assistant", "content": THOUGHT}]))
    renderer.trained_tokens(ChatRow([ASK, {"role": "assistant", "content": "x"}]))


@pytest.mark.parametrize("name", ["qwen3", "qwen3_instruct", "nemotron3"])
def test_thinking_in_the_last_turn_is_written_and_trained(tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    row = ChatRow([ASK, {"role": "assistant", "content": THOUGHT}])
    _, trained = text_of(tokenizer, chat_renderer(tokenizer, name), row)
    assert "ponder" in trained
    assert "Yes" in trained


@pytest.mark.parametrize(
    ("name", "in_history", "before_a_call"),
    [("qwen3", 1, 1), ("qwen3_5", 1, 1), ("qwen3_5_preserve_thinking", 0, 0), ("kimi_k2", 1, 0)],
)
def test_thinking_that_a_template_leaves_out_of_earlier_turns_is_counted(
    tokenizer: PreTrainedTokenizerBase, name: str, in_history: int, before_a_call: int
) -> None:
    renderer = chat_renderer(tokenizer, name)
    thoughtful = {"role": "assistant", "content": THOUGHT}
    last = {"role": "assistant", "content": "x"}
    result = {"role": "tool", "content": "1", "tool_call_id": "c1"}
    for conversation, expected in (
        ([ASK, thoughtful], 0),
        ([ASK, thoughtful, ASK, last], in_history),
        ([ASK, {**thoughtful, "tool_calls": [CALL]}, result, last], before_a_call),
    ):
        rows = TokenRows(4096)
        renderer.add_row(ChatRow(conversation), rows)
        assert rows.thinking_left_out == expected
        assert ("ponder" in text_of(tokenizer, renderer, ChatRow(conversation))[0]) == (not expected)


def test_a_prompt_offers_the_tools_of_its_row(tokenizer: PreTrainedTokenizerBase) -> None:
    prompt = chat_renderer(tokenizer, "qwen3_instruct").prompt(WITH_CALL[:4], (TOOL,))
    text = str(tokenizer.decode(prompt.to_ints()))
    assert "Looks out" in text
    assert text.endswith("<|im_start|>assistant\n")
    with pytest.raises(RowRejected, match="it knows no tools"):
        chat_renderer(tokenizer, "llama3").prompt([ASK], (TOOL,))
