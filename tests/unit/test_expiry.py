"""The worker's hand on expiries: resume points are extended, and what a person pinned never gets an expiry."""

from __future__ import annotations

from pathlib import Path

from tcao_tui.domain.events import CheckpointSaved
from tcao_tui.worker.expiry import Expiry
from tcao_tui.worker.journal import Journal
from tcao_tui.worker.side_effects import SideEffects
from tests.fakes.fake_tinker import FREE, FakeBackend
from tests.fakes.run_lab import Lab
from tests.fakes.run_records import checkpoint
from tests.unit.test_worker_parts import NoMirror

DAY_SECONDS = 86400


class Told(FakeBackend):
    """Notes which expiries were set."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab.server, FREE, SideEffects())
        self.expiries: list[tuple[str, int | None]] = []

    async def set_ttl(self, path: str, ttl_seconds: int | None) -> None:
        self.expiries.append((path, ttl_seconds))


async def test_a_resume_point_is_extended_but_for_what_is_pinned(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    run_id = lab.create()
    journal = Journal(lab.store, run_id, mirror=NoMirror(), effects=SideEffects(), clock=lambda: 0.0)
    journal.open_attempt()
    record = checkpoint(4).model_copy(update={"expires_at": DAY_SECONDS})
    journal.commit(CheckpointSaved(checkpoint=record))
    told = Told(lab)
    expiry = Expiry(journal, told, 7 * DAY_SECONDS)
    lab.store.checkpoint_notes.write([record.state_path], pinned=True)
    await expiry.extend([record])
    assert told.expiries == [(record.sampler_path, 7 * DAY_SECONDS)]
    lab.store.checkpoint_notes.write([record.state_path], pinned=False)
    await expiry.extend([record])
    assert told.expiries[1:] == [(record.state_path, 7 * DAY_SECONDS), (record.sampler_path, 7 * DAY_SECONDS)]
