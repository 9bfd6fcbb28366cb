"""Following a run without a screen: polls a `ViewSource` and reports what is new as lines, one live line, or JSON.

What to report is decided from `RunView` snapshots alone, so every source that can be watched can be followed here.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable
from typing import Protocol

from tcao_tui.cli.render.events import event_line
from tcao_tui.cli.render.json import event_dict, to_json
from tcao_tui.cli.render.text import progress_line
from tcao_tui.domain.events import Resumed, StoredEvent
from tcao_tui.domain.run_view import RunStatus, RunView, ViewSource
from tcao_tui.errors import ExitCode

POLL_SECONDS = 0.25
LINE_SECONDS = 1.0
_CATCH_UP_SECONDS = 0.001

Write = Callable[[str], None]


class Reporter(Protocol):
    """Takes every snapshot and says what is new in it."""

    def show(self, view: RunView) -> None:
        """Report one snapshot."""
        ...

    def close(self, view: RunView) -> None:
        """Report the last one."""
        ...


def has_ended(view: RunView) -> bool:
    """Whether nothing more will happen by itself."""
    return not view.status.is_live


def follow(
    source: ViewSource,
    reporter: Reporter,
    *,
    until: Callable[[RunView], bool] = has_ended,
    poll_seconds: float = POLL_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> RunView:
    """Poll and report until `until` holds for what is written; returns the last snapshot."""
    while True:
        view = source.poll()
        if source.caught_up and until(view):
            reporter.close(view)
            return view
        reporter.show(view)
        sleep(poll_seconds if source.caught_up else _CATCH_UP_SECONDS)


def outcome_code(view: RunView) -> ExitCode:
    """Exit code of a command that waited for this run."""
    if view.status is RunStatus.COMPLETED:
        return ExitCode.OK
    if view.status is RunStatus.BUDGET:
        return ExitCode.BUDGET
    if view.status is RunStatus.FAILED:
        code = view.finished.exit_code if view.finished is not None else ExitCode.FAILED
        return ExitCode(code) if code in set(ExitCode) and code != ExitCode.OK else ExitCode.FAILED
    if view.status is RunStatus.STOPPED and view.finished is not None and view.finished.exit_code in set(ExitCode):
        return ExitCode(view.finished.exit_code)
    return ExitCode.RESUMABLE


class _News:
    """Which events and steps of a view were not reported yet; a resume rewinds the steps."""

    def __init__(self) -> None:
        self._seq = 0
        self._steps: dict[str, int] = {}

    def events(self, view: RunView) -> list[StoredEvent]:
        fresh = [stored for stored in view.events if stored.seq > self._seq]
        if fresh:
            self._seq = fresh[-1].seq
        for stored in fresh:
            if isinstance(stored.event, Resumed):
                self._rewind(stored.event.step)
        return fresh

    def steps(self, view: RunView) -> dict[int, dict[str, float]]:
        fresh: dict[int, dict[str, float]] = {}
        for key, series in view.series.items():
            first = bisect_right(series.steps, self._steps.get(key, -1))
            for step, value in zip(series.steps[first:], series.values[first:], strict=True):
                fresh.setdefault(step, {})[key] = value
                self._steps[key] = step
        return dict(sorted(fresh.items()))

    def _rewind(self, step: int) -> None:
        self._steps = {key: min(last, step) for key, last in self._steps.items()}


class TextReporter:
    """Lines on stderr: each event once, and a line of progress about once a second.

    Args:
        write: Writes one line.
        skip_history: Start with what happens after the first snapshot.
        clock: Seconds that do not jump.
    """

    def __init__(
        self, write: Write, *, skip_history: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._clock = clock
        self._news = _News()
        self._skip = skip_history
        self._last_line = ""
        self._next_line_at = float("-inf")

    def show(self, view: RunView) -> None:
        """Report one snapshot."""
        self._events(view)
        line = progress_line(view)
        if line != self._last_line and self._clock() >= self._next_line_at:
            self._say(line)

    def close(self, view: RunView) -> None:
        """Report the last one."""
        self._events(view)
        if (line := progress_line(view)) != self._last_line:
            self._say(line)

    def _events(self, view: RunView) -> None:
        fresh = self._news.events(view)
        if self._skip:
            self._skip = False
            return
        for stored in fresh:
            if line := event_line(stored.event):
                self._write(f"{time.strftime('%H:%M:%S', time.localtime(stored.at))}  {line}")

    def _say(self, line: str) -> None:
        self._write(f"{time.strftime('%H:%M:%S')}  {line}")
        self._last_line = line
        self._next_line_at = self._clock() + LINE_SECONDS


class LiveLineReporter:
    """One line drawn over and over at the bottom of a terminal, events above it.

    Args:
        write: Writes text as it is, without a newline.
        width: Columns of the terminal, asked each time.
    """

    def __init__(self, write: Write, width: Callable[[], int]) -> None:
        self._write = write
        self._width = width
        self._news = _News()
        self._drawn = ""

    def show(self, view: RunView) -> None:
        """Report one snapshot."""
        for stored in self._news.events(view):
            if line := event_line(stored.event):
                self._draw("")
                self._write(line[: self._width() - 1] + "\n")
        share = view.step / view.total_steps if view.total_steps else 0.0
        self._draw(f"{_bar(share)} {progress_line(view)}"[: self._width() - 1])

    def close(self, view: RunView) -> None:
        """Report the last one and leave the line."""
        self.show(view)
        self._write("\n")

    def _draw(self, line: str) -> None:
        if line != self._drawn:
            self._write(f"\r{line}\x1b[K")
            self._drawn = line


def _bar(share: float, width: int = 20) -> str:
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(width, "░")


class JsonReporter:
    """One JSON object per line on stdout: events and steps as they come; the caller writes the result last."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._news = _News()

    def show(self, view: RunView) -> None:
        """Report one snapshot."""
        for stored in self._news.events(view):
            self._write(to_json(event_dict(stored)))
        for step, values in self._news.steps(view).items():
            self._write(to_json({"type": "step", "attempt": view.attempt, "step": step, "values": values}))

    def close(self, view: RunView) -> None:
        """Report the last one."""
        self.show(view)


class SilentReporter:
    """Says nothing: `--output json` gives one object at the end."""

    def show(self, view: RunView) -> None:
        """Nothing."""

    def close(self, view: RunView) -> None:
        """Nothing."""
