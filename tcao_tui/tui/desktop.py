"""Telling the terminal what happened to any run, for its desktop notices. What is worth telling is not decided here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from tcao_tui.domain.desktop_notice import desktop_notice, style_of
from tcao_tui.tui.ports import NoticesPort

START_SECONDS = 1.0
"""The first screen is filled before this brings pydantic."""

POLL_SECONDS = 2.0


async def tell_terminal(
    open_notices: Callable[[], NoticesPort | None],
    write: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    poll_seconds: float = POLL_SECONDS,
) -> None:
    """Tell until cancelled; returns at once where nobody wants notices.

    Args:
        open_notices: Opens what is read, in a thread; None where the settings want no notices.
        write: Sends an escape sequence to the terminal.
        environ: Says which sequence the terminal reads.
        poll_seconds: Time between reads.

    Raises:
        TcaoError: Settings or runs cannot be read.
    """
    source = await asyncio.to_thread(open_notices)
    if source is None:
        return
    style, in_tmux = style_of(environ), bool(environ.get("TMUX"))
    try:
        while True:
            for notice in await asyncio.to_thread(source.poll):
                write(desktop_notice(notice.title, notice.text, style=style, in_tmux=in_tmux))
            await asyncio.sleep(poll_seconds)
    finally:
        source.close()
