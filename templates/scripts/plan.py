"""What the scripts beside this one read: the plan, its rows as conversations, tokenizer and renderer of its model.

The plan lies in the directory above: plan.yaml, and training-config.yaml with everything that training needs; or
qlora-config.yaml, whose section `data` has the same keys.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from tinker_cookbook import model_info, renderers
from tinker_cookbook.renderers import Message, Renderer, ToolCall, ToolSpec
from tinker_cookbook.tokenizer_utils import Tokenizer, get_tokenizer

if TYPE_CHECKING:
    import tinker

PLAN_DIR = Path(__file__).resolve().parents[1]

Values = dict[str, Any]
Conversation = list[Message]

PROMPTS = ("prompt", "question", "instruction", "input", "query")
SHAREGPT_KEYS = {"from": "role", "value": "content"}
ROLES = {
    "developer": "system",
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "function": "tool",
    "observation": "tool",
}


def read_yaml(path: Path) -> Values:
    """A plan or a config; numbers such as 1e-4, which YAML 1.1 takes for text, become numbers."""
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    for key in ("learning_rate", "weight_decay", "adam_eps"):
        if isinstance(values.get(key), str):
            values[key] = float(values[key])
    return values


def load_tokenizer(model_name: str, training_client: Callable[[], tinker.TrainingClient]) -> Tokenizer:
    """By name where the cookbook knows the model; else a training client is asked, which has it from the server."""
    try:
        model_info.get_model_attributes(model_name)
    except (ValueError, KeyError):
        return training_client().get_tokenizer()
    return get_tokenizer(model_name)


def load_renderer(config: Values, tokenizer: Tokenizer) -> Renderer:
    """Turns conversations into tokens and back; the wrong one trains a format that is never sampled."""
    model = config["base_model"]
    try:
        name = config["renderer_name"] or model_info.get_recommended_renderer_name(model)
    except (ValueError, KeyError):
        sys.exit(f"the cookbook recommends no renderer for {model}: set renderer_name in training-config.yaml")
    return renderers.get_renderer(name, tokenizer, model_name=model)


def conversations(path: Path, config: Values, renderer: Renderer) -> Iterator[Conversation]:
    """The turns of each row, the tools that it offers written as this model expects them."""
    for number, row in enumerate(read_rows(path), 1):
        try:
            turns = conversation(row, config)
            tools = row.get("tools") or row.get("functions")
            yield with_tools(turns, tools, renderer) if tools else turns
        except (KeyError, TypeError, ValueError) as error:
            sys.exit(f"{path}, row {number}: {error!r}; it has: {', '.join(map(repr, row))}")


def read_rows(path: Path) -> list[Values]:
    """Rows of a JSONL, JSON, CSV, TSV or Parquet file; gz is unpacked."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        import pyarrow.parquet

        return pyarrow.parquet.read_table(path).to_pylist()
    if path.suffix == ".zst":
        sys.exit(f"{path}: unpack it first: zstd -d")
    unpack = gzip.open if path.suffix == ".gz" else open
    with unpack(path, "rt", encoding="utf-8-sig", newline="") as file:
        if name.endswith((".csv", ".tsv")):
            return list(csv.DictReader(file, delimiter="\t" if name.endswith(".tsv") else ","))
        if name.endswith(".json"):
            return json.load(file)
        return [json.loads(line) for line in file if line.strip()]


def conversation(row: Values, config: Values) -> Conversation:
    """A row as turns, read as `data_format` says; without one, by the columns that it has."""
    prompt, answer, better = config["input_field"], config["output_field"], config["chosen_field"]
    is_whole = "messages" in row or (isinstance(row.get(prompt), list) and answer not in row)
    match config["data_format"] or ("messages" if is_whole else "input_output"):
        case "input_output" | "problem":
            found = [*turns_of(column(row, prompt), "user"), *turns_of(column(row, answer), "assistant")]
        case "messages" | "sharegpt":
            found = turns_of(row[prompt if prompt in row else "messages"], "user")
        case "alpaca":
            parts = [row[prompt], *(row[name] for name in ("input", "context") if row.get(name))]
            found = [*turns_of("\n\n".join(parts), "user"), *turns_of(row[answer], "assistant")]
        case "preference":  # of the two answers, the better one is imitated
            asked = turns_of(
                next((row[name] for name in (prompt, *PROMPTS) if name in row and name != better), []), "user"
            )
            answered = turns_of(row[better], "assistant")
            found = answered if answered[: len(asked)] == asked else [*asked, *answered]
        case other:
            sys.exit(f"these scripts cannot imitate rows of format {other}: write them as {{'messages': [...]}} first")
    system = row.get("system") or row.get("system_prompt")
    return [Message(role="system", content=system), *found] if system and found[0]["role"] != "system" else found


def column(row: Values, name: str) -> object:
    """The column of this name, or what a dotted name such as `reward_model.ground_truth` leads to."""
    if name in row or "." not in name:
        return row[name]
    first, _, rest = name.partition(".")
    return column(row[first], rest)


def turns_of(value: object, role: str) -> Conversation:
    """A column that holds turns, in CSV as JSON text, or else one turn of `role`."""
    if isinstance(value, str) and value.startswith("[{") and ('"role"' in value[:200] or '"from"' in value[:200]):
        value = json.loads(value)
    if isinstance(value, list):
        return [message(turn) for turn in value]
    return [Message(role=role, content=value if isinstance(value, str) else json.dumps(value))]


def message(turn: Values) -> Message:
    """One turn, in the spelling of OpenAI or of ShareGPT."""
    found = {SHAREGPT_KEYS.get(key, key): value for key, value in turn.items() if value is not None}
    if found["role"] == "function_call":
        found = {"role": "assistant", "tool_calls": [json.loads(found["content"])]}
    found["role"] = ROLES.get(found["role"], found["role"])
    found.setdefault("content", "")
    for key in ("thinking", "reasoning_content", "reasoning"):
        if thinking := found.pop(key, None):
            parts = [{"type": "thinking", "thinking": thinking}, {"type": "text", "text": found["content"]}]
            found["content"] = parts
    if "tool_calls" in found:
        found["tool_calls"] = [tool_call(call) for call in found["tool_calls"]]
    return Message(**found)


def tool_call(call: Values) -> ToolCall:
    """A call of a tool; its arguments are JSON text."""
    function = call.get("function", call)
    arguments = function.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolCall(id=call.get("id"), function=ToolCall.FunctionBody(name=function["name"], arguments=text))


def with_tools(turns: Conversation, tools: str | list[Values], renderer: Renderer) -> Conversation:
    """The conversation, with the tools that it offers described in front."""
    functions = [tool.get("function", tool) for tool in (json.loads(tools) if isinstance(tools, str) else tools)]
    specs = [
        ToolSpec(
            name=function["name"],
            description=function.get("description") or "",
            parameters=function.get("parameters") or {"type": "object", "properties": {}},
        )
        for function in functions
    ]
    # Some chat formats write the name of the tool whose result a turn holds.
    names = {call.id: call.function.name for turn in turns for call in turn.get("tool_calls", ()) if call.id}
    turns = [
        {"name": names[turn["tool_call_id"]], **turn} if turn.get("tool_call_id") in names else turn for turn in turns
    ]
    has_system = turns[0]["role"] == "system"
    prefix = renderer.create_conversation_prefix_with_tools(specs, turns[0]["content"] if has_system else "")
    return [*prefix, *turns[has_system:]]
