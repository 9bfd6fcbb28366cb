"""Foreign text in Markdown: it is shown as it is, wherever it stands."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tcao_tui.domain.markdown import bullets, fenced, inline, table
from tcao_tui.domain.plain_text import one_line, plain_text

ACTIVE = st.text(alphabet="ab1.)( \\`*_[]<>!#|~&;:=+-/'\"\t\n\x1b\u202e$%^@{}", max_size=40)


def parsed(markdown: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)


def shown(markdown: str) -> list[str]:
    """The text of each piece of running text, where nothing of it acts."""
    pieces: list[str] = []
    for token in parsed(markdown):
        if token.type == "inline":
            children = token.children or []
            assert {child.type for child in children} <= {"text", "text_special"}, (markdown, children)
            pieces.append("".join(child.content for child in children))
    return pieces


@given(ACTIVE)
@example("1. x")
@example("# x")
@example("---")
@example("a\\|b")
@example("&amp; &#33;")
@example("snake_case _x_ __y__")
@example("[x]: http://a.test")
def test_text_stays_text_in_a_paragraph_an_item_a_quote_and_a_cell(text: str) -> None:
    wanted = one_line(text)
    if wanted:
        assert shown(inline(text)) == [wanted]
        assert shown(bullets([inline(text)])) == [wanted]
        assert shown(f"> {inline(text)}") == [wanted]
    assert shown(table(["head"], [[inline(text)]])) == ["head", wanted]


@given(ACTIVE, ACTIVE)
def test_a_cell_does_not_reach_into_the_next(left: str, right: str) -> None:
    wanted = ["a", "b", one_line(left), one_line(right)]
    assert shown(table(["a", "b"], [[inline(left), inline(right)]])) == wanted


@given(ACTIVE)
@example("```\nout")
@example("````text\nout\n````")
def test_a_block_holds_all_of_its_text(text: str) -> None:
    [block] = parsed(fenced(text))
    assert block.type == "fence"
    assert block.content == f"{plain_text(text)}\n"


@pytest.mark.parametrize("text", ["4 < 5 and snake_case", "rank 32: 12.8M, more than 40k", "-5 degrees", "a - b + c"])
def test_plain_sentences_are_left_alone(text: str) -> None:
    assert inline(text) == text


def test_long_text_is_cut_and_says_so() -> None:
    assert inline("abcdef", 4) == "abc…"
    assert fenced("abcdef", 4) == "```text\nabc…\n```"


def test_a_table_without_rows_is_nothing() -> None:
    assert table(["a"], []) == ""
