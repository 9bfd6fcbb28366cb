"""What a process beside a run keeps in the run's directory: how far it has read, and a lock that only one holds."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tcao_tui.errors import Refused
from tcao_tui.store.atomic_file import write_text
from tcao_tui.store.port import PAST_EVERY_ROW, Cursor


class Place(BaseModel):
    """How far a reader has read and told; `told` names facts that have no place in the store."""

    model_config = ConfigDict(frozen=True)

    event: int = 0
    metric: int = 0
    told: tuple[str, ...] = ()

    @property
    def cursor(self) -> Cursor:
        """As the store takes it; what was spent is of no interest."""
        return Cursor(event=self.event, metric=self.metric, spend=PAST_EVERY_ROW)


def load_place(path: Path) -> Place:
    """The place that was saved; the beginning when there is none. Raises `OSError`, `ValueError`."""
    try:
        return Place.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Place()


def save_place(path: Path, place: Place) -> None:
    """Keep `place`, whole or not at all. Raises `OSError`."""
    write_text(path, place.model_dump_json())


@contextmanager
def only_one(path: Path, what: str) -> Generator[None]:
    """Hold the lock file `path`; the kernel frees it however the process ends.

    Raises:
        Refused: Another process holds it; `what` says what that is.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(f"{what} runs already", where=str(path)) from error
        yield
    finally:
        os.close(descriptor)
