"""The widget of a transcript block: Markdown for a planner's words, a card for a tool, lines for the rest."""

from __future__ import annotations

from functools import partial

from textual.widget import Widget

from tcao_tui.tui.panes.planner.block_lines import asked_lines, note_lines, tool_lines, words_lines
from tcao_tui.tui.panes.planner.blocks import AskedCard, Block, Note, ToolCall, Words
from tcao_tui.tui.panes.planner.reply import Reply
from tcao_tui.tui.panes.planner.tool_view import ToolView
from tcao_tui.tui.widgets.flow_view import FlowView
from tcao_tui.tui.widgets.line_view import Line


def view_of(block: Block) -> Widget:
    """A new widget."""
    match block:
        case Words(who="planner", text=text):
            return Reply(text)
        case ToolCall():
            return ToolView(block)
        case _:
            view = FlowView(_lines_of(block))
            view.display = not is_open_card(block)
            return view


def update_view(view: Widget, block: Block) -> None:
    """Show the block as it is now; words never change."""
    match view, block:
        case ToolView(), ToolCall():
            view.take(block)
        case FlowView(), _:
            view.display = not is_open_card(block)
            view.remake(_lines_of(block))
        case _:
            pass


def is_open_card(block: Block) -> bool:
    """Whether it is a card that stands below the transcript, where it is answered."""
    return isinstance(block, AskedCard) and block.answers is None


def _lines_of(block: Block) -> partial[list[Line]]:
    match block:
        case Words():
            return partial(words_lines, block)
        case AskedCard():
            return partial(asked_lines, block)
        case ToolCall():
            return partial(tool_lines, block)
        case Note():
            return partial(note_lines, block)
