"""Graders: what each takes for right, wrong and unscored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcao_tui.errors import UsageError
from tcao_tui.graders import GRADERS


def grade(name: str, answer: str, reference: str) -> bool | None:
    return GRADERS.load(name)().grade(answer, reference)


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [("42", "42", True), (" 42\n", "42", True), ("42.", "42", False), ("", "42", False), ("42", " ", None)],
)
def test_exact_match_trims_and_leaves_rows_without_reference_ungraded(
    answer: str, reference: str, expected: bool | None
) -> None:
    assert grade("exact", answer, reference) is expected


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("The capital is Paris.", "paris", True),
        ("It is New\n York City", "new york", True),
        ("(C++)", "C++", True),
        ("10", "1", False),
        ("Parisian", "Paris", False),
        ("a.b", "a-b", False),
        ("", "Paris", False),
        ("anything", "  \n", None),
    ],
)
def test_includes_looks_for_whole_words_whatever_their_case(answer: str, reference: str, expected: bool | None) -> None:
    assert grade("includes", answer, reference) is expected


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("16 - 3 - 4 = <<16-3-4=9>>9\n#### 18", "... \n#### 18"),
        ("so she makes $18.", "#### 18"),
        ("#### 1,234,567", "1234567"),
        (r"\boxed{1{,}234}", "1234.0"),
        (r"thus $\boxed{\dfrac{3}{4}}$", "0.75"),
        ("3/4", "#### 0.75"),
        ("The answer is **-7** degrees. (It was 3 before.)", "-7"),
        ("Answer: \u22127", "-7"),
        ("costs -$7", "$-7"),
        ("1.5e3 m", "1500"),
        ("50%", "50"),
        (r"50\%", "0.5"),
        ("50 %", "50%"),
        ("0.33333333", "1/3"),
        ("12 kg of CO2", "12"),
        ("the answer is: unknown to me, I guess 7", "7"),
        (".5", "0.5"),
    ],
)
def test_numbers_are_the_same_however_they_are_written(answer: str, reference: str) -> None:
    assert grade("numeric", answer, reference) is True


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("#### 18.5", "18"),
        ("-18", "18"),
        ("1000001", "1000000"),
        ("1/4", "3/4"),
        ("The answer is 5. Not 18.", "18"),
        ("#### 5 eggs\nbut 18 in all", "18"),
        ("0.3333", "1/3"),
        ("180%", "18"),
    ],
)
def test_other_numbers_are_wrong(answer: str, reference: str) -> None:
    assert grade("numeric", answer, reference) is False


@pytest.mark.parametrize(
    ("answer", "reference"),
    [("eighteen", "18"), ("", "18"), ("3/0", "18"), ("1e999", "18"), ("18", "none"), ("CO2", "2"), ("####", "18")],
)
def test_a_text_without_a_number_leaves_the_row_unscored(answer: str, reference: str) -> None:
    assert grade("numeric", answer, reference) is None


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ('{"b": [1.0, true], "a": "x"}', '{"a":"x","b":[1,true]}', True),
        (' {"a": 1}\n', '{"a": 1}', True),
        ('{"a": true}', '{"a": 1}', False),
        ("[1]", "1", False),
        ('{"a": 1, "b": 2}', '{"a": 1}', False),
        ("[1, 2]", "[2, 1]", False),
        ('```json\n{"a": 1}\n```', '{"a": 1}', False),
        ('Here: {"a": 1}', '{"a": 1}', False),
        ("NaN", "1", False),
        ("1e99999999999999999999", "1", False),
        ("[" * 100_000, "[]", False),
        ('{"a": 1}', "no JSON", None),
        ("NaN", "NaN", None),
        ("", "", None),
    ],
)
def test_json_compares_values_and_takes_a_broken_answer_for_wrong(
    answer: str, reference: str, expected: bool | None
) -> None:
    assert grade("json", answer, reference) is expected


def test_every_reference_of_the_demo_data_is_right_by_its_graders(request: pytest.FixtureRequest) -> None:
    demo = Path(request.config.rootpath) / "templates" / "demo" / "test.jsonl"
    outputs = [json.loads(line)["output"] for line in demo.read_text().splitlines()]
    assert all(grade(name, output, output) for name in ("exact", "includes", "json") for output in outputs)


def test_an_unknown_grader_is_answered_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match="exact, includes, numeric, json"):
        GRADERS.load("exakt")
