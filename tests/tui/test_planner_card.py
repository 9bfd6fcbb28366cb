from __future__ import annotations

import pytest

from tcao_tui.domain.questions import Card, Option, Question
from tcao_tui.tui.panes.planner.card_form import CardForm, NotAnAnswer, form_of
from tcao_tui.tui.panes.planner.card_lines import card_lines
from tests.fakes.interview_records import FIRST_CARD, SECOND_CARD, TRAIN


def text_of(form: CardForm, width: int = 80) -> str:
    lines, _at = card_lines(form, width)
    return "\n".join("".join(text for text, _ink in line).rstrip() for line in lines)


def a_card(**question: object) -> CardForm:
    return form_of(Card(id="c", questions=(Question.model_validate({"id": "q", "text": "Which?", **question}),)))


def test_the_cursor_begins_on_the_recommended_option_and_enter_takes_it() -> None:
    form = form_of(SECOND_CARD)
    assert "❯" in next(line for line in text_of(form).splitlines() if "recommended" in line)
    taken = form.taken()
    assert taken.given["evals"].value == "split"
    assert taken.question.id == "success"


def test_a_digit_takes_an_option_and_goes_on() -> None:
    form = form_of(SECOND_CARD).numbered(2)
    assert form.given["evals"].value == "data/gsm8k_test_200.jsonl"
    assert form.active == 1


def test_a_digit_of_no_row_does_nothing() -> None:
    form = form_of(SECOND_CARD)
    assert form.numbered(9) == form


def test_many_are_ticked_by_space_or_digit_and_taken_together() -> None:
    form = form_of(SECOND_CARD).turned_to(2)
    assert form.picked == {0}, "the default is ticked"
    form = form.moved(1).toggled()
    assert "[x] general knowledge (MMLU)" in text_of(form)
    assert form.numbered(1).taken().given["keep"].value == ["mmlu"]


def test_use_defaults_for_the_rest_stands_on_every_question_and_keeps_what_was_given() -> None:
    form = form_of(SECOND_CARD).taken()
    for place in range(len(SECOND_CARD.questions)):
        assert "use defaults for the rest" in text_of(form.turned_to(place))
    left = form.numbered(len(form.rows)).taken()
    assert left.is_done
    assert left.defaults_for_rest
    assert [answer.question for answer in left.answers] == ["evals"]


def test_a_question_without_options_does_not_take_enter_for_an_answer() -> None:
    form = form_of(FIRST_CARD)
    assert form.taken() == form
    assert not form.typed("solve word problems").is_done


def test_typed_text_answers_and_quotes_or_an_at_sign_around_a_path_are_dropped() -> None:
    form = form_of(FIRST_CARD).typed("solve word problems").typed("@'my data/rows.jsonl'")
    assert form.is_done
    assert [answer.value for answer in form.answers] == ["solve word problems", "my data/rows.jsonl"]


def test_a_file_named_in_the_goal_answers_the_question_for_the_file_too() -> None:
    form = form_of(FIRST_CARD).typed("solve word problems as in @data/a.jsonl, for our app")
    assert form.is_done
    assert [answer.value for answer in form.answers] == [
        "solve word problems as in data/a.jsonl, for our app",
        "data/a.jsonl",
    ]
    assert not form_of(FIRST_CARD).typed("as in @a.jsonl and @b.jsonl").is_done


def test_typing_the_label_of_an_option_means_the_option() -> None:
    assert a_card(kind="one", options=(Option(value=7, label="Seven"),)).typed("seven ").given["q"].value == 7


@pytest.mark.parametrize(("text", "value"), [("$1,250", 1250), ("12.5 USD", 12.5), ("3e-4", 0.0003), ("0", 0)])
def test_amounts_are_read_as_people_write_them(text: str, value: float) -> None:
    assert a_card(kind="number").typed(text).given["q"].value == value


@pytest.mark.parametrize("text", ["as little as possible", "nan", "inf", ""])
def test_what_is_no_number_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(NotAnAnswer):
        a_card(kind="number").typed(text)


def test_a_choice_without_free_text_takes_only_its_options() -> None:
    form = a_card(kind="one", free_text=False, options=(Option(value="a", label="A"), Option(value="b", label="B")))
    assert "type it below" not in text_of(form)
    with pytest.raises(NotAnAnswer, match="/say"):
        form.typed("something else")


def test_tab_goes_back_to_an_answer_and_it_can_be_changed() -> None:
    form = form_of(SECOND_CARD).numbered(2).turned_to(0)
    assert form.cursor == 1
    assert form.moved(-1).taken().given["evals"].value == "split"


def test_the_last_answer_goes_to_the_first_question_that_was_skipped() -> None:
    form = form_of(FIRST_CARD).turned_to(1).taken()
    assert form.given["data"].value == TRAIN
    assert form.question.id == "goal"
    assert not form.is_done


def test_the_height_of_a_card_does_not_follow_the_cursor() -> None:
    form = form_of(SECOND_CARD)
    heights = {len(card_lines(form.moved(by), 50)[0]) for by in range(len(form.rows))}
    assert len(heights) == 1


def test_a_contradiction_is_quoted_word_for_word() -> None:
    text = text_of(a_card(kind="text", quotes=("at most $5",)))
    assert "you said or saw: “at most $5”" in text


@pytest.mark.parametrize("width", [30, 46, 80, 160])
def test_no_line_of_a_card_is_wider_than_its_place(width: int) -> None:
    for card in (FIRST_CARD, SECOND_CARD):
        for place in range(len(card.questions)):
            lines, at = card_lines(form_of(card).turned_to(place), width)
            assert 0 <= at < len(lines)
            assert all(sum(len(text) for text, _ink in line) <= width for line in lines)
