"""What tools that read files share: consent to the path, and long work in a thread that can be interrupted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from tcao_tui.domain.wording import count_text
from tcao_tui.errors import Refused, UsageError
from tcao_tui.planner import reach
from tcao_tui.planner.desk import OnProgress
from tcao_tui.planner.port import Interview, ToolProgress


def readable(interview: Interview, path: str) -> Path:
    """A file that the planner may read, as an absolute path with links followed.

    Raises:
        Refused: It lies outside of the project, or holds secrets, and the person did not name it.
        UsageError: There is no such file.
    """
    if not interview.may_read(path):
        raise Refused(
            f"{path} may not be read: it is outside of the project or holds secrets, and the person did not name it",
            where="path",
            next_step="ask the person; a path in their own words is consent",
        )
    found = reach.resolved(path, interview.state.directory)
    if not found.is_file():
        raise UsageError(f"there is no file {found}", where="path", next_step="ask the person for the path")
    return found


async def with_progress[T](work: Callable[[OnProgress], T], interview: Interview, call_id: str) -> T:
    """Do blocking work in a thread, streaming how far it is; when cancelled, the work ends at its next report."""
    loop, stopped = asyncio.get_running_loop(), threading.Event()

    def on_progress(done: int, total: int) -> None:
        if stopped.is_set():
            raise Refused("interrupted by the person")
        share = min(1.0, done / total) if total else None
        loop.call_soon_threadsafe(interview.stream, ToolProgress(call_id, f"{count_text(done)}B", share))

    try:
        return await asyncio.to_thread(work, on_progress)
    finally:
        stopped.set()
