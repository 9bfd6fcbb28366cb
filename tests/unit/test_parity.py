from __future__ import annotations

import pytest

from tcao_tui.domain.parity import TOLERANCES, Answered, Measured, Parity, compare, tolerance_for

EXACT = TOLERANCES["float32"]
ANSWER = Answered(
    text="What colour is grass?",
    tokens=(5, 6, 7, 8),
    prompt_tokens=2,
    logprobs=(None, -1.0, -0.5, -0.25),
    words=("What", "grass", "green", "."),
)


def measured(*logprobs: float, best: tuple[int, ...] = (6, 7, 8), best_logprobs: tuple[float, ...] = ()) -> Measured:
    return Measured(logprobs=logprobs, best=best, best_logprobs=best_logprobs or logprobs)


def compared(export: Measured, tolerance: str = "float32") -> Parity:
    return compare([ANSWER], [export], tolerance_for(tolerance))


def test_the_same_numbers_are_ready_to_serve() -> None:
    found = compared(measured(-1.0, -0.5, -0.25))
    assert found.ready_to_serve
    assert (found.compared_tokens, found.max_nats, found.greedy_agreed, found.greedy_tokens) == (3, 0.0, 2, 2)


def test_a_token_too_far_away_is_named_with_its_prompt_and_both_numbers() -> None:
    found = compared(measured(-1.0, -0.52, -0.25))
    assert not found.ready_to_serve
    assert found.failures[0] == (
        'token 2 ("green") of prompt 1 ("What colour is grass?") has logprob -0.5000 at the backend and -0.5200 in the '
        "export: 0.02 apart, more than 0.001"
    )
    assert found.worst is not None
    assert (found.worst.place, found.worst.token) == (2, "green")
    assert compared(measured(-1.0, -0.52, -0.25), "bfloat16").ready_to_serve


def test_many_small_differences_are_too_much_on_average() -> None:
    found = compared(measured(-1.0009, -0.5009, -0.2509))
    assert [failure.split(",")[0] for failure in found.failures] == ["logprobs are 0.0009 apart on average"]


def test_another_greedy_choice_is_a_failure_unless_rounding_decides_it() -> None:
    other = measured(-1.0, -0.5, -0.25, best=(6, 9, 8), best_logprobs=(-1.0, -0.4, -0.25))
    assert "differ; the first is token 2" in compared(other).failures[0]
    close = measured(-1.0, -0.5, -0.25, best=(6, 9, 8), best_logprobs=(-1.0, -0.4995, -0.25))
    found = compared(close)
    assert found.ready_to_serve
    assert (found.greedy_agreed, found.greedy_ties) == (1, 1)


def test_the_choices_within_the_prompt_are_nobodys() -> None:
    assert compared(measured(-1.0, -0.5, -0.25, best=(1, 7, 8), best_logprobs=(-0.1, -0.5, -0.25))).ready_to_serve


def test_numbers_that_are_none_fail() -> None:
    assert not compared(measured(float("nan"), -0.5, -0.25)).ready_to_serve
    assert not compared(measured(-1e9, -0.5, -0.25)).ready_to_serve


def test_nothing_compared_is_nothing_proved() -> None:
    blind = ANSWER.model_copy(update={"logprobs": (None, None, None, None)})
    assert compare([blind], [measured(-1.0, -0.5, -0.25)], EXACT).failures == ("no token could be compared",)


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        (("float32", "float32"), "float32"),
        (("float32", "float16"), "float16"),
        (("bfloat16", "float16"), "bfloat16"),
        (("float32", "unknown"), "bfloat16"),
    ],
)
def test_the_coarsest_number_type_decides_the_tolerance(dtypes: tuple[str, ...], expected: str) -> None:
    assert tolerance_for(*dtypes).dtype == expected
