"""Foreign text made safe to show: what models, data, servers and paths say must not steer a terminal.

Markup of Textual and Rich is not touched here: their callers switch markup off.
"""

from __future__ import annotations

import re

_ESCAPES = re.compile(
    "\x1b\\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, screen
    "|\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?"  # OSC, DCS and kin: titles, clipboard, links
    "|\x1b[ -/]*[0-~]?"
)
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls but tab and newline
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # bidirectional and invisible
    "\ufff9-\ufffb\U000e0000-\U000e007f]"  # annotations and tags
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")


def plain_text(text: str, width: int = 0) -> str:
    """`text` without escape sequences, control and bidirectional characters; newlines and tabs stay.

    Lone surrogates, which no terminal can be sent, become U+FFFD. Cut with an ellipsis at `width` characters, 0 for no
    limit.
    """
    unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return _cut(_SURROGATES.sub("\ufffd", _HARMFUL.sub("", _ESCAPES.sub("", unified))), width)


def one_line(text: str, width: int = 0) -> str:
    """`plain_text` on one line, white space collapsed; cut with an ellipsis at `width` characters, 0 for no limit."""
    return _cut(_SPACES.sub(" ", plain_text(text)).strip(), width)


def _cut(text: str, width: int) -> str:
    return f"{text[: width - 1]}…" if width and len(text) > width else text
