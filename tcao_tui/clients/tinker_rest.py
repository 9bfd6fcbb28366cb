"""Checkpoints as the server lists them: find, delete, extend. Every feature here may be missing on a backend."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import tinker
from tinker.lib.public_interfaces.api_future import APIFuture
from tinker.types import Checkpoint

from tcao_tui.clients.tinker_errors import SDK_ERRORS, status_of, translate
from tcao_tui.clients.tinker_port import RemoteCheckpoint, Unsupported

RUN_KEY = "tcao_run"
"""Key of the user metadata that names our run."""

_PAGE = 1000
_REST_SECONDS = 60.0
_NOT_OFFERED = (404, 405, 501)


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
            listed = [c async for c in self._of_user()]
        except Unsupported:
            listed = [c async for c in self._of_training_runs(run_id)]
        mine = [c for c in listed if (c.user_metadata or {}).get(RUN_KEY) == run_id]
        return [remote(c) for c in sorted(mine, key=lambda c: c.time)]

    async def find(self, training_run_id: str, name: str, kind: str, metadata: Mapping[str, str]) -> str | None:
        """Path of the checkpoint of this training run, name and kind, if it carries all of `metadata`."""
        listed = await self._call(self._rest.list_checkpoints(training_run_id), "listing checkpoints")
        for checkpoint in map(remote, listed.checkpoints):
            carries = all(checkpoint.metadata.get(key) == value for key, value in metadata.items())
            if checkpoint.name == name and checkpoint.kind == kind and metadata and carries:
                return checkpoint.path
        return None

    async def delete(self, path: str) -> None:
        """Delete for good; one that is already gone is no error."""
        try:
            await self._call(self._rest.delete_checkpoint_from_tinker_path(path), f"deleting {path}")
        except Unsupported as error:
            if error.__cause__ is None or status_of(error.__cause__) != 404:
                raise

    async def set_ttl(self, path: str, ttl_seconds: int | None) -> None:
        """Set or remove the expiry."""
        await self._call(
            self._rest.set_checkpoint_ttl_from_tinker_path(path, ttl_seconds), f"changing expiry of {path}"
        )

    async def _of_user(self) -> AsyncIterator[Checkpoint]:
        offset = 0
        while True:
            page = await self._call(self._rest.list_user_checkpoints(_PAGE, offset), "listing checkpoints")
            for checkpoint in page.checkpoints:
                yield checkpoint
            offset += len(page.checkpoints)
            if not page.checkpoints or page.cursor is None or offset >= page.cursor.total_count:
                return

    async def _of_training_runs(self, run_id: str) -> AsyncIterator[Checkpoint]:
        offset = 0
        while True:
            page = await self._call(self._rest.list_training_runs(_PAGE, offset), "listing training runs")
            for run in page.training_runs:
                if (run.user_metadata or {}).get(RUN_KEY) == run_id:
                    listed = await self._call(self._rest.list_checkpoints(run.training_run_id), "listing checkpoints")
                    for checkpoint in listed.checkpoints:
                        yield checkpoint
            offset += len(page.training_runs)
            if not page.training_runs or offset >= page.cursor.total_count:
                return

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
