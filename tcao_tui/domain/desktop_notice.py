"""The escape sequence by which a terminal shows a desktop notice. Pure; writing it to the terminal is the caller's.

OSC 9 is what iTerm2, kitty, WezTerm, ghostty and Windows' ConEmu read, OSC 777 what foot, urxvt and VTE read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tcao_tui.domain.plain_text import one_line

Style = Literal["osc9", "osc777"]

_CHARACTERS = 240
_READ_777 = ("foot", "rxvt", "vte", "gnome", "xterm-ghostty")


def style_of(environ: Mapping[str, str]) -> Style:
    """Which of the two this terminal reads, as far as its environment tells; OSC 9 where it does not."""
    named = f"{environ.get('TERM', '')} {environ.get('TERM_PROGRAM', '')}".lower()
    return "osc777" if environ.get("VTE_VERSION") or any(name in named for name in _READ_777) else "osc9"


def desktop_notice(title: str, text: str, *, style: Style, in_tmux: bool = False) -> str:
    """The sequence that shows a notice.

    Args:
        title: Of the notice; foreign text is made safe here.
        text: Of the notice, likewise.
        style: What the terminal reads.
        in_tmux: Wrapped so that tmux hands it on; tmux needs `allow-passthrough on`.
    """
    # A semicolon ends a field of OSC 777, and a digit with one after it at the start of OSC 9 is another command.
    head, body = (one_line(part, _CHARACTERS).replace(";", ",") for part in (title, text))
    sequence = f"\x1b]777;notify;{head};{body}\x07" if style == "osc777" else f"\x1b]9;tcao: {head}. {body}\x07"
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\" if in_tmux else sequence
