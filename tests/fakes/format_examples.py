"""Rows of every data format: how each is mapped, and what it is read as."""

from __future__ import annotations

import json
from typing import Any

from tcao_tui.data.rows import ChatRow, PreferenceRow, ProblemRow, PromptRow, Row

type Example = tuple[dict[str, Any], dict[str, str], Row]


def turns(*contents: Any, roles: tuple[str, ...] = ("user", "assistant")) -> list[dict[str, Any]]:
    return [{"role": roles[index % len(roles)], "content": content} for index, content in enumerate(contents)]


def answer(content: Any) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": content}]


CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
TOOL = {"name": "weather", "description": "Looks out of the window", "parameters": {"type": "object", "properties": {}}}
WITH_TOOLS = [
    {"role": "user", "content": "Is it warm?"},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": "30", "tool_call_id": "c1", "name": "weather"},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "30 is warm"}, {"type": "text", "text": "Yes"}]},
]
SYSTEM = {"role": "system", "content": "be kind"}
PAIR = PreferenceRow(turns("q"), answer("good"), answer("bad"))

EXAMPLES: dict[str, list[Example]] = {
    "input_output": [
        ({"input": "q", "output": "a"}, {}, ChatRow(turns("q", "a"))),
        (
            {"prompt": "q", "completion": "a"},
            {"input_field": "prompt", "output_field": "completion"},
            ChatRow(turns("q", "a")),
        ),
        (
            {"question": "q", "answer": "a"},
            {"input_field": "question", "output_field": "answer"},
            ChatRow(turns("q", "a")),
        ),
        ({"input": "q", "output": "a", "system": "be kind"}, {}, ChatRow([SYSTEM, *turns("q", "a")])),
        (
            {"prompt": turns("a", "b", "c"), "completion": answer("d")},
            {"input_field": "prompt", "output_field": "completion"},
            ChatRow(turns("a", "b", "c", "d")),
        ),
    ],
    "alpaca": [
        (
            {"instruction": "Add", "input": "1 2", "output": "3"},
            {"input_field": "instruction"},
            ChatRow(turns("Add\n\n1 2", "3")),
        ),
        (
            {"instruction": "Sing", "input": "", "output": "la"},
            {"input_field": "instruction"},
            ChatRow(turns("Sing", "la")),
        ),
        (
            {"instruction": "Who?", "context": "I am Bo.", "response": "Bo", "category": "qa"},
            {"input_field": "instruction", "output_field": "response"},
            ChatRow(turns("Who?\n\nI am Bo.", "Bo")),
        ),
    ],
    "messages": [
        ({"messages": turns("a", "b", "c", "d")}, {"input_field": "messages"}, ChatRow(turns("a", "b", "c", "d"))),
        (
            {
                "messages": [
                    *WITH_TOOLS[:3],
                    {"role": "assistant", "content": "Yes", "reasoning_content": "30 is warm", "refusal": None},
                ],
                "tools": [{"type": "function", "function": TOOL}],
            },
            {"input_field": "messages"},
            ChatRow(WITH_TOOLS, (TOOL,)),
        ),
        (
            {"messages": [{"role": "developer", "content": [{"type": "text", "text": "be kind"}]}, *turns("a", "b")]},
            {"input_field": "messages"},
            ChatRow([SYSTEM, *turns("a", "b")]),
        ),
        ({"messages": turns("a", "b", "c")}, {"input_field": "messages"}, PromptRow(turns("a", "b", "c"))),
        ({"conversation": turns("a", "b")}, {"input_field": "conversation"}, ChatRow(turns("a", "b"))),
    ],
    "sharegpt": [
        (
            {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}], "system": "be kind"},
            {"input_field": "conversations"},
            ChatRow([SYSTEM, *turns("a", "b")]),
        ),
        (
            {
                "conversations": [
                    {"from": "human", "value": "Is it warm?"},
                    {"from": "function_call", "value": '{"name": "weather", "arguments": {}}'},
                    {"from": "observation", "value": "30"},
                    {"from": "gpt", "value": "Yes"},
                ],
                "tools": json.dumps([TOOL]),
            },
            {"input_field": "conversations"},
            ChatRow(
                [
                    {"role": "user", "content": "Is it warm?"},
                    {
                        "role": "assistant",
                        "content": "",
                        "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": "{}"}}],
                    },
                    {"role": "tool", "content": "30"},
                    {"role": "assistant", "content": "Yes"},
                ],
                (TOOL,),
            ),
        ),
    ],
    "preference": [
        ({"prompt": "q", "chosen": "good", "rejected": "bad"}, {"input_field": "prompt"}, PAIR),
        ({"prompt": turns("q"), "chosen": answer("good"), "rejected": answer("bad")}, {"input_field": "prompt"}, PAIR),
        ({"prompt": "q", "chosen": turns("q", "good"), "rejected": turns("q", "bad")}, {"input_field": "prompt"}, PAIR),
        ({"chosen": turns("q", "good"), "rejected": turns("q", "bad")}, {"input_field": "chosen"}, PAIR),
        (
            {
                "chosen": "\n\nHuman: q\n\nAssistant: good",
                "rejected": "\n\nHuman: q\n\nAssistant: bad",
            },
            {"input_field": "chosen"},
            PAIR,
        ),
        (
            {
                "chosen": "\n\nHuman: a\n\nwell\n\nAssistant: b\n\nHuman: c\n\nAssistant: good",
                "rejected": "\n\nHuman: a\n\nwell\n\nAssistant: b\n\nHuman: c\n\nAssistant: bad"
                "\n\nHuman: no\n\nAssistant: ok",
            },
            {"input_field": "chosen"},
            PreferenceRow(turns("a\n\nwell", "b", "c"), answer("good"), [*answer("bad"), *turns("no", "ok")]),
        ),
        (
            {"prompt": "\n\nHuman: q\n\nAssistant:", "chosen": " good", "rejected": " bad"},
            {"input_field": "prompt"},
            PreferenceRow(turns("q"), answer(" good"), answer(" bad")),
        ),
        (
            {
                "input": {"messages": turns("q")},
                "preferred_output": answer("good"),
                "non_preferred_output": answer("bad"),
            },
            {
                "input_field": "input.messages",
                "chosen_field": "preferred_output",
                "rejected_field": "non_preferred_output",
            },
            PAIR,
        ),
    ],
    "scored_completions": [
        (
            {"prompt": "q", "completions": ["bad", "good", "fair"], "scores": [1, 5, 3]},
            {"input_field": "prompt", "output_field": "completions"},
            PAIR,
        ),
        (
            {
                "instruction": "q",
                "completions": [{"response": "good", "overall_score": 8.5}, {"response": "bad", "overall_score": 2}],
            },
            {"input_field": "instruction", "output_field": "completions"},
            PAIR,
        ),
    ],
    "problem": [
        (
            {"problem": "1+1", "answer": "2"},
            {"input_field": "problem", "output_field": "answer"},
            ProblemRow(turns("1+1"), "2"),
        ),
        (
            {"problem": "1/2?", "solution": r"So it is $\boxed{\frac{1}{2}}$.", "level": 1},
            {"input_field": "problem", "output_field": "solution"},
            ProblemRow(turns("1/2?"), r"\frac{1}{2}"),
        ),
        (
            {"question": "1+1", "ground_truth": 2},
            {"input_field": "question", "output_field": "ground_truth"},
            ProblemRow(turns("1+1"), "2"),
        ),
        (
            {"data_source": "x", "prompt": turns("1+1"), "reward_model": {"style": "rule", "ground_truth": "2"}},
            {"input_field": "prompt", "output_field": "reward_model.ground_truth"},
            ProblemRow(turns("1+1"), "2"),
        ),
        (
            {"messages": turns("1+1"), "ground_truth": ["2"]},
            {"input_field": "messages", "output_field": "ground_truth"},
            ProblemRow(turns("1+1"), "2"),
        ),
    ],
    "marked_answer": [
        (
            {"prompt": "q", "completion": "a", "label": False},
            {"input_field": "prompt", "output_field": "completion"},
            PromptRow(turns("q")),
        ),
    ],
    "prompt": [
        ({"prompt": "q"}, {"input_field": "prompt"}, PromptRow(turns("q"))),
        ({"prompt": turns("a", "b", "c"), "id": 3}, {"input_field": "prompt"}, PromptRow(turns("a", "b", "c"))),
    ],
}
