"""Documents: the same content as Markdown and as HTML, hostile text harmless in both, charts that are well-formed."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tcao_tui.domain.charts import curve_svg, interval_svg
from tcao_tui.domain.document import (
    Bullets,
    Curve,
    CurveChart,
    DocumentBlock,
    Grid,
    Heading,
    IntervalChart,
    Mark,
    Paragraph,
    Verbatim,
)
from tcao_tui.domain.document_html import html
from tcao_tui.domain.document_markdown import markdown

HOSTILE = (
    "<script>alert(1)</script>",
    "</pre></style></svg><img src=x onerror=alert(1)>",
    '" onload="alert(1)',
    "```\n# owned\n```",
    "| a | b |\n|---|---|",
    "[x](http://evil.test) ![y](http://evil.test/p.png)",
    "\x1b[2J\u202etxt",
)


class Tags(HTMLParser):
    """Every element and attribute of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def every_block(text: str) -> list[DocumentBlock]:
    return [
        Heading(text, 1),
        Paragraph(text),
        Paragraph(text, is_strong=True),
        Bullets([text]),
        Grid([text, "n"], [[text, "1"]], frozenset({1})),
        Verbatim(text, text),
        IntervalChart(text, [Mark(text, 0.5, 0.4, 0.6, is_chosen=True), Mark(text, 0.2)], 0.3),
        CurveChart(text, text, [Curve(text, [(0, 1.0), (1, 0.5)])]),
    ]


def tags_of(page: str) -> Tags:
    parser = Tags()
    parser.feed(page)
    return parser


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_no_element_and_no_attribute(text: str) -> None:
    harmless, found = tags_of(html("words", every_block("words"))), tags_of(html(text, every_block(text)))
    assert (found.names, found.attributes) == (harmless.names, harmless.attributes)
    assert not {"script", "img", "a", "iframe", "link"} & found.names
    assert not [name for name in found.attributes if name.startswith("on") or name in ("href", "src")]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_no_markup_in_markdown(text: str) -> None:
    def kinds(words: str) -> list[str]:
        tokens = MarkdownIt("commonmark").enable("table").parse(markdown(every_block(words)))
        inner = [child.type for token in tokens for child in token.children or ()]
        return [*(token.type for token in tokens), *(kind for kind in inner if kind not in ("text", "text_special"))]

    assert kinds(text) == kinds("words")


@given(st.text())
def test_any_text_leaves_a_page_that_is_whole(text: str) -> None:
    page = html(text, every_block(text))
    assert page.endswith("</html>\n")
    assert tags_of(page).names == tags_of(html("words", every_block("words"))).names


def test_a_page_fetches_and_runs_nothing() -> None:
    page = html("report", every_block("words"))
    assert "default-src 'none'" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "prefers-color-scheme: dark" in page


def test_both_formats_hold_the_same_words() -> None:
    blocks: list[DocumentBlock] = [
        Heading("Title", 1),
        Paragraph("A paragraph."),
        Bullets(["one", "two"]),
        Grid(["a"], [["1"]]),
    ]
    words = ["Title", "A paragraph.", "one", "two", "a", "1"]
    assert all(word in tags_of(html("t", blocks)).text for word in words)
    assert markdown(blocks) == "# Title\n\nA paragraph.\n\n- one\n- two\n\n| a |\n| --- |\n| 1 |\n"


def test_a_table_without_rows_is_not_shown() -> None:
    assert markdown([Grid(["a"], [])]).strip() == ""
    assert "<table>" not in html("t", [Grid(["a"], [])])


def elements(svg: str, name: str) -> list[ET.Element]:
    return ET.fromstring(svg).findall(f"{{http://www.w3.org/2000/svg}}{name}")


def test_an_interval_is_drawn_around_its_value_on_the_axis_of_all() -> None:
    marks = [Mark("base", 0.2, 0.1, 0.3), Mark("best", 0.8, 0.7, 0.9, is_chosen=True)]
    svg = interval_svg(IntervalChart("score", marks, 0.2))
    circles, lines = elements(svg, "circle"), elements(svg, "line")
    ranges = [line for line in lines if line.get("class") == "range"]
    for circle, line in zip(circles, ranges, strict=True):
        middle = (float(line.get("x1", 0)) + float(line.get("x2", 0))) / 2
        assert float(circle.get("cx", 0)) == pytest.approx(middle, abs=0.2)
    assert [circle.get("class") for circle in circles] == ["mark", "mark chosen"]
    [reference] = [line for line in lines if line.get("class") == "reference"]
    assert reference.get("x1") == circles[0].get("cx")


def test_what_is_no_number_is_not_drawn() -> None:
    assert interval_svg(IntervalChart("score", [Mark("base", math.nan)])) == ""
    assert curve_svg(CurveChart("loss", "step", [Curve("a", [(0, math.nan), (1, 2.0)])])) == ""
    drawn = curve_svg(CurveChart("loss", "step", [Curve("a", [(0, 3.0), (1, math.nan), (2, 2.0)])]))
    [line] = elements(drawn, "polyline")
    assert len(line.get("points", "").split()) == 2
