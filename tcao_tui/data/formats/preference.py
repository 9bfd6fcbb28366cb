"""Pairs of a better and a worse answer: as text, as turns, with the prompt apart or as the beginning of both.

Human/Assistant transcripts as in Anthropic's HH-RLHF are taken apart into turns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from tcao_tui.data.formats.port import INPUT
from tcao_tui.data.formats.system import with_system
from tcao_tui.data.formats.tools import refuse_tools
from tcao_tui.data.formats.turns import has, looks_like_turns, missing, text_of, turns_of, value_at
from tcao_tui.data.rows import Conversation, PreferenceRow, RowRejected
from tcao_tui.domain.data_profile import FieldMap, RowKind

_PROMPTS = ("prompt", "question", "instruction", "input.messages", INPUT, "query")
_ANSWERS = (("chosen", "rejected"), ("preferred_output", "non_preferred_output"))
_TURN = re.compile(r"(?:^|\n\n)(Human|Assistant):")
_SPEAKERS = {"Human": "user", "Assistant": "assistant"}


class Preference:
    """A prompt, a chosen and a rejected answer; the prompt is looked for in `chosen` when it has no column."""

    name: ClassVar[str] = "preference"
    holds: ClassVar[str] = "preference pairs"
    kinds: ClassVar[tuple[RowKind, ...]] = ("preference",)

    def find(self, row: Mapping[str, Any], wanted: FieldMap) -> FieldMap | None:
        """Both answers are there."""
        given = (wanted.chosen_field, wanted.rejected_field)
        pair = next((pair for pair in (given, *_ANSWERS) if all(has(row, name) for name in pair)), None)
        if pair is None:
            return None
        chosen, rejected = pair
        said = () if wanted.input_field == INPUT else (wanted.input_field,)
        prompt = next((name for name in (*said, *_PROMPTS) if value_at(row, name) is not None), chosen)
        return FieldMap(data_format=self.name, input_field=prompt, chosen_field=chosen, rejected_field=rejected)

    def read(self, row: Mapping[str, Any], fields: FieldMap) -> PreferenceRow:
        """The prompt and both ways to go on. Raises `RowRejected`."""
        for name in (fields.chosen_field, fields.rejected_field):
            if not has(row, name):
                raise missing(row, name, "chosen_field and rejected_field")
        refuse_tools(row, "a pair")
        chosen = _answer(row, fields.chosen_field)
        rejected = _answer(row, fields.rejected_field)
        prompt = [] if fields.input_field == fields.chosen_field else _prompt(row, fields.input_field)
        return _pair(with_system(row, prompt) if prompt else prompt, chosen, rejected)


def _pair(prompt: Conversation, chosen: Conversation, rejected: Conversation) -> PreferenceRow:
    if prompt and chosen[: len(prompt)] == prompt and rejected[: len(prompt)] == prompt:
        chosen, rejected = chosen[len(prompt) :], rejected[len(prompt) :]
    shared = _shared(chosen, rejected)
    prompt, chosen, rejected = [*prompt, *chosen[:shared]], chosen[shared:], rejected[shared:]
    if not chosen or not rejected:
        raise RowRejected("chosen and rejected are the same", "remove the row, or correct one of them")
    for answer, name in ((chosen, "chosen"), (rejected, "rejected")):
        if answer[-1]["role"] != "assistant":
            raise RowRejected(f"the {name} answer does not end with the assistant's turn", "remove what follows it")
    if not prompt:
        raise RowRejected("chosen and rejected do not begin with the same prompt", "add a column 'prompt'")
    return PreferenceRow(prompt, chosen, rejected)


def _shared(chosen: Conversation, rejected: Conversation) -> int:
    """Turns that both begin with."""
    pairs = zip(chosen, rejected, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(chosen), len(rejected)))


def _prompt(row: Mapping[str, Any], name: str) -> Conversation:
    value = value_at(row, name)
    if value is None:
        raise missing(row, name, "input_field")
    transcript = _transcript(value)
    return turns_of(value, name, "user") if transcript is None else transcript


def _answer(row: Mapping[str, Any], name: str) -> Conversation:
    value = value_at(row, name)
    transcript = _transcript(value)
    if transcript is not None:
        return transcript
    if isinstance(value, dict) and looks_like_turns([value]):
        value = [value]
    return turns_of(value, name, "assistant")


def _transcript(value: object) -> Conversation | None:
    """Turns of a text such as "\\n\\nHuman: ...\\n\\nAssistant: ..."; None for any other text."""
    if not isinstance(value, str) or not value.lstrip("\n").startswith(("Human:", "Assistant:")):
        return None
    parts = _TURN.split("\n\n" + value.lstrip("\n"))[1:]
    turns = zip(parts[::2], parts[1::2], strict=True)
    found = [{"role": _SPEAKERS[who], "content": text_of(text.strip(), "the transcript")} for who, text in turns]
    if found[-1] == {"role": "assistant", "content": ""}:
        found.pop()
    return found
