"""Checkpoints as the server lists them: find, describe, delete, extend, publish. A backend may lack any of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import tinker
from tinker.lib.public_interfaces.api_future import APIFuture
from tinker.types import Checkpoint, TrainingRun, WeightsInfoResponse

from tcao_tui.clients.tinker_errors import SDK_ERRORS, status_of, translate
from tcao_tui.clients.tinker_port import RemoteCheckpoint, Unsupported
from tcao_tui.domain.checkpoint_listing import training_run_of
from tcao_tui.domain.checkpoints import RUN_KEY
from tcao_tui.errors import BackendError

_FIRST_PAGE = 100
_PAGE = 1000
_REST_SECONDS = 60.0
_NOT_OFFERED = (404, 405, 501)


class Gone(BackendError):
    """The server has no such checkpoint any more."""

    title = "Gone"


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the checkpoints in the server's order, and how many there are in all; None when it does not say."""

    checkpoints: Sequence[Checkpoint]
    total: int | None


class SdkCheckpoints:
    """Listing and upkeep over the SDK's REST client; off the training path, so bounded to a minute."""

    def __init__(self, rest: tinker.RestClient) -> None:
        self._rest = rest

    async def of_run(self, run_id: str) -> list[RemoteCheckpoint]:
        """Checkpoints whose metadata names our run, oldest first.

        Raises:
            Unsupported: The server lists checkpoints in no way we know.
        """
        try:
            listed = [c async for page in self.pages() for c in page.checkpoints]
        except Unsupported:
            listed = [c async for run in self._runs_of(run_id) for c in await self.of_training_run(run)]
        mine = [c for c in listed if (c.user_metadata or {}).get(RUN_KEY) == run_id]
        return [remote(c) for c in sorted(mine, key=lambda c: c.time)]

    async def find(self, training_run_id: str, name: str, kind: str, metadata: Mapping[str, str]) -> str | None:
        """Path of the checkpoint of this training run, name and kind, if it carries all of `metadata`."""
        for checkpoint in map(remote, await self.of_training_run(training_run_id)):
            carries = all(checkpoint.metadata.get(key) == value for key, value in metadata.items())
            if checkpoint.name == name and checkpoint.kind == kind and metadata and carries:
                return checkpoint.path
        return None

    async def pages(self) -> AsyncIterator[Page]:
        """All checkpoints of the user, a small page first. Raises `Unsupported`."""
        offset, limit = 0, _FIRST_PAGE
        while True:
            page = await self._call(self._rest.list_user_checkpoints(limit, offset), "listing checkpoints")
            yield Page(page.checkpoints, page.cursor.total_count if page.cursor else None)
            offset, limit = offset + len(page.checkpoints), _PAGE
            if not page.checkpoints or page.cursor is None or offset >= page.cursor.total_count:
                return

    async def training_runs(self) -> AsyncIterator[Sequence[TrainingRun]]:
        """All training runs of the user, in pages. Raises `Unsupported`."""
        offset, limit = 0, _FIRST_PAGE
        while True:
            page = await self._call(self._rest.list_training_runs(limit, offset), "listing training runs")
            yield page.training_runs
            offset, limit = offset + len(page.training_runs), _PAGE
            if not page.training_runs or offset >= page.cursor.total_count:
                return

    async def of_training_run(self, training_run_id: str) -> Sequence[Checkpoint]:
        """All checkpoints of one training run. Raises `Unsupported`, also when there is no such run."""
        listed = await self._call(self._rest.list_checkpoints(training_run_id), "listing checkpoints")
        return listed.checkpoints

    async def describe(self, path: str) -> WeightsInfoResponse:
        """What weights were trained from. Raises `Gone`, `Unsupported`."""
        return await self._act(path, self._rest.get_weights_info_by_tinker_path(path), f"looking at {path}")

    async def delete(self, path: str) -> None:
        """Delete for good; one that is already gone is no error. Raises `Unsupported`."""
        try:
            await self._call(self._rest.delete_checkpoint_from_tinker_path(path), f"deleting {path}")
        except Unsupported as error:
            # A server without this address and one without this checkpoint both say 404.
            if error.__cause__ is None or status_of(error.__cause__) != 404 or await self._is_listed(path):
                raise

    async def set_ttl(self, path: str, ttl_seconds: int | None) -> None:
        """Set or remove the expiry. Raises `Gone`, `Unsupported`."""
        asked = self._rest.set_checkpoint_ttl_from_tinker_path(path, ttl_seconds)
        await self._act(path, asked, f"changing expiry of {path}")

    async def set_public(self, path: str, public: bool) -> None:
        """Publish, or take that back. Raises `Gone`, `Unsupported`."""
        if public:
            await self._act(path, self._rest.publish_checkpoint_from_tinker_path(path), f"publishing {path}")
        else:
            await self._act(path, self._rest.unpublish_checkpoint_from_tinker_path(path), f"unpublishing {path}")

    async def _runs_of(self, run_id: str) -> AsyncIterator[str]:
        async for page in self.training_runs():
            for run in page:
                if (run.user_metadata or {}).get(RUN_KEY) == run_id:
                    yield run.training_run_id

    async def _act[T](self, path: str, asked: APIFuture[T], doing: str) -> T:
        try:
            return await self._call(asked, doing)
        except Unsupported as error:
            if await self._is_listed(path) is False:
                raise Gone(f"there is no {path}: it was deleted or has expired") from error
            raise

    async def _is_listed(self, path: str) -> bool | None:
        """Whether the server has a checkpoint; None when it does not say."""
        try:
            return any(c.tinker_path == path for c in await self.of_training_run(training_run_of(path)))
        except BackendError:
            return None

    async def _call[T](self, asked: APIFuture[T], doing: str) -> T:
        try:
            return await asked.result_async(_REST_SECONDS)
        except SDK_ERRORS as error:
            if status_of(error) in _NOT_OFFERED:
                raise Unsupported(f"{doing}: not offered by this server") from error
            raise translate(error, doing) from error


def remote(checkpoint: Checkpoint) -> RemoteCheckpoint:
    """A checkpoint of the SDK in our words."""
    return RemoteCheckpoint(
        path=checkpoint.tinker_path,
        name=checkpoint.checkpoint_id.rpartition("/")[2],
        kind=checkpoint.checkpoint_type,
        metadata=checkpoint.user_metadata or {},
        expires_at=None if checkpoint.expires_at is None else checkpoint.expires_at.timestamp(),
        size_bytes=checkpoint.size_bytes,
    )
