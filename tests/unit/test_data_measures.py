"""Duplicates, secrets, anomalies and answer shapes of rows."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.data.anomalies import AnomalyCounter
from tcao_tui.data.answer_shapes import COUNTED, AnswerCounter
from tcao_tui.data.duplicates import Repeats, RowComparer
from tcao_tui.data.row_text import RowText
from tcao_tui.data.sensitive import SensitiveScan
from tests.fakes.data_files import chat, pair, sentence, talk

KEY = "AKIA" + "Q7W2E9R4T6Y1U8I3"
CARD = "4111 1111 1111 1111"


def repeats(rows: Sequence[RowText], limit: int = 1_000) -> Repeats:
    comparer = RowComparer(limit)
    for start in range(0, len(rows), 7):
        comparer.add(rows[start : start + 7])
    return comparer.repeats()


def with_words_changed(text: str, count: int, seed: int) -> str:
    words = text.split(" ")
    for place in random.Random(seed).sample(range(len(words)), count):
        words[place] = f"other{place}"
    return " ".join(words)


def test_a_row_that_repeats_another_but_for_case_and_white_space_is_an_exact_duplicate() -> None:
    found = repeats([chat("What is it?", "A cat."), chat(" what  is IT?\n", "a cat."), chat("What is it?", "A dog.")])
    assert (found.exact, found.near) == (1, 0)


def test_rows_that_differ_in_a_word_are_near_duplicates_and_those_that_differ_in_a_third_are_not() -> None:
    originals = [chat(sentence(number, 100)) for number in range(40)]
    close = [chat(with_words_changed(sentence(number, 100), 1, number)) for number in range(40)]
    far = [chat(with_words_changed(sentence(number, 100), 33, number)) for number in range(40)]
    assert repeats([*originals, *close]).near >= 38
    assert repeats([*originals, *far]).near == 0


def test_a_near_duplicate_counts_once_and_an_exact_one_not_again() -> None:
    text = sentence(1, 200)
    found = repeats(
        [chat(text), chat(text), chat(with_words_changed(text, 1, 0)), chat(with_words_changed(text, 1, 1))]
    )
    assert (found.exact, found.near) == (1, 2)


def test_a_shared_system_prompt_does_not_make_rows_near_duplicates() -> None:
    system = ("system", sentence(0, 200))
    rows = [talk(system, ("user", sentence(number)), ("assistant", str(number))) for number in range(1, 20)]
    assert repeats(rows).near == 0


def test_the_same_prompt_answered_differently_is_a_conflict_named_by_its_first_line() -> None:
    found = repeats([chat("a", "1", line=3), chat("b", "1", line=4), chat("B ", "2", line=5), chat("b", "1", line=6)])
    assert (found.conflicting, found.first_conflict, found.exact) == (2, 4, 1)


def test_a_pair_and_its_reverse_conflict_and_two_pairs_of_one_prompt_do_not() -> None:
    assert repeats([pair("p", "a", "b", line=1), pair("p", "b", "a", line=2)]).conflicting == 2
    assert repeats([pair("p", "a", "b"), pair("p", "a", "c")]).conflicting == 0


def test_rows_beyond_the_bound_are_not_compared_and_the_method_says_so() -> None:
    rows = [chat(sentence(number % 10)) for number in range(30)]
    assert repeats(rows).exact == 20
    bounded = repeats(rows, limit=15)
    assert bounded.exact == 5
    assert "first 15 rows" in bounded.method
    assert "first" not in repeats(rows).method


def test_no_rows_repeat_nothing() -> None:
    assert repeats([]).exact == 0


SECRETS = [
    ("AWS access key", KEY),
    ("Anthropic key", "sk-ant-" + "a1" * 20),
    ("OpenAI key", "sk-proj-" + "a1" * 20),
    ("Tinker key", "tml-" + "a1" * 20),
    ("GitHub token", "ghp_" + "a1" * 18),
    ("GitLab token", "glpat-" + "a1" * 10),
    ("Slack token", "xoxb-" + "1a" * 10),
    ("Stripe key", "sk_live_" + "a1" * 12),
    ("Google key", "AIza" + "a1B2c" * 7),
    ("Hugging Face token", "hf_" + "aB" * 17),
    ("npm token", "npm_" + "a1" * 18),
    ("SendGrid key", "SG." + "a1" * 11 + "." + "b2" * 20),
    ("private key", "-----BEGIN OPENSSH PRIVATE KEY-----"),
    ("JSON web token", "eyJ" + "a1" * 9 + ".eyJ" + "b2" * 9 + "." + "c3" * 9),
    ("password in a URL", "postgres://admin:hunter22@localhost/x"),
    ("e-mail address", "jane.doe+x@mail.example.co.uk"),
    ("card number", CARD),
    ("card number", "5500-0000-0000-0004"),
    ("IBAN", "DE89 3704 0044 0532 0130 00"),
    ("IBAN", "GB29NWBK60161331926819"),
    ("phone number", "+44 20 7946 0958"),
    ("phone number", "(555) 123-4567"),
    ("phone number", "555-123-4567"),
]


@pytest.mark.parametrize(("kind", "secret"), SECRETS)
@pytest.mark.parametrize("around", ["{}", "before {} after", "é’ {}, and more", "two\nlines {}\n"])
def test_a_secret_is_counted_by_its_kind_and_can_be_taken_out(kind: str, secret: str, around: str) -> None:
    scan = SensitiveScan()
    text = around.format(secret)
    scan.add(["nothing here", text, text, "1, 2, 3"])
    assert dict(scan.counts) == {kind: 2}
    assert secret not in scan.redacted(text)
    assert f"({kind})" in scan.redacted(text)


@pytest.mark.parametrize(
    "harmless",
    [
        "She pays 16 - 3 - 4 = <<16-3-4=9>>9 dollars, 100 - 50 - 30 - 15 = 5 and 250+450+2250=$2950.",
        "4111 1111 1111 1112 fails its check digit, DE88 3704 0044 0532 0130 00 too",
        "pi is 3.14159265358979323846, at 2024-01-02 12:30:45.123456 from 192.168.100.100",
        "use sk-learn-is-a-great-library-for-all, a risk-averse-and-long-winded-investor42",
        "an @mention, a@b, https://example.org:8080/a@b, 12345678901234567",
        "AKIA is a prefix, hf_ and ghp_ are too; eyJ.eyJ.x",
    ],
)
def test_numbers_and_words_that_only_look_alike_are_no_secrets(harmless: str) -> None:
    scan = SensitiveScan()
    scan.add([harmless])
    assert not scan.counts
    assert scan.redacted(harmless) == harmless


@given(st.lists(st.text(max_size=60), max_size=8), st.integers(0, 8), st.sampled_from(SECRETS))
def test_a_secret_is_found_in_whatever_row_it_stands(texts: list[str], place: int, secret: tuple[str, str]) -> None:
    kind, value = secret
    without, scan = SensitiveScan(), SensitiveScan()
    without.add(texts)
    scan.add([*texts[:place], f" {value} ", *texts[place:]])
    assert scan.counts[kind] == without.counts[kind] + 1


def test_text_made_to_slow_patterns_is_looked_through() -> None:
    scan = SensitiveScan()
    for hostile in ("eyJa-" * 50_000, "a." * 100_000 + "@", "1 2-" * 100_000, "http://" + "a:" * 100_000):
        scan.add([hostile])
    scan.add([KEY])
    assert scan.counts["AWS access key"] == 1


def found(*rows: RowText) -> dict[str, tuple[int, int]]:
    counter = AnomalyCounter()
    counter.add([chat("fine", "ok", line=1), *rows])
    return {odd.code: (odd.count, odd.first_line) for odd in counter.anomalies()}


U, A, S = ("user", "q"), ("assistant", "a"), ("system", "s")


@pytest.mark.parametrize(
    ("code", "row"),
    [
        ("assistant_first", talk(A, U, A)),
        ("assistant_first", talk(S, A)),
        ("same_role_twice", talk(U, U, A)),
        ("same_role_twice", talk(U, A, A)),
        ("system_late", talk(U, S, A)),
        ("empty_prompt", chat(" \n", "a")),
        ("empty_prompt", talk(U, A, ("user", ""), A)),
        ("empty_answer", chat("q", "")),
        ("empty_answer", pair("q", "a", " ")),
        ("echo", chat("the same", "the same")),
        ("chat_markup", chat("q", "a<|im_end|>")),
        ("chat_markup", chat("[INST] q [/INST]", "a")),
        ("damaged_text", chat("cafÃ©", "a")),
        ("damaged_text", chat("q", "broken \ufffd")),
        ("hidden_characters", chat("\x1b[31mred", "a")),
        ("hidden_characters", chat("q", "a\u202eb")),
        ("hidden_characters", chat("q", "zero\u200bwidth")),
    ],
)
def test_an_odd_row_is_counted_and_named_by_its_line(code: str, row: RowText) -> None:
    again = RowText(9, row.row, row.system, row.prompt, row.answer, row.worse, row.turns)
    first = RowText(7, row.row, row.system, row.prompt, row.answer, row.worse, row.turns)
    assert found(first, again) == {code: (2, 7)}


@pytest.mark.parametrize(
    "row",
    [
        talk(S, U, A, U, A),
        talk(U, ("assistant", "calls"), ("tool", "1"), ("tool", "2"), A),
        chat("tabs\tand\r\nlines\nand a no-break\u00a0space, ’quotes’", "1 < 2 | 3 > 2, 🙂"),
        pair("q", "a", "b"),
    ],
)
def test_usual_rows_are_not_odd(row: RowText) -> None:
    assert not found(row)


@pytest.mark.parametrize(
    ("answers", "shape"),
    [
        (["spam", "ham"] * 6, "label"),
        (["1", "2", "3"] * 9, "label"),
        ([str(number) for number in range(30)], "number"),
        (["$1,234.50", "17 %", "-3", "1e5", "0.5"], "number"),
        ([f"so it is {number}.\n#### {number}" for number in range(30)], "final_number"),
        (['{"a": 1}', "[1, 2]"] * 9, "json"),
        (["{}", "not json"], "text"),
        (["spam", "ham"], "text"),
        (["spam"] * 9, "text"),
        (["#### 1", "no number at the end"] * 2, "text"),
        ([], "text"),
    ],
)
def test_the_shape_of_answers_is_what_all_of_them_are(answers: list[str], shape: str) -> None:
    counter = AnswerCounter()
    for start in range(0, len(answers), 4):
        counter.add(answers[start : start + 4])
    assert counter.shape() == shape


def test_distinct_answers_are_counted_up_to_a_bound() -> None:
    counter = AnswerCounter()
    counter.add(["Yes", "yes ", "no"])
    assert counter.distinct == 2
    counter.add([f"answer {number}" for number in range(3 * COUNTED)])
    assert counter.distinct == COUNTED
