"""Graders: what each takes for right, wrong and unscored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tcao_tui.errors import PlanInvalid, UsageError
from tcao_tui.graders import GRADERS, open_grader
from tcao_tui.methods.grading import Judge


def grade(spec: str, answer: str, reference: str) -> float | None:
    return open_grader(spec).grade(answer, reference)


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
    with pytest.raises(UsageError, match="exact, includes, numeric, json, regex, python"):
        GRADERS.load("exakt")


@pytest.mark.parametrize(
    ("spec", "answer", "reference", "expected"),
    [
        ("regex:answer: (.+)", "so the answer: 42 ", "42", True),
        ("regex:answer: (.+)", "so the answer: 42", "... answer: 42", True),
        ("regex:answer: (.+)", "answer: 41\nanswer: 42", "42", True),
        ("regex:answer: (.+)", "42", "42", False),
        ("regex:answer: (.+)", "answer: 42", " ", None),
        ("regex:(?:a|b)(?P<answer>c*)(d)", "xaccd", "cc", True),
        ("numeric:0.01", "3.14", "3.1416", True),
        ("numeric:0.01", "1000", "1009", True),
        ("numeric:0.01", "-1000", "1000", False),
        ("numeric:0.01", "0", "0", True),
        ("json:a", '{"a": 1, "b": 2}', '{"a": 1, "b": 3}', True),
        ("json:a, b", '{"a": 1}', '{"a": 1, "b": 3}', False),
        ("json:a", "[1]", '{"a": 1}', False),
        ("json:c", '{"c": 1}', '{"a": 1}', None),
        ("python:tests.fakes.own_grader:share_of_words", "a c", "a b", 0.5),
    ],
)
def test_an_argument_says_what_counts(spec: str, answer: str, reference: str, expected: float | None) -> None:
    assert grade(spec, answer, reference) == expected


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("exact:x", "takes no argument"),
        ("regex:(", "the pattern is broken"),
        ("regex:abc", "must have one group"),
        ("regex:(a)(b)", "has 2"),
        ("numeric:much", "could not convert"),
        ("numeric:2", "less than 1"),
        ("python:tests", "needs module:function"),
        ("python:tests.no_such_module:f", "cannot be imported"),
        ("python:tests.fakes.own_grader:nothing", "has no function nothing"),
    ],
)
def test_an_argument_that_will_not_do_is_refused_with_what_would(spec: str, why: str) -> None:
    with pytest.raises(PlanInvalid, match=why) as caught:
        open_grader(spec)
    assert caught.value.next_step


def test_answers_that_make_a_grader_fail_are_unscored_and_it_is_told_once() -> None:
    told: list[str] = []
    judge = Judge("python:tests.fakes.own_grader:broken", told.append)
    assert [judge.grade(answer, "1") for answer in ("1", "2", "nan", "1")] == [1.0, None, None, 1.0]
    assert len(told) == 1
    assert "KeyError: '2'" in told[0]
