"""Conversations, votes, meter and what is saved of them, as values."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tcao_tui.domain.chat import ChatSettings, Contender, Conversation, Prices, Reply
from tcao_tui.domain.chat_meter import metered
from tcao_tui.domain.chat_rows import rows_of
from tcao_tui.domain.statistics.shares import sign_test, wilson
from tcao_tui.domain.votes import tally, verdict
from tcao_tui.errors import Refused

NAMES = ("base", "new", "other", "fourth")


def conversation(count: int = 2, *, blind: bool = False, system: str = "") -> Conversation:
    contenders = tuple(Contender(source=f"m/{name}", label=name) for name in NAMES[:count])
    return Conversation(chat_id="c", created_at=0, contenders=contenders, is_blind=blind, blind_seed=5, system=system)


def answered(before: Conversation, prompt: str, *texts: str | None) -> Conversation:
    return before.answered(prompt, [None if text is None else Reply(text=text) for text in texts])


def test_each_contender_goes_on_from_its_own_answers() -> None:
    talk = answered(conversation(system="Be kind."), "Hi", "Hello", "Hey")
    one, other = talk.asked("And?")
    assert [turn.content for turn in one] == ["Be kind.", "Hi", "Hello", "And?"]
    assert [turn.content for turn in other] == ["Be kind.", "Hi", "Hey", "And?"]


def test_a_prompt_that_a_contender_did_not_answer_is_not_in_its_history() -> None:
    talk = conversation().answered("Hi", [Reply(text="Hello"), Reply(error="gone")])
    talk = answered(talk, "Again", None, "Hey")
    assert [turn.content for turn in talk.round.messages(0)] == ["Hi", "Hello"]
    assert [turn.content for turn in talk.round.messages(1)] == ["Again", "Hey"]


def test_a_vote_ends_the_round_and_the_next_prompt_stands_alone() -> None:
    talk = answered(conversation(), "Hi", "Hello", "Hey")
    assert talk.round.can_be_voted
    talk = talk.voted(1)
    assert not talk.rounds[-1].can_be_voted
    assert [turn.content for turn in talk.asked("Next")[0]] == ["Next"]
    talk = answered(talk, "Next", "a", "b")
    assert [len(one.exchanges) for one in talk.rounds] == [1, 1]


def test_one_answer_alone_cannot_be_voted_on() -> None:
    assert not answered(conversation(1), "Hi", "Hello").round.can_be_voted
    assert not conversation().answered("Hi", [Reply(text="x"), Reply(error="gone")]).round.can_be_voted


def test_the_blind_order_is_drawn_anew_after_each_vote_and_is_the_same_when_read_again() -> None:
    talk = conversation(4, blind=True)
    orders: list[tuple[int, ...]] = []
    for _ in range(200):
        talk = answered(talk, "p", "a", "b", "c", "d")
        assert talk.hides_names
        orders.append(talk.rounds[-1].order)
        talk = talk.voted("tie")
        assert not talk.hides_names
    assert min(Counter(order[0] for order in orders).values()) >= 30
    assert Conversation.model_validate_json(talk.model_dump_json()) == talk


def test_the_order_within_a_blind_round_stays() -> None:
    talk = answered(conversation(4, blind=True), "p", "a", "b", "c", "d")
    order = talk.rounds[-1].order
    assert answered(talk, "q", "a", "b", "c", "d").rounds[-1].order == order


def test_beginning_anew_and_another_system_prompt_forget_what_was_said() -> None:
    talk = answered(conversation(1), "Hi", "Hello").begun_anew()
    assert [turn.content for turn in talk.asked("Next")[0]] == ["Next"]
    assert talk.begun_anew() is talk
    told = talk.with_system("Be kind.")
    assert [turn.content for turn in told.asked("Next")[0]] == ["Be kind.", "Next"]
    assert told.with_system("Be kind.") is told


@pytest.mark.parametrize("wrong", [{"temperature": -1}, {"max_tokens": 0}, {"top_p": 0}, {"seed": -1}])
def test_settings_out_of_their_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ChatSettings.model_validate(wrong)


@pytest.mark.parametrize(("wins", "losses", "expected"), [(0, 0, 1), (5, 5, 1), (6, 0, 2 / 64), (9, 1, 22 / 1024)])
def test_the_sign_test_is_the_exact_binomial_one(wins: int, losses: int, expected: float) -> None:
    assert sign_test(wins, losses) == pytest.approx(expected)
    assert sign_test(losses, wins) == pytest.approx(expected)


@given(st.integers(0, 300), st.integers(0, 300))
def test_an_interval_holds_its_share(wins: int, losses: int) -> None:
    assume(wins + losses > 0)
    share = wins / (wins + losses)
    low, high = wilson(share, wins + losses)
    assert 0 <= low <= high <= 1
    assert low - 1e-9 <= share <= high + 1e-9


def voted(count: int, *votes: int | str) -> Conversation:
    talk = conversation(count)
    for vote in votes:
        talk = answered(talk, "p", *"abcd"[:count])
        talk = talk.voted("tie" if vote == "tie" else int(vote))
    return talk


def test_votes_that_chance_explains_as_well_tell_nothing() -> None:
    assert verdict(tally(conversation()), NAMES[:2]) == "no vote yet"
    found = tally(voted(2, 1, 1, 1, "tie", 0))
    assert (found.wins, found.ties, found.count, found.best) == ((1, 3), 1, 5, None)
    assert verdict(found, NAMES[:2]) == "base 1, new 3, tie 1: cannot tell which is better (sign test, p = 0.62)"


def test_votes_that_chance_hardly_gives_name_the_better_one() -> None:
    found = tally(voted(2, *[1] * 9, 0))
    assert found.best == 1
    assert "new is preferred, 60% to 98% of the votes (sign test, p = 0.021)" in verdict(found, NAMES[:2])


def test_of_several_contenders_the_best_one_must_beat_each_other_one_after_correction() -> None:
    assert tally(voted(3, *[2] * 6)).best is None
    assert tally(voted(3, *[2] * 8)).best == 2
    assert tally(voted(3, *[2] * 8, *[1] * 6)).best is None


def test_the_meter_counts_cached_tokens_at_a_fifth_and_does_not_guess_prices() -> None:
    prices = Prices(prefill_usd=1.0, sample_usd=3.0)
    known = Reply(prompt_tokens=1000, cached_tokens=500, tokens=100, prices=prices)
    assert metered([known, None]).usd == pytest.approx((500 + 0.2 * 500 + 300) / 1e6)
    assert metered([known, Reply(prompt_tokens=10, tokens=1)]).usd is None
    assert metered([known, Reply(error="gone")]).usd == pytest.approx(0.0009)
    assert metered([known]).text == "read 1.00k (cached 500) · wrote 100 · $0.0009"
    assert metered([]).text == "read 0 · wrote 0 · $0"


def test_a_conversation_becomes_a_training_row_and_a_case() -> None:
    talk = answered(conversation(system="Be kind."), "Hi", "Hello", "Hey")
    (row,) = rows_of("rows", talk.round, 1)
    assert [turn["content"] for turn in row["messages"]] == ["Be kind.", "Hi", "Hey"]
    alone = answered(conversation(1), "2+2?", "5")
    assert rows_of("case", alone.round, 0, wanted="4", tags=["sums"]) == [
        {"input": "2+2?", "output": "4", "tags": ["sums"]}
    ]
    (case,) = rows_of("case", talk.round, 0)
    assert [turn["role"] for turn in case["input"]] == ["system", "user"]
    assert case["output"] == "Hello"


def test_a_vote_becomes_a_pair_with_each_answer_that_is_worse_and_another_one() -> None:
    talk = answered(conversation(4), "Hi", "a", "b", "b", None).voted(1)
    (pair,) = rows_of("pair", talk.rounds[-1], None)
    assert pair == {
        "prompt": [{"role": "user", "content": "Hi"}],
        "chosen": [{"role": "assistant", "content": "b"}],
        "rejected": [{"role": "assistant", "content": "a"}],
    }


def test_what_cannot_be_saved_says_what_is_missing() -> None:
    talk = answered(conversation(), "Hi", "same", "same")
    for one, contender, kind, missing in (
        (conversation().round, 0, "rows", "no answer"),
        (talk.round, None, "case", "no answer"),
        (talk.round, None, "pair", "needs a vote"),
        (talk.voted("tie").rounds[-1], None, "pair", "tie"),
        (talk.voted(0).rounds[-1], None, "pair", "the same"),
    ):
        with pytest.raises(Refused, match=missing):
            rows_of(kind, one, contender)
