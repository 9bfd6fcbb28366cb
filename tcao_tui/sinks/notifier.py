"""The notifier of one run: a process beside it that sees it to its end and tells who wants to know, each fact once.

A fact is noted before it is sent: a notifier that is killed while it sends leaves one untold rather than telling it
twice. What cannot be delivered is said in its log and changes nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tcao_tui.domain.liveness import with_status
from tcao_tui.domain.notices import Notice, lost_notice, notice_of, standing_text
from tcao_tui.domain.run_view import RunStatus, RunSummary
from tcao_tui.errors import Refused, TcaoError
from tcao_tui.sinks.kept import Place, load_place, only_one, save_place
from tcao_tui.store.port import PAST_EVERY_ROW, Cursor, RunStore

POLL_SECONDS = 2.0

TAKE_OVER_SECONDS = 200.0
"""How long a new notifier waits for one that is still telling the end of an earlier attempt: three slow channels."""

_PLACE_NAME, _LOCK_NAME = "notify.json", "notify.lock"

Send = Callable[[Notice], None]


class Notifier:
    """Watches one run.

    Args:
        store: The run store.
        run_dir: Directory of the run; how far this is, and the lock, are files of it.
        run_id: Full id of the run.
        send: Takes each notice, and raises nothing.
        wait: Waits for some seconds.
        clock: Unix seconds.
    """

    def __init__(
        self,
        store: RunStore,
        run_dir: Path,
        run_id: str,
        send: Send,
        *,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._run_id, self._send = store, run_id, send
        self._place_file, self._lock_file = run_dir / _PLACE_NAME, run_dir / _LOCK_NAME
        self._wait, self._clock = wait, clock
        self._place = Place()
        self._first_attempt = 0

    def watch(self) -> None:
        """Tell what happens until the run has ended.

        Raises:
            Refused: Another notifier goes on watching the run.
            TcaoError: How far it is cannot be read.
        """
        waited = 0.0
        while True:
            try:
                with only_one(self._lock_file, f"a notifier of {self._run_id}"):
                    self._open()
                    self._to_the_end()
                    return
            except Refused:
                if waited >= TAKE_OVER_SECONDS:
                    raise
                self._wait(POLL_SECONDS)
                waited += POLL_SECONDS

    def _open(self) -> None:
        # What happened before anybody wanted to be told is no news.
        self._first_attempt = 0 if self._place_file.exists() else self._store.run(self._run_id).attempt
        try:
            self._place = load_place(self._place_file)
        except (OSError, ValueError) as error:
            what = "how far the notifier is cannot be read"
            next_step = f"rm {self._place_file.name}"
            raise TcaoError(what, where=str(self._place_file), next_step=next_step) from error

    def _to_the_end(self) -> None:
        while True:
            lease = self._store.lease(self._run_id)
            now = with_status(self._store.run(self._run_id), lease)
            # Read after the state was asked: what a run that has ended committed is then all there.
            while self._tell_batch(now):
                pass
            fact = f"lost {now.attempt}"
            if now.status is RunStatus.LOST and fact not in self._place.told:
                self._keep(told=(*self._place.told, fact))
                self._send(lost_notice(self._run_id, now.name, at=self._clock()))
            # A silent worker still holds the run and may go on.
            if not now.status.is_live and not lease.held:
                return
            self._wait(POLL_SECONDS)

    def _tell_batch(self, now: RunSummary) -> bool:
        """Tell what one batch holds; returns whether there is more."""
        batch = self._store.read(
            self._run_id, Cursor(event=self._place.event, metric=PAST_EVERY_ROW, spend=PAST_EVERY_ROW)
        )
        for stored in batch.events:
            found = notice_of(stored, now.name, standing_text(now)) if stored.attempt >= self._first_attempt else None
            if found is not None:
                self._keep(event=stored.seq)
                self._send(found)
        if batch.cursor.event != self._place.event:
            self._keep(event=batch.cursor.event)
        return batch.more

    def _keep(self, **changes: object) -> None:
        self._place = self._place.model_copy(update=changes)
        save_place(self._place_file, self._place)
