"""Row texts, n-grams, spreads and languages: the parts that the measurements are made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcao_tui.data import spread
from tcao_tui.data.grams import LONGEST_TEXT_BYTES, GramHasher
from tcao_tui.data.languages import NO_LANGUAGE, OTHER_LATIN, LanguageGuesser
from tcao_tui.data.row_text import normalised, row_text
from tcao_tui.data.rows import ChatRow, PromptRow
from tcao_tui.data.spread import SpreadCounter
from tests.fakes.data_files import chat, pair, talk

WORDS = st.text(alphabet="abcé’ß", min_size=1, max_size=5)
TEXTS = st.lists(st.lists(WORDS, max_size=12).map(" ".join), min_size=1, max_size=6)


def test_the_last_turn_is_the_answer_and_the_turns_before_it_the_prompt() -> None:
    row = talk(("system", "be brief"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))
    assert (row.system, row.prompt, row.answer, row.turns) == ("be brief", "a\nb\nc", "d", 5)
    assert row.whole == "be brief\na\nb\nc\nd"


def test_thinking_and_tool_calls_are_text_too() -> None:
    call = {"function": {"name": "look_up", "arguments": "{}"}}
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "ok"}]
    row = row_text(
        ChatRow([{"role": "user", "content": "q"}, {"role": "assistant", "content": parts, "tool_calls": [call]}]), 1
    )
    assert "hm" in row.answer
    assert "ok" in row.answer
    assert "look_up" in row.answer


def test_a_pair_has_two_answers_and_a_prompt_none() -> None:
    assert pair("p", "good", "bad").body == "p\ngood\nbad"
    assert row_text(PromptRow([{"role": "user", "content": "p"}]), 4).answer == ""


def words_in_a_row(text: str, n: int) -> list[str]:
    words = text.split(" ")
    return [" ".join(words[i : i + n]) for i in range(max(1, len(words) - n + 1))]


@given(texts=TEXTS, others=TEXTS, n=st.integers(1, 4))
def test_n_grams_have_equal_hashes_exactly_when_their_words_are_equal(
    texts: list[str], others: list[str], n: int
) -> None:
    hasher = GramHasher(n)
    named: dict[str, int] = {}
    for batch in (texts, others):
        grams = hasher(batch)
        written = [gram for text in batch for gram in words_in_a_row(text or "\0", n)]
        assert len(grams.hashes) == len(written)
        for gram, value in zip(written, grams.hashes.tolist(), strict=True):
            assert named.setdefault(gram, value) == value
        owners = [index for index, text in enumerate(batch) for _ in words_in_a_row(text or "\0", n)]
        assert grams.owners().tolist() == owners
    assert len(set(named.values())) == len(named)


def test_scripts_without_spaces_have_a_word_a_character() -> None:
    assert GramHasher(2)(["今天天气很好", "plain words’ count"]).words.tolist() == [6, 3]


def test_a_huge_text_is_looked_at_up_to_a_bound() -> None:
    words = GramHasher(1)(["a " * LONGEST_TEXT_BYTES]).words
    assert words.tolist() == [LONGEST_TEXT_BYTES // 2]


@given(st.lists(st.integers(0, 5_000_000), min_size=1, max_size=200), st.integers(1, 7))
def test_percentiles_are_right_to_three_digits_however_the_counts_arrive(values: list[int], size: int) -> None:
    counter = SpreadCounter()
    for start in range(0, len(values), size):
        counter.add(values[start : start + size])
    found = counter.spread()
    assert found is not None
    assert (found.max, found.total) == (max(values), sum(values))
    for share, shown in ((0.5, found.p50), (0.95, found.p95)):
        exact = sorted(values)[max(0, int(np.ceil(share * len(values))) - 1)]
        assert exact * 0.99 <= shown <= exact
    assert sum(found.bins) == len(values)
    assert len(found.bins) == spread.BINS


def test_nothing_counted_has_no_spread() -> None:
    assert SpreadCounter().spread() is None


def test_a_sample_is_scaled_up_in_its_total_only() -> None:
    counter = SpreadCounter()
    counter.add([10, 20])
    found = counter.spread(scale=3)
    assert found is not None
    assert (found.p50, found.max, found.total) == (10, 20, 90)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How many clips did she sell in April and in May?", "English"),
        ("Wie viele Äpfel hat der Mann und die Frau?", "German"),
        ("Combien de pommes est-ce que vous avez dans la maison ?", "French"),
        ("¿Cuántos años tiene el niño que está en la casa?", "Spanish"),
        ("Quanto costa il biglietto per la città e non è una cosa", "Italian"),
        ("今天天气很好", "Chinese"),
        ("今日は天気がいいです", "Japanese"),
        ("Привет, как дела", "Russian"),
        ("Привіт, як справи, її", "Ukrainian"),
        ("مرحبا كيف حالك", "Arabic"),
        ("این یک جمله است گربه", "Persian"),
        ("qwertz asdf yxcv tgb zhn ujm rfv edc wsx qay plm okn", OTHER_LATIN),
        ("positive", NO_LANGUAGE),
        ('{"a": 17}', NO_LANGUAGE),
        ("42", NO_LANGUAGE),
        ("", NO_LANGUAGE),
    ],
)
def test_languages_are_guessed_by_script_and_frequent_words(text: str, language: str) -> None:
    assert LanguageGuesser().language(text) == language


def test_the_prompt_speaks_for_a_row_whose_answer_has_no_language() -> None:
    guesser = LanguageGuesser()
    guesser.add([chat("What is the sum of the two?", "42"), chat("7 + 7", "14")])
    assert guesser.shares() == {"English": 0.5}


def test_answers_in_another_language_are_counted_with_the_line_of_the_first() -> None:
    guesser = LanguageGuesser()
    english, german = "What is the name of the river?", "Der Fluss ist nicht von hier und er hat einen Namen"
    guesser.add([chat(english, english, line=1), chat(english, german, line=2), chat(german, english, line=3)])
    assert guesser.mismatches() == (2 / 3, 2)


def test_a_sample_is_spread_over_the_whole_file() -> None:
    guesser = LanguageGuesser(limit=16)
    for text in ("今天天气很好", "Привет, как дела"):
        guesser.add([chat(text, "7") for _ in range(300)])
    shares = guesser.shares()
    assert 0.4 < shares["Chinese"] < 0.6
    assert shares["Chinese"] + shares["Russian"] == pytest.approx(1)


def test_normal_form_ignores_case_and_white_space() -> None:
    assert normalised("  A\tB \n c ") == normalised("a b C") == "a b c"
