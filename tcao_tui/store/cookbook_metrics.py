"""Follows one `metrics.jsonl` at any size: sampled first, then whole from the column cache, then live.

Small files are read here. Long ones are read by a helper process; until it is done the series hold a sample.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tcao_tui.domain.series import Series
from tcao_tui.store.column_cache import cache_folder, file_fits, open_columns
from tcao_tui.store.cookbook_rows import Counts, RowFold
from tcao_tui.store.cookbook_sample import add_sample
from tcao_tui.store.jsonl_tail import LineTail
from tcao_tui.store.loader_process import LoaderProcess, LoaderState

READ_HERE_BYTES = 2 << 20
"""More than this is read by the helper process."""

POLL_SECONDS = 0.05
"""Longest time that one poll reads."""

_CHUNK_BYTES = 1 << 16


def _new_series(_key: str) -> Series:
    return Series()


class MetricsFile:
    """Columns of a `metrics.jsonl` that may still grow, be rewritten or not exist yet.

    Args:
        path: The file.
        cache_dir: Where column caches may be kept.
        read_here_bytes: Files with more unread bytes than this are read by a helper process.
        start_loader: Starts that process.

    Attributes:
        fold: Columns and counts; replaced when the whole takes the place of a sample.
        is_sampled: The columns hold a sample, or not all rows yet.
        expected_rows: Rows that the whole will have, estimated; 0 when nothing is missing.
        rewrites: How often the file was found rewritten and read anew.
        trouble: Why the helper could not be used; empty when it could.
    """

    def __init__(
        self,
        path: Path,
        cache_dir: Path,
        *,
        read_here_bytes: int = READ_HERE_BYTES,
        start_loader: Callable[[list[str]], LoaderProcess] = LoaderProcess,
    ) -> None:
        self.path = path
        self.fold = RowFold(_new_series)
        self.is_sampled = False
        self.expected_rows = 0
        self.rewrites = 0
        self.trouble = ""
        self._folder = cache_folder(cache_dir, str(path.absolute()))
        self._read_here_bytes = read_here_bytes
        self._start_loader = start_loader
        self._tail = LineTail(path)
        self._loader: LoaderProcess | None = None
        self._opened = False
        self._caught_up = False

    @property
    def caught_up(self) -> bool:
        """Whether the columns hold all that is written."""
        return self._caught_up and not self.is_sampled

    @property
    def modified_at(self) -> float:
        """When the file was last written, Unix seconds; 0 while it does not exist."""
        return self._tail.modified_at

    @property
    def done(self) -> float:
        """Share of the file that was read, 0 to 1."""
        if self._loader is not None:
            return self._loader.done
        return min(1.0, self._tail.offset / self._tail.size) if self._tail.size else 1.0

    def poll(self) -> bool:
        """Read what is new, for at most `POLL_SECONDS`; returns whether anything changed."""
        changed = self._tail.look()
        if changed and self._opened and self._tail.was_rewritten():
            self._start_over()
            self.rewrites += 1
        if self._loader is not None:
            changed = self._watch_loader() or changed
        if not self._opened:
            self._caught_up = self._tail.size == 0
            if self._tail.size:
                self._open()
                return True
            return changed
        if not changed and self._caught_up:
            return False
        return self._read() or changed

    def close(self) -> None:
        """Release the file and the helper."""
        self._tail.close()
        if self._loader is not None:
            self._loader.close()
            self._loader = None

    def _open(self) -> None:
        self._opened = True
        self._take_cache()
        unread = self._tail.size - self._tail.offset
        if unread <= self._read_here_bytes or self.trouble:
            self._read()
            return
        try:
            self._loader = self._start_loader(["cookbook", str(self.path), str(self._folder)])
        except OSError as error:
            self.trouble = f"no helper process: {error.strerror}"
            return
        start = self._tail.offset
        self._tail.to_last_line()
        self.expected_rows = self.fold.counts.rows
        self.expected_rows += add_sample(self.fold, self.path, start, self._tail.offset)
        self.is_sampled = True

    def _take_cache(self) -> bool:
        cached = open_columns(self._folder)
        if cached is None or not file_fits(self.path, cached.mark):
            return False
        try:
            self.fold = RowFold(_new_series, cached.series, Counts(**cached.counts))
        except TypeError:
            return False
        self._tail.close()
        self._tail = LineTail(self.path, int(cached.mark["offset"]))
        self._tail.look()
        return True

    def _watch_loader(self) -> bool:
        loader = self._loader
        before = self.done
        state = loader.poll() if loader is not None else LoaderState.FAILED
        if loader is None or state is LoaderState.RUNNING:
            return self.done != before
        loader.close()
        self._loader, self.is_sampled, self._caught_up, self.expected_rows = None, False, False, 0
        if state is LoaderState.FAILED or not self._take_cache():
            self.trouble = "the helper process could not write the column cache, so the file is read here, slowly"
            self._start_over()
        return True

    def _start_over(self) -> None:
        self.close()
        self.fold = RowFold(_new_series)
        self._tail = LineTail(self.path)
        self._tail.look()
        self.is_sampled, self._opened, self._caught_up, self.expected_rows = False, False, False, 0

    def _read(self) -> bool:
        give_up_at = time.monotonic() + POLL_SECONDS
        changed = self._caught_up = False
        while time.monotonic() < give_up_at:
            lines = self._tail.read(_CHUNK_BYTES)
            if not lines:
                self._caught_up = True
                break
            changed = True
            for line in lines.split(b"\n")[:-1]:
                self.fold.add_line(line)
        if self.trouble:
            self.is_sampled = not self._caught_up
        return changed
