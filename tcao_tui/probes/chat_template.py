"""A rendered row beside the same row by the model's own chat template, and the places where the two differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Literal

from jinja2 import TemplateError

from tcao_tui.data.rows import Message
from tcao_tui.domain.row_preview import TemplateDifference
from tcao_tui.probes.rendered import Rendered

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

type Verdict = Literal["same", "differs", "none"]

_COMPARED_TOKENS = 4_000
"""From the first difference on; comparing takes quadratic time, so that longer rests count as one difference."""

_DIFFERENCES = 50


def compared_with_template(
    rendered: Rendered, tools: Sequence[dict[str, Any]], tokenizer: PreTrainedTokenizerBase
) -> tuple[Verdict, tuple[TemplateDifference, ...]]:
    """Whether the renderer and the chat template agree; white space at the very end, which nothing reads, aside."""
    if not getattr(tokenizer, "chat_template", None):
        return "none", ()
    try:
        template = _by_template(rendered, tools, tokenizer)
    except (TemplateError, ValueError, TypeError, KeyError) as error:
        return "differs", (TemplateDifference(rendered="", template=f"(the template refuses the row: {error})"),)
    ours = _decoded(tokenizer, rendered.tokens)
    if ours.rstrip() == template.rstrip():
        return "same", ()
    theirs = tokenizer.encode(template.rstrip(), add_special_tokens=False)
    found = [
        TemplateDifference(rendered=_decoded(tokenizer, a), template=_decoded(tokenizer, b))
        for a, b in _differences(list(rendered.tokens), theirs)
    ]
    return "differs", tuple(found[:_DIFFERENCES])


def _by_template(rendered: Rendered, tools: Sequence[dict[str, Any]], tokenizer: PreTrainedTokenizerBase) -> str:
    text: Any = tokenizer.apply_chat_template(
        [_plain_turn(turn) for turn in rendered.conversation],
        tools=[{"type": "function", "function": tool} for tool in tools] or None,
        add_generation_prompt=rendered.asks,
        tokenize=False,
    )
    return text


def _plain_turn(turn: Message) -> Message:
    """A turn as chat templates know it: text, reasoning apart from it, arguments as objects."""
    plain = dict(turn)
    content = turn.get("content")
    if isinstance(content, list):
        plain["content"] = "".join(part.get("text", "") for part in content)
        thinking = "".join(part.get("thinking", "") for part in content)
        plain |= {"reasoning_content": thinking} if thinking else {}
    if calls := turn.get("tool_calls"):
        plain["tool_calls"] = [_plain_call(call) for call in calls]
    return plain


def _plain_call(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    return {**call, "function": {**function, "arguments": json.loads(function["arguments"])}}


def _differences(ours: list[int], theirs: list[int]) -> Iterator[tuple[list[int], list[int]]]:
    start = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs)))
    ours, theirs = ours[start:], theirs[start:]
    if max(len(ours), len(theirs)) > _COMPARED_TOKENS:
        yield ours, theirs
        return
    for tag, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag != "equal":
            yield ours[a:b], theirs[c:d]


def _decoded(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int]) -> str:
    text: Any = tokenizer.decode(list(tokens))
    return text
