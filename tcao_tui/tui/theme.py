"""Dark and light colours of the console, safe for colour-blind eyes (Okabe-Ito hues at readable contrast).

Colour never stands alone: states have a symbol and a word too (`status.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from textual.theme import Theme

DARK = "tcao-dark"
LIGHT = "tcao-light"

_LIGHT_BACKGROUND_FROM = 7
"""COLORFGBG names the 16 terminal colours; from this one on the background is light, 8 (dark grey) aside."""


def themes() -> tuple[Theme, Theme]:
    """The dark and the light theme."""
    dark = Theme(
        name=DARK,
        dark=True,
        primary="#56b4e9",
        secondary="#cc79a7",
        accent="#f0e442",
        warning="#e69f00",
        error="#ff7b5a",
        success="#2fbf8f",
        foreground="#d7dde4",
        background="#101418",
        surface="#161b21",
        panel="#1e252d",
        variables={"foreground-muted": "#8a96a3", "line": "#2c3640"},
    )
    light = Theme(
        name=LIGHT,
        dark=False,
        primary="#0060a0",
        secondary="#99407a",
        accent="#7a5c00",
        warning="#a85b00",
        error="#b83200",
        success="#00704f",
        foreground="#1c2329",
        background="#fbfbf9",
        surface="#f3f3f0",
        panel="#e7e8e4",
        variables={"foreground-muted": "#5c6770", "line": "#c9ccc8"},
    )
    return dark, light


def theme_for(wanted: str | None, environ: Mapping[str, str]) -> str:
    """The theme to start with: the one asked for, else what the terminal says of its background, else dark."""
    if wanted:
        return {"dark": DARK, "light": LIGHT}.get(wanted, wanted)
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    is_light = background.isdigit() and int(background) >= _LIGHT_BACKGROUND_FROM and int(background) != 8
    return LIGHT if is_light else DARK
