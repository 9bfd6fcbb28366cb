from __future__ import annotations

import math

import pytest

from tcao_tui.domain.plain_text import one_line, plain_text
from tcao_tui.domain.wording import (
    age_text,
    count_text,
    duration_seconds,
    duration_text,
    money_text,
    number_text,
    share_text,
)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;new title\x07after", "after"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;aGk=", ""),
        ("a\x00b\x07c\x7fd\x9be", "abcde"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("a\u2066b\u2069c\u200ed", "abcd"),
        ("tag\U000e0041", "tag"),
        ("lone \ud800 half", "lone \ufffd half"),
        ("one\r\ntwo\rthree\u2028four\tfive", "one\ntwo\nthree\nfour\tfive"),
        ("naïve 漢字 👩\u200d🔬 עברית", "naïve 漢字 👩\u200d🔬 עברית"),
        ("[bold]markup stays[/bold]", "[bold]markup stays[/bold]"),
        ("\x1b", ""),
    ],
)
def test_foreign_text_cannot_steer_a_terminal(hostile: str, shown: str) -> None:
    assert plain_text(hostile) == shown


def test_one_line_collapses_white_space_and_cuts_with_an_ellipsis() -> None:
    assert one_line("  a\n\n b\tc ") == "a b c"
    assert one_line("abcdefgh", 5) == "abcd…"
    assert one_line("abcde", 5) == "abcde"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59.4, "59s"), (59.6, "1m00s"), (125, "2m05s"), (11520, "3h12m"), (352800, "4d02h"), (None, "-")],
)
def test_durations_round_across_units(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


def test_counts_never_show_a_thousand_of_a_unit() -> None:
    shown = [count_text(n) for n in (0, 950, 999.4, 12_345, 999_949, 999_950, 4_560_000, 1.2e9, None)]
    assert shown == ["0", "950", "999", "12.3k", "1.00M", "1.00M", "4.56M", "1.20B", "-"]


def test_unknown_money_is_not_zero() -> None:
    assert [money_text(usd) for usd in (None, 0.0, 1e-5, 0.0042, 1234.5)] == [
        "$?",
        "$0",
        "<$0.0001",
        "$0.0042",
        "$1,234.50",
    ]


def test_metrics_show_what_is_not_finite() -> None:
    shown = [number_text(v) for v in (None, math.nan, -math.inf, 0.0, 1.23456, 2e-5, 123456.0)]
    assert shown == ["-", "nan", "-inf", "0", "1.235", "2.00e-05", "1.23e+05"]


def test_shares_are_percent() -> None:
    assert share_text(0.975) == "97.5%"
    assert share_text(None) == "-"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("90m", 5400),
        ("12h", 43200),
        (" 7D ", 604800),
        ("1d12h", 129600),
        ("1d 12h", 129600),
        ("2w", 1209600),
        ("", None),
        ("7", None),
        ("7 days", None),
        ("-7d", None),
        ("never", None),
    ],
)
def test_a_duration_is_read_as_it_is_written(text: str, seconds: int | None) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize(("seconds", "text"), [(0, "now"), (59, "now"), (125, "2m"), (3600, "1h00m"), (90000, "1d01h")])
def test_an_age_changes_once_a_minute_at_most(seconds: float, text: str) -> None:
    assert age_text(seconds) == text
