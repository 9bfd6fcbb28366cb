"""What a planner says, as Markdown; written bit by bit while it streams. Links are shown and lead nowhere."""

from __future__ import annotations

from textual.widgets import Markdown
from textual.widgets.markdown import MarkdownStream

from tcao_tui.domain.plain_text import plain_text


class Reply(Markdown):
    """One reply.

    Args:
        text: All of it; empty when it is about to stream.
    """

    DEFAULT_CSS = """
    Reply {
        padding: 0 1 0 3;
        & > MarkdownBlock { margin: 0 0 1 0; }
        & MarkdownHeader { color: $foreground; background: transparent; text-style: bold; content-align: left top; }
        & MarkdownFence { margin: 0 0 1 0; background: $surface; max-height: 24; }
        & MarkdownFence > Label { padding: 0 1; }
        & MarkdownBlockQuote { border-left: outer $line; background: transparent; }
        & MarkdownTableContent { keyline: thin $line; }
        & MarkdownHorizontalRule { border-bottom: solid $line; padding: 0; }
    }
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(plain_text(text), open_links=False)
        self._stream: MarkdownStream | None = None
        self._written = ""

    async def write(self, text: str) -> None:
        """More text."""
        safe = plain_text(text)
        if self._stream is None:
            self._stream = self.get_stream(self)
        self._written += safe
        await self._stream.write(safe)

    async def end(self, text: str | None = None) -> None:
        """The text as it is on record, when it is."""
        if self._stream is not None:
            await self._stream.stop()
            self._stream = None
        if text is not None and plain_text(text) != self._written:
            await self.update(plain_text(text))
