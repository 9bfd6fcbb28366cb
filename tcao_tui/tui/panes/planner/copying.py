"""What can be copied out of an interview, as plain text. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from tcao_tui.domain.draft import nested
from tcao_tui.domain.plain_text import plain_text
from tcao_tui.domain.sheet import PlanSheet
from tcao_tui.tui.panes.planner.block_lines import asked_lines, note_lines, tool_lines
from tcao_tui.tui.panes.planner.blocks import AskedCard, Block, Note, ToolCall, Words

_WIDTH = 100


def last_reply(blocks: Sequence[Block]) -> str:
    """The newest words of a planner; empty when it said nothing yet."""
    said = (block.text for block in reversed(blocks) if isinstance(block, Words) and block.who != "you")
    return plain_text(next(said, ""))


def plan_text(sheet: PlanSheet) -> str:
    """The plan as YAML, as far as it is."""
    return yaml.safe_dump(nested(sheet.draft), sort_keys=False, allow_unicode=True)


def whole_talk(blocks: Sequence[Block]) -> str:
    """Everything that was said, asked and done."""
    return "\n\n".join(_text(block) for block in blocks) + "\n"


def _text(block: Block) -> str:
    match block:
        case Words(who="you", text=text):
            return plain_text(f"❯ {text}")
        case Words(text=text):
            return plain_text(text)
        case ToolCall():
            lines = tool_lines(block, _WIDTH, is_open=True)
        case AskedCard():
            lines = asked_lines(block, _WIDTH)
        case Note():
            lines = note_lines(block, _WIDTH)
    return "\n".join("".join(text for text, _ink in line).rstrip() for line in lines)
