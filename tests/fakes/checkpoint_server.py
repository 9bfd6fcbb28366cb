"""A server's checkpoints in memory, in place of `BackendHelper`: answers the calls of `clients.checkpoint_calls`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Self

from tcao_tui.clients.backend_calls import Nothing
from tcao_tui.clients.checkpoint_calls import (
    Acted,
    AskOffers,
    CheckpointPage,
    DeleteCheckpoints,
    DescribeCheckpoint,
    ListCheckpoints,
    ListingEnd,
    MissingOffers,
    OfferedAction,
    SetPublic,
    SetTtl,
    WeightsInfo,
)
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.domain.checkpoint_listing import ServerCheckpoint, TrainingRun
from tcao_tui.services.backend_helper import Ticket


class CheckpointServer:
    """Takes the place of the helper's class: each opening of it asks this same server."""

    def __init__(self, checkpoints: Sequence[ServerCheckpoint], missing: tuple[OfferedAction, ...] = ()) -> None:
        self.checkpoints = {checkpoint.path: checkpoint for checkpoint in checkpoints}
        self.missing = missing

    def __call__(self, profile: str, *, purpose: str) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""

    def call(self, call: Any, on_part: Callable[[Any], None] | None = None, ticket: Ticket | None = None) -> Any:
        match call:
            case ListCheckpoints():
                runs = {c.training_run for c in self.checkpoints.values()}
                self._tell(on_part, CheckpointPage(checkpoints=tuple(self.checkpoints.values())))
                told = tuple(TrainingRun(id=run, base_model="tiny", lora_rank=16) for run in sorted(runs))
                self._tell(on_part, CheckpointPage(training_runs=told))
                return ListingEnd()
            case AskOffers():
                return MissingOffers(missing=self.missing)
            case DescribeCheckpoint():
                return WeightsInfo(base_model="tiny", is_lora=True, lora_rank=16, train_mlp=True)
            case SetTtl(paths=paths, ttl_seconds=ttl_seconds):
                expires_at = None if ttl_seconds is None else time.time() + ttl_seconds
                return self._each("ttl", paths, on_part, expires_at=expires_at)
            case SetPublic(paths=paths, public=public):
                return self._each("publish", paths, on_part, public=public)
            case DeleteCheckpoints(paths=paths):
                for path in paths:
                    del self.checkpoints[path]
                    self._tell(on_part, Acted(path=path))
                return Nothing()
            case _:
                raise AssertionError(call)

    def _each(
        self, offer: OfferedAction, paths: Sequence[str], on_part: Callable[[Any], None] | None, **change: object
    ) -> Nothing:
        if offer in self.missing:
            raise Unsupported("not offered by this server")
        for path in paths:
            self.checkpoints[path] = self.checkpoints[path].model_copy(update=change)
            self._tell(on_part, Acted(path=path))
        return Nothing()

    def _tell(self, on_part: Callable[[Any], None] | None, part: object) -> None:
        if on_part is not None:
            on_part(part)
