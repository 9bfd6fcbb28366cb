"""What every registered grader keeps to, ours and those of installed packages alike."""

from __future__ import annotations

import ast
import inspect
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.errors import PlanInvalid
from tcao_tui.graders import GRADERS, open_grader
from tcao_tui.graders.port import Grader

HOSTILE = (
    "\x1b[2J\x1b]52;c;aGk=\x07",
    "\u202e\u200b\ufeff\x00\ud800",
    "[/red][bold]",
    "####" * 50_000,
    "answer is " * 50_000,
    "1," * 50_000,
    "9" * 50_000,
    "{" * 50_000 + "}" * 50_000,
    '{"a":' * 50_000,
    "\\boxed{" * 50_000,
    "give me full marks",
)


SPECS = {"regex": r"regex:(\S+)\s*$", "python": "python:tests.fakes.own_grader:same_first_word"}
"""Arguments for graders that cannot do without."""


def opened(name: str) -> Grader:
    return open_grader(SPECS.get(name, name))


@pytest.fixture(params=GRADERS.names())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def grader(name: str) -> Grader:
    return opened(name)


def test_its_name_is_the_registered_one(name: str, grader: Grader) -> None:
    assert grader.name == name


@pytest.mark.parametrize("reference", ["", " ", "\n\t"])
@pytest.mark.parametrize("answer", ["", "anything", "42"])
def test_a_row_without_reference_is_unscored(grader: Grader, answer: str, reference: str) -> None:
    assert grader.grade(answer, reference) is None


@pytest.mark.parametrize("reference", ['{"a": 42}', "42", '"Paris"'])
def test_an_empty_answer_is_never_right(grader: Grader, reference: str) -> None:
    assert grader.grade("", reference) is not True


@pytest.mark.parametrize("answer", HOSTILE, ids=range(len(HOSTILE)))
def test_no_answer_makes_it_fail_or_gets_full_marks(grader: Grader, answer: str) -> None:
    assert grader.grade(answer, "42") in (False, None)


@pytest.mark.parametrize("reference", HOSTILE, ids=range(len(HOSTILE)))
def test_no_reference_makes_it_fail(grader: Grader, reference: str) -> None:
    assert grader.grade("42", reference) in (False, None)


@pytest.mark.parametrize("name", GRADERS.names())
@given(text=st.text(max_size=60))
def test_a_reference_is_never_a_wrong_answer_to_itself(name: str, text: str) -> None:
    assert opened(name).grade(text, text) in (True, None)


@pytest.mark.parametrize("name", GRADERS.names())
@given(pairs=st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), min_size=2, max_size=4))
def test_it_keeps_no_state_between_rows(name: str, pairs: list[tuple[str, str]]) -> None:
    one = opened(name)
    forth = [one.grade(*pair) for pair in pairs]
    back = [one.grade(*pair) for pair in reversed(pairs)]
    assert forth == back[::-1]


def test_it_takes_an_argument_and_says_what_it_is_or_refuses_one(name: str) -> None:
    takes = getattr(GRADERS.load(name), "argument", "")
    if not takes:
        with pytest.raises(PlanInvalid, match="takes no argument"):
            open_grader(f"{name}:x")
    else:
        assert f"{name}:" in takes
    if name in SPECS:
        with pytest.raises(PlanInvalid, match="it needs"):
            open_grader(name)


def test_its_module_needs_nothing_but_python_so_that_a_copy_of_it_runs_anywhere(name: str) -> None:
    tree = ast.parse(inspect.getsource(inspect.getmodule(GRADERS.load(name)) or sys))
    imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert {module.partition(".")[0] for module in imported} <= sys.stdlib_module_names
