from __future__ import annotations

import pytest
from textual.app import App, ComposeResult
from textual.content import Content

from tcao_tui.domain.draft import Filled
from tcao_tui.domain.interview import (
    Answered,
    Asked,
    Entry,
    Interrupted,
    ModelTurn,
    PlannerChanged,
    Said,
    SlotFilled,
    StoredEntry,
    ToolEnded,
    ToolStarted,
    UnknownEntry,
)
from tcao_tui.domain.questions import Answer
from tcao_tui.tui.panes.planner.block_lines import asked_lines, note_lines, tool_lines, words_lines
from tcao_tui.tui.panes.planner.blocks import AskedCard, Block, Blocks, Note, ToolCall, Words
from tcao_tui.tui.panes.planner.reply import Reply
from tcao_tui.tui.panes.planner.tool_view import ToolView
from tcao_tui.tui.panes.planner.transcript import MOST_BLOCKS, Transcript
from tests.fakes.interview_records import FIRST_CARD, SECOND_CARD, after_the_data
from tests.tui.conftest import Until

HOSTILE = [
    "[/x]",
    "[b +",
    "[link='file:///etc/passwd']click[/link]",
    "\x1b[2J\x1b]52;c;cm0gLXJm\x07",
    "\x1b]8;;http://evil\x1b\\here\x1b]8;;\x1b\\",
    "a\u202etxt.exe\u202c",
    "nul\x00nul",
    "zero\u200bwidth",
    "<script>alert(1)</script> ![x](http://evil/i.png)",
    "| a | b |\n|---|",
    "```\nunclosed",
    "\ud800",
]


def stored(*entries: Entry | UnknownEntry) -> list[StoredEntry]:
    return [StoredEntry(seq=i, interview_id="i", at=float(i), entry=each) for i, each in enumerate(entries, 1)]


def blocks_of(*entries: Entry | UnknownEntry) -> list[Block]:
    blocks = Blocks()
    blocks.take(stored(*entries))
    return blocks.all


def text_of(block: Block, width: int = 80, *, is_open: bool = False) -> str:
    match block:
        case Words():
            lines = words_lines(block, width)
        case ToolCall():
            lines = tool_lines(block, width, is_open=is_open)
        case AskedCard():
            lines = asked_lines(block, width)
        case Note():
            lines = note_lines(block, width)
    return "\n".join("".join(text for text, _ink in line).rstrip() for line in lines)


def test_a_tool_is_one_line_that_tells_what_it_did_and_opens_to_everything() -> None:
    call = next(block for block in blocks_of(*after_the_data()) if isinstance(block, ToolCall))
    assert text_of(call, 100).count("\n") == 0
    assert "inspect_data" in text_of(call, 100)
    assert "1,500 rows" in text_of(call, 100)
    assert "0.8s" in text_of(call)
    assert '"path": "data/gsm8k_train_1500.jsonl"' in text_of(call, is_open=True)


def test_a_failed_tool_says_why_and_what_to_do() -> None:
    call = [block for block in blocks_of(*after_the_data()) if isinstance(block, ToolCall)][-1]
    assert call.status == "failed"
    assert "no such file; name another" in text_of(call, 120)


def test_a_tool_that_was_interrupted_is_not_shown_as_running() -> None:
    blocks = blocks_of(ToolStarted(call_id="a", tool="inspect_data", arguments={}), Interrupted(what="by the person"))
    assert isinstance(blocks[0], ToolCall)
    assert blocks[0].status == "interrupted"
    assert "interrupted: by the person" in text_of(blocks[1])


def test_an_end_whose_start_is_unknown_changes_nothing() -> None:
    assert blocks_of(ToolEnded(call_id="x", ok=True, result={})) == []


def test_an_answered_card_shows_what_was_answered_and_what_took_the_default() -> None:
    asked = Asked(card=FIRST_CARD)
    given = Answered(card_id="first", answers=(Answer(question="goal", value="sums"),), defaults_for_rest=True)
    (block,) = blocks_of(asked, given)
    assert "❯ sums" in text_of(block)
    assert "default: -" in text_of(block)


def test_a_card_that_was_passed_over_says_so() -> None:
    first, second = blocks_of(Asked(card=FIRST_CARD), Asked(card=SECOND_CARD))
    assert "not answered" in text_of(first)
    assert isinstance(second, AskedCard)
    assert second.answers is None


def test_the_hand_over_says_why() -> None:
    (note,) = blocks_of(PlannerChanged(planner="rules", why="the model refused"))
    assert text_of(note) == " ⇄ the rules planner goes on: the model refused"


def test_what_only_the_model_or_the_plan_card_needs_is_left_out() -> None:
    by_policy = SlotFilled(path="training.lora_rank", filled=Filled(value=32, by="policy"))
    assert blocks_of(ModelTurn(message={}), by_policy) == []


def test_a_value_set_by_hand_and_an_entry_of_another_version_are_noted() -> None:
    by_hand = SlotFilled(path="training.lora_rank", filled=Filled(value=64, by="you"))
    first, second = blocks_of(by_hand, UnknownEntry(kind="later", raw="{}"))
    assert "training.lora_rank = 64" in text_of(first)
    assert "later: an entry of another version" in text_of(second)


def test_entries_are_taken_once_and_the_rest_says_what_changed() -> None:
    blocks = Blocks()
    entries = stored(*after_the_data())
    assert blocks.take(entries[:7])
    assert blocks.take(entries[:7]) == set()
    assert 2 in blocks.take(entries[:8]), "the tool that ended"


class TranscriptApp(App[None]):
    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"line": "ansi_bright_black"}

    def compose(self) -> ComposeResult:
        yield Transcript()


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_neither_crashes_nor_steers_the_terminal(text: str, until: Until) -> None:
    app = TranscriptApp()
    entries = stored(
        Said(who="you", text=text),
        Said(who="planner", text=text),
        ToolStarted(call_id="a", tool=text, arguments={text: text, "list": [text]}),
        ToolEnded(call_id="a", ok=False, result={"errors": [{"path": text, "got": text, "fix": text}]}),
        Interrupted(what=text),
        UnknownEntry(kind=text),
    )
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(Transcript)
        await view.take(entries)
        await view.write(text)
        for tool in app.query(ToolView):
            tool.action_unfold()
        await until(pilot, lambda: len(app.query(Reply)) == 2)
        strips = app.screen._compositor.render_strips()
    assert not {"\x1b", "\x00", "\u202e", "\u200b", "\ud800"} & {char for strip in strips for char in strip.text}
    assert not [segment for strip in strips for segment in strip if segment.style and segment.style.link]


async def test_a_talk_of_five_thousand_blocks_keeps_few_widgets_and_all_can_be_reached(until: Until) -> None:
    app = TranscriptApp()
    entries = stored(*(Said(who="you" if i % 2 else "planner", text=f"words number {i}") for i in range(5_000)))
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(Transcript)
        await view.take(entries)
        await until(pilot, lambda: view.mounted == MOST_BLOCKS)
        assert len(view.blocks) == 5_000
        widgets = len(app.screen.query("*"))
        assert widgets < 10 * MOST_BLOCKS
        while view.first > 4_700:
            before = view.first
            view.scroll_home(animate=False, immediate=True)
            await until(pilot, lambda before=before: view.first < before and not view.is_sliding)
            assert view.mounted <= MOST_BLOCKS
        assert len(app.screen.query("*")) <= widgets + 10
        await view.show_end()
        assert view.past == 5_000


async def test_new_words_do_not_pull_a_reader_away_from_earlier_ones(until: Until) -> None:
    app = TranscriptApp()
    entries = stored(*(Said(who="you", text=f"words number {i}") for i in range(40)))
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(Transcript)
        await view.take(entries[:39])
        await until(pilot, lambda: view.max_scroll_y > 0 and view.scroll_y == view.max_scroll_y)
        view.scroll_pages(-1)
        await until(pilot, lambda: view.scroll_y < view.max_scroll_y)
        place = view.scroll_y
        await view.take(entries)
        await until(pilot, lambda: view.mounted == 40)
        assert view.scroll_y == place


async def test_streamed_words_become_the_recorded_ones_without_a_second_copy(until: Until) -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(Transcript)
        for piece in ("Your file ", "holds **1,500", " rows**."):
            await view.write(piece)
        assert len(app.query(Reply)) == 1
        await view.take(stored(Said(who="planner", text="Your file holds **1,500 rows**.")))
        await until(pilot, lambda: view.mounted == 1)
        assert len(app.query(Reply)) == 1
        assert Content("Your file holds 1,500 rows.").plain in "".join(
            strip.text for strip in app.screen._compositor.render_strips()
        )


async def test_words_that_never_came_on_record_go(until: Until) -> None:
    app = TranscriptApp()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(Transcript)
        await view.write("half a sen")
        await view.drop_reply()
        await until(pilot, lambda: not app.query(Reply))
