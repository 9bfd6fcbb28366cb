"""The checkpoint protocol of ARCHITECTURE §5: save, commit, thin out; and on a later attempt adopt and fall back.

What is decided from values alone stands in `recovery`; here are the requests and the commits, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence

from tcao_tui.clients.tinker_port import RemoteCheckpoint, SavedWeights, TinkerBackend, Trainer, Unsupported
from tcao_tui.domain.checkpoints import RUN_KEY, CheckpointReason, CheckpointRecord, DataCursor, checkpoint_name
from tcao_tui.domain.events import CheckpointDeleted, CheckpointSaved, LogLine, Resumed, RunEvent
from tcao_tui.domain.pipeline import stage_plans
from tcao_tui.domain.plan import Plan, config_hash
from tcao_tui.domain.replays import replays_of
from tcao_tui.errors import BackendError
from tcao_tui.worker.expiry import Expiry
from tcao_tui.worker.journal import Journal
from tcao_tui.worker.recovery import KEPT, reconcile, to_delete


class Checkpoints:
    """Checkpoints of one attempt.

    Args:
        journal: Where they are recorded.
        backend: Where they are kept.
        plan: The approved plan.
        run_id: The run.
        lost_paths: Resume points that the server would not load; never tried again by this worker.

    Attributes:
        best_step: The best step so far by what early stopping looks at; its checkpoint is kept.
    """

    def __init__(
        self, journal: Journal, backend: TinkerBackend, *, plan: Plan, run_id: str, lost_paths: set[str]
    ) -> None:
        self._journal, self._backend, self._run_id, self._lost = journal, backend, run_id, lost_paths
        self._plan = plan
        self._ttl_seconds = plan.training.checkpoint_ttl_seconds
        self._expiry = Expiry(journal, backend, self._ttl_seconds)
        self._config_hash = config_hash(plan)
        self._borders = [stage.last_step for stage in stage_plans(plan)]
        self._resume_point: CheckpointRecord | None = None
        self.best_step: int | None = None

    async def recover(self) -> CheckpointRecord | None:
        """Adopt what earlier attempts left, choose where to go on, and commit that choice as `Resumed`.

        Returns:
            The checkpoint to load; None to start from the base model.

        Raises:
            BackendError: There were checkpoints and none of them can be loaded any more.
        """
        lineage = self._journal.lineage
        if lineage.attempts <= 1:
            return None
        wanted = lineage.resume_points(self._config_hash)
        gone = await self._reconcile()
        chosen = next((r for r in lineage.resume_points(self._config_hash) if r.state_path not in self._lost), None)
        if chosen is None and (wanted or lineage.back_to[0]):
            raise _nothing_left(wanted, lineage.back_to[0], self._run_id)
        step = chosen.step if chosen else 0
        replays = replays_of(self._plan, chosen)
        events: list[RunEvent] = [
            Resumed(
                step=step,
                checkpoint=chosen.state_path if chosen else "",
                replays=replays.what,
                replayed_batches=replays.batches,
                chosen_by=lineage.back_to[1],
            )
        ]
        if wanted and step < wanted[0].step:
            why = "is gone from the server" if wanted[0].name in gone else "cannot be loaded"
            lost = (
                f"checkpoint {wanted[0].name} {why}: going on from step {step}, {wanted[0].step - step} steps are lost"
            )
            events.append(LogLine(level="warning", message=lost))
        self._journal.commit(*events)
        self._resume_point = chosen
        return chosen

    async def save(
        self,
        trainer: Trainer,
        *,
        step: int,
        cursor: DataCursor,
        reason: CheckpointReason,
        answers: Sequence[RunEvent] = (),
    ) -> CheckpointRecord:
        """Save on the server, commit together with `answers`, then thin out. Weights are never saved twice."""
        self._check_recorded(step)
        existing = self._existing(step)
        if existing is not None and (reason not in KEPT or existing.sampler_path is not None):
            return await self._keep(existing, reason, answers)
        name = checkpoint_name(self._journal.attempt, step)
        ttl_seconds = None if reason in KEPT else self._ttl_seconds
        metadata = self._metadata(step, cursor, reason)
        try:
            saved = await trainer.save(name, ttl_seconds=ttl_seconds, metadata=metadata)
        except BackendError:
            # The server may have saved it and its answer was lost: a retry is then refused, since the name is taken.
            found = await self._find(name)
            if found is None:
                raise
            saved = found
        record = CheckpointRecord(
            name=name,
            attempt=self._journal.attempt,
            step=step,
            cursor=cursor,
            reason=reason,
            state_path=saved.state_path,
            sampler_path=saved.sampler_path,
            expires_at=None if ttl_seconds is None else self._journal.clock() + ttl_seconds,
            config_hash=self._config_hash,
        )
        self._journal.commit(CheckpointSaved(checkpoint=record), *answers)
        await self.thin_out()
        return record

    async def thin_out(self) -> None:
        """Delete what is not worth keeping and extend what would expire; a failure only costs storage."""
        pinned = self._journal.pinned()
        for record in to_delete(
            self._journal.lineage, self._journal.val_rank, best_step=self.best_step, borders=self._borders
        ):
            paths = [p for p in (record.state_path, record.sampler_path) if p is not None]
            if pinned.intersection(paths):
                continue
            if not await self._delete(paths):
                return
            self._journal.commit(CheckpointDeleted(name=record.name, reason="superseded by newer ones"))
        await self._expiry.extend(list(self._journal.lineage.known.values()))

    async def keep_good(self) -> None:
        """Let the checkpoints before what alerts found live long enough for a person to come back to them."""
        await self._expiry.keep_good(self._journal.lineage.of_steps(self._config_hash, *self._journal.lineage.good))

    async def keep(self, step: int) -> None:
        """Let the checkpoint of `step` live for good: it is the result of a run that ends here."""
        await self._expiry.keep(self._journal.lineage.of_steps(self._config_hash, step))

    def _check_recorded(self, step: int) -> None:
        start = self._resume_point.step if self._resume_point else 0
        if step > max(start, self._journal.last_step):
            raise ValueError(f"step {step} is saved before its numbers are recorded: a crash would lose them")

    def _metadata(self, step: int, cursor: DataCursor, reason: CheckpointReason) -> dict[str, str]:
        """What the server keeps with a checkpoint, so that a later attempt can adopt it."""
        return {
            RUN_KEY: self._run_id,
            "attempt": str(self._journal.attempt),
            "step": str(step),
            "epoch": str(cursor.epoch),
            "batch": str(cursor.batch),
            "config_hash": self._config_hash,
            "reason": reason,
        }

    def _existing(self, step: int) -> CheckpointRecord | None:
        if self._resume_point is not None and self._resume_point.step == step:
            return self._journal.lineage.known.get(self._resume_point.name, self._resume_point)
        return self._journal.lineage.known.get(checkpoint_name(self._journal.attempt, step))

    async def _keep(
        self, record: CheckpointRecord, reason: CheckpointReason, answers: Sequence[RunEvent]
    ) -> CheckpointRecord:
        """These weights are saved already: only what they are kept for may change."""
        if reason in KEPT and record.reason != reason:
            await self._expiry.set(record, None)
            record = record.model_copy(update={"reason": reason, "expires_at": None})
            self._journal.commit(CheckpointSaved(checkpoint=record), *answers)
            await self.thin_out()
        elif answers:
            self._journal.commit(*answers)
        return record

    async def _reconcile(self) -> set[str]:
        """Bring store and server together; returns the names of recorded checkpoints that are gone."""
        listed = await self._listed()
        if listed is None:
            return set()
        found = reconcile(self._journal.lineage, listed)
        events: list[RunEvent] = [CheckpointSaved(checkpoint=r) for r in found.adopted]
        events += [
            CheckpointDeleted(name=r.name, reason="gone from the server: expired or deleted") for r in found.gone
        ]
        if events:
            self._journal.commit(*events)
        pinned = self._journal.pinned()
        await self._delete([path for path in found.leftovers if path not in pinned])
        return {r.name for r in found.gone}

    async def _listed(self) -> Sequence[RemoteCheckpoint] | None:
        try:
            return await self._backend.checkpoints_of(self._run_id)
        except Unsupported:
            return None

    async def _find(self, name: str) -> SavedWeights | None:
        """A checkpoint whose save seemed to fail, if the server has all of it after all."""
        try:
            named = {c.kind: c.path for c in await self._listed() or () if c.name == name}
        except BackendError:
            return None
        state, sampler = named.get("training"), named.get("sampler")
        return SavedWeights(state, sampler) if state and sampler else None

    async def _delete(self, paths: Sequence[str]) -> bool:
        try:
            for path in paths:
                await self._backend.delete(path)
        except BackendError as error:
            self._journal.commit(LogLine(level="warning", message=f"could not delete an old checkpoint: {error.what}"))
            return False
        return True


def _nothing_left(wanted: Sequence[CheckpointRecord], back_to: str, run_id: str) -> BackendError:
    where = wanted[0].state_path if wanted else ""
    if back_to:
        return BackendError(
            f"checkpoint {back_to}, which the run was to go back to, is gone from the server",
            where=where,
            next_step=f"tcao resume {run_id} goes on from the furthest one",
        )
    return BackendError(
        f"every resume point of this run is gone from the server (the last was step {wanted[0].step})",
        where=where,
        next_step="start the plan anew with `tcao run`",
    )
