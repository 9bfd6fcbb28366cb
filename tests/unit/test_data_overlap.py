"""Leakage between files: exact and near, named by lines, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.data.gram_index import MOST_ROWS, GramIndex
from tcao_tui.data.grams import GramHasher
from tcao_tui.data.overlap import compare_files
from tcao_tui.domain.data_profile import FieldMap, Overlap
from tcao_tui.errors import PlanInvalid
from tests.fakes.data_files import sentence, write_rows


def overlap_of(tmp_path: Path, train: list[str], test: list[str]) -> Overlap:
    left = write_rows(tmp_path / "train.jsonl", [{"input": prompt, "output": "x"} for prompt in train])
    right = write_rows(tmp_path / "test.jsonl", [{"question": prompt, "answer": "y"} for prompt in test])
    return compare_files(left, right)


def test_the_same_prompt_is_an_exact_match_whatever_its_case_white_space_and_answer(tmp_path: Path) -> None:
    found = overlap_of(tmp_path, ["Other", " what IS\nit? "], ["What is it?", "What was it?", "Other thing"])
    assert (found.right_rows, found.exact, found.near) == (3, 1, 0)
    assert found.examples == ((2, 1, "What is it?"),)


def test_a_prompt_that_shares_most_of_its_words_in_order_is_a_near_match(tmp_path: Path) -> None:
    words = sentence(1, 40).split()
    one_changed, many_changed = [*words], [*words]
    one_changed[20] = "other"
    many_changed[::6] = ["other"] * len(many_changed[::6])
    found = overlap_of(tmp_path, [sentence(2), sentence(1, 40)], [" ".join(many_changed), " ".join(one_changed)])
    assert (found.exact, found.near) == (0, 1)
    assert found.examples[0][:2] == (2, 2)


def test_a_question_inside_of_a_longer_training_text_is_found(tmp_path: Path) -> None:
    left = write_rows(
        tmp_path / "train.jsonl", [{"input": "q", "output": f"{sentence(7)} {sentence(1)} {sentence(8)}"}]
    )
    right = write_rows(tmp_path / "test.jsonl", [{"input": sentence(1), "output": "a"}])
    assert compare_files(left, right).near == 1


def test_n_grams_spread_over_several_training_rows_are_no_match(tmp_path: Path) -> None:
    words = sentence(1, 40).split()
    assert overlap_of(tmp_path, [" ".join(words[:20]), " ".join(words[20:])], [" ".join(words)]).near == 0


def test_a_form_that_many_prompts_share_is_no_match(tmp_path: Path) -> None:
    form = sentence(0, 40)
    found = overlap_of(tmp_path, [f"{form} a"], [f"{form} {number}" for number in range(MOST_ROWS + 1)])
    assert (found.exact, found.near) == (0, 0)


def test_short_prompts_are_compared_exactly_only_and_the_method_says_so(tmp_path: Path) -> None:
    found = overlap_of(tmp_path, ["the capital of France", "a b c"], ["the capital of Spain", "A b c"])
    assert (found.exact, found.near) == (1, 0)
    assert "fewer than 5 words" in found.method


def test_a_row_counts_once_and_five_examples_are_given(tmp_path: Path) -> None:
    prompts = [sentence(number) for number in range(12)]
    found = overlap_of(tmp_path, [*prompts, *prompts], prompts)
    assert (found.exact, found.near) == (12, 0)
    assert [(left, right) for left, right, _ in found.examples] == [(n, n) for n in range(1, 6)]


def test_examples_hold_no_secret_and_no_escape(tmp_path: Path) -> None:
    key = "AKIA" + "Q7W2E9R4T6Y1U8I3"
    prompt = f"\x1b[31mmy key is {key}"
    found = overlap_of(tmp_path, [prompt], [prompt])
    assert found.examples == ((1, 1, "my key is (AWS access key)"),)


def test_mappings_are_followed(tmp_path: Path) -> None:
    left = write_rows(tmp_path / "a.jsonl", [{"x": "the prompt", "y": "b", "z": "c"}])
    right = write_rows(tmp_path / "b.jsonl", [{"x": "b", "y": "the prompt", "z": "c"}])
    one = FieldMap(data_format="input_output", input_field="x", output_field="z")
    other = FieldMap(data_format="input_output", input_field="y", output_field="z")
    assert compare_files(left, right, left_fields=one, right_fields=other).exact == 1
    assert compare_files(left, right, left_fields=one, right_fields=one).exact == 0


@pytest.mark.parametrize("empty", ["train.jsonl", "test.jsonl"])
def test_a_file_without_rows_is_refused(tmp_path: Path, empty: str) -> None:
    files = [write_rows(tmp_path / name, [{"input": "a", "output": "b"}]) for name in ("train.jsonl", "test.jsonl")]
    (tmp_path / empty).write_text("broken\n")
    with pytest.raises(PlanInvalid):
        compare_files(*files)


TEXTS = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=9).map(" ".join), min_size=1, max_size=6)


def grams_of(text: str, n: int) -> set[str]:
    words = text.split(" ")
    return {" ".join(words[i : i + n]) for i in range(max(1, len(words) - n + 1))}


@given(ours=TEXTS, theirs=TEXTS, n=st.integers(1, 3))
def test_shares_are_those_that_comparing_every_pair_of_rows_gives(ours: list[str], theirs: list[str], n: int) -> None:
    hasher = GramHasher(n)
    grams = hasher(ours)
    index = GramIndex([(grams.hashes, grams.owners())], len(ours))
    index.match(hasher(theirs), list(range(1, len(theirs) + 1)))
    for place, text in enumerate(ours):
        mine = grams_of(text, n)
        shared = [len(mine & grams_of(other, n)) for other in theirs]
        assert index.shares()[place] == pytest.approx(max(shared) / len(mine))
        assert index.best_lines[place] == (shared.index(max(shared)) + 1 if max(shared) else 0)


def test_beyond_the_bound_shares_are_estimated_from_the_same_n_grams_on_both_sides() -> None:
    hasher = GramHasher(2)
    texts = [sentence(number, 400) for number in range(20)]

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for number, text in enumerate(texts):
            hashes = hasher([text]).hashes
            yield hashes, np.full(len(hashes), number)

    index = GramIndex(batches(), len(texts), limit=2_000)
    assert index.one_in > 1
    half = " ".join(texts[3].split(" ")[:200])
    index.match(hasher([texts[5], half]), [1, 2])
    shares = index.shares()
    assert shares[5] == 1
    assert 0.3 < shares[3] < 0.7
    assert not shares[6:].any()
