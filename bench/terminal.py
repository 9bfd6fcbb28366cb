"""A program in a fresh pseudo-terminal: when it paints, what it sends, what it costs. Used by benchmarks and e2e tests.

Arrival times are taken by a reader thread, the emulation runs behind it, so a slow emulator does not distort them.
Linux and macOS; the terminal answers only the queries that Textual waits for.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import queue
import re
import signal
import struct
import subprocess
import termios
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psutil
import pyte

_ANSWERS = (
    (re.compile(rb"\x1b\[0?c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[6n"), b"\x1b[1;1R"),
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),
)
_FOREIGN_TO_PYTE = re.compile(
    r"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*(?:u|\$p|S)|\x1b[P_^][^\x1b]*\x1b\\"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-9;]*\$[a-z]|\x1b\[[0-9;]* q|\x1b\[[0-9]+t|\x1b\[[0-9;]*:[0-9;:]*m"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-9;:?<>=$ ]*|[P_^\]][^\x07\x1b]*\x1b?)?$")


class TimedOut(AssertionError):
    """The screen never showed what was waited for; the message holds the screen."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a program used in a window: bytes to the terminal (plain and as `ssh -C` sends them) and CPU of its tree."""

    seconds: float
    bytes_per_second: float
    deflated_bytes_per_second: float
    cpu_share: float


class Terminal:
    """One program on one screen.

    Args:
        command: Program and arguments.
        columns, rows: Size of the screen in cells.
        environment: Added to the present environment.
    """

    def __init__(
        self, command: Sequence[str], *, columns: int, rows: int, environment: Mapping[str, str] | None = None
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self.screen)
        self._unfed = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._arrived: queue.Queue[tuple[float, bytes]] = queue.Queue()
        self._log: list[tuple[float, bytes]] = []
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = dict(os.environ, TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8")
        for name in ("COLUMNS", "LINES", "TMUX", "NO_COLOR"):
            env.pop(name, None)
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env=env | dict(environment or {})
        )
        os.close(slave)
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.close()

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        self._feed(0.0)
        return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, pattern: str, *, timeout_seconds: float = 30.0) -> float:
        """Wait until the screen shows `pattern` (a regex over all lines).

        Returns:
            Seconds from the program's start to the arrival of the bytes that completed it.

        Raises:
            TimedOut: It never came, or the program ended first.
        """
        wanted, deadline = re.compile(pattern, re.M), time.perf_counter() + timeout_seconds
        arrived = time.perf_counter()
        while True:
            if wanted.search(self.text):
                return arrived - self.started
            latest = self._feed(min(0.05, max(deadline - time.perf_counter(), 0.0)))
            arrived = latest or arrived
            if time.perf_counter() > deadline or (latest is None and self.process.poll() is not None):
                raise TimedOut(f"{pattern!r} not on the screen of {self.process.args!r}:\n{self.text}")

    def press(self, keys: str) -> float:
        """Type `keys`; returns the moment, seconds since the start."""
        os.write(self._master, keys.encode())
        return time.perf_counter() - self.started

    def use(self, seconds: float) -> Usage:
        """Let the program run for `seconds` and measure what it sends and burns."""
        self._feed(0.0)
        start, cpu, mark = time.perf_counter(), self._cpu_seconds(), len(self._log)
        while (left := seconds - (time.perf_counter() - start)) > 0:
            self._feed(min(left, 0.2))
        passed = time.perf_counter() - start
        data = [chunk for _, chunk in self._log[mark:]]
        deflate = zlib.compressobj(6)
        packed = sum(len(deflate.compress(c)) + len(deflate.flush(zlib.Z_SYNC_FLUSH)) for c in data)
        burnt = self._cpu_seconds() - cpu
        return Usage(passed, sum(map(len, data)) / passed, packed / passed, burnt / passed)

    def resident_megabytes(self) -> float:
        """Memory of the program and its children now, MB."""
        return sum(p.memory_info().rss for p in self._tree()) / 1e6

    def hang_up(self) -> None:
        """Close the terminal under the program, as a dropped SSH connection does."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """End the program and its process group."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._master >= 0:
            self.hang_up()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            if not data:
                return
            self._arrived.put((time.perf_counter(), data))
            for query, answer in _ANSWERS:
                if query.search(data):
                    os.write(self._master, answer)

    def _feed(self, wait_seconds: float) -> float | None:
        """Emulate what arrived; returns when the last of it came."""
        latest: float | None = None
        while True:
            try:
                latest, data = self._arrived.get(timeout=wait_seconds) if wait_seconds else self._arrived.get_nowait()
            except queue.Empty:
                return latest
            wait_seconds = 0.0
            self._log.append((latest, data))
            text = self._unfed + self._decoder.decode(data)
            cut = _UNFINISHED.search(text)
            self._unfed = text[cut.start() :] if cut else ""
            self._stream.feed(_FOREIGN_TO_PYTE.sub("", text[: cut.start()] if cut else text))

    def _tree(self) -> list[psutil.Process]:
        try:
            root = psutil.Process(self.process.pid)
            return [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def _cpu_seconds(self) -> float:
        total = 0.0
        for process in self._tree():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total
