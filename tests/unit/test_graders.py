"""Graders."""

from __future__ import annotations

import pytest

from tcao_tui.errors import UsageError
from tcao_tui.graders import GRADERS


@pytest.mark.parametrize(
    ("answer", "reference", "grade"),
    [("42", "42", True), (" 42\n", "42", True), ("42.", "42", False), ("", "42", False), ("42", " ", None)],
)
def test_exact_match_trims_and_leaves_rows_without_reference_ungraded(
    answer: str, reference: str, grade: bool | None
) -> None:
    assert GRADERS.load("exact")().grade(answer, reference) is grade


def test_an_unknown_grader_is_answered_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match="exact"):
        GRADERS.load("exakt")
