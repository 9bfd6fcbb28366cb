"""Handlers of `clients.checkpoint_calls`: what a server is asked about checkpoints, in the helper process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import httpx
from pydantic import JsonValue
from tinker.lib.console_urls import checkpoint_console_url
from tinker.types import Checkpoint

from tcao_tui.clients import tinker_rest
from tcao_tui.clients.backend_calls import Nothing, Shape
from tcao_tui.clients.checkpoint_calls import (
    Acted,
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
from tcao_tui.clients.prices import is_tinker
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.clients.tinker_rest import SdkCheckpoints
from tcao_tui.domain.checkpoint_listing import ServerCheckpoint, TrainingRun, training_run_of
from tcao_tui.errors import BackendError
from tcao_tui.probes.server import Server

type Tell = Callable[[Shape], None]

_AT_ONCE = 8
"""Requests to one server at a time."""

_OFFER_SECONDS = 10.0
_CHECKPOINT = "training_runs/none/checkpoints/weights/none"
_ADDRESSES: dict[OfferedAction, tuple[str, ...]] = {
    "list": ("checkpoints", "training_runs/none/checkpoints"),
    "describe": ("weights_info",),
    "ttl": (f"{_CHECKPOINT}/ttl",),
    "publish": (f"{_CHECKPOINT}/publish",),
    "delete": (_CHECKPOINT,),
    "download": (f"{_CHECKPOINT}/external_weights_urls", "save_weights_external"),
}
"""Where each action is, under /api/v1/; all of them are needed but for `list`, of which one is enough."""

_ALWAYS_THERE = "client/config"
"""An address that SDK 0.38 cannot do without."""


async def list_checkpoints(server: Server, arguments: JsonValue, tell: Tell) -> ListingEnd:
    """`checkpoints.list`."""
    wanted = ListCheckpoints.model_validate(arguments)
    listed = SdkCheckpoints(await server.rest())
    if wanted.training_run is not None:
        found = await listed.of_training_run(wanted.training_run)
        tell(CheckpointPage(checkpoints=_listed(found), total=len(found)))
        return ListingEnd()
    runs = asyncio.create_task(_tell_training_runs(listed, tell))
    try:
        try:
            async for page in listed.pages():
                tell(CheckpointPage(checkpoints=_listed(page.checkpoints), total=page.total))
        except Unsupported:
            await _list_by_runs(listed, await runs, tell)
            return ListingEnd(by_runs=True)
        await runs
        return ListingEnd()
    finally:
        runs.cancel()


async def _tell_training_runs(listed: SdkCheckpoints, tell: Tell) -> list[str] | None:
    """Tell all training runs; returns their ids, None where the server does not list them."""
    ids: list[str] = []
    try:
        async for page in listed.training_runs():
            tell(CheckpointPage(training_runs=tuple(map(_training_run, page))))
            ids += [run.training_run_id for run in page]
    except Unsupported:
        return None
    return ids


async def _list_by_runs(listed: SdkCheckpoints, ids: Sequence[str] | None, tell: Tell) -> None:
    if ids is None:
        raise Unsupported("this server lists neither checkpoints nor training runs")

    async def of(training_run: str) -> None:
        found = await listed.of_training_run(training_run)
        if found:
            tell(CheckpointPage(checkpoints=_listed(found)))

    await _each(ids, of)


def _training_run(run: tinker_rest.TrainingRun) -> TrainingRun:
    return TrainingRun(
        id=run.training_run_id,
        base_model=run.base_model,
        lora_rank=run.lora_rank,
        corrupted=run.corrupted,
        metadata=run.user_metadata or {},
    )


def _listed(checkpoints: Sequence[Checkpoint]) -> tuple[ServerCheckpoint, ...]:
    return tuple(
        ServerCheckpoint(
            path=checkpoint.tinker_path,
            training_run=training_run_of(checkpoint.tinker_path),
            name=checkpoint.checkpoint_id.rpartition("/")[2],
            kind=checkpoint.checkpoint_type,
            created_at=checkpoint.time.timestamp(),
            size_bytes=checkpoint.size_bytes,
            expires_at=checkpoint.expires_at.timestamp() if checkpoint.expires_at else None,
            public=checkpoint.public,
            metadata=checkpoint.user_metadata or {},
        )
        for checkpoint in checkpoints
    )


async def describe(server: Server, arguments: JsonValue, tell: Tell) -> WeightsInfo:
    """`checkpoints.describe`."""
    path = DescribeCheckpoint.model_validate(arguments).path
    info = await SdkCheckpoints(await server.rest()).describe(path)
    checkpoint_id = path.removeprefix("tinker://").partition("/")[2]
    return WeightsInfo(
        base_model=info.base_model,
        is_lora=info.is_lora,
        lora_rank=info.lora_rank,
        train_mlp=info.train_mlp,
        train_attn=info.train_attn,
        train_unembed=info.train_unembed,
        console_url=checkpoint_console_url(training_run_of(path), checkpoint_id) if is_tinker(server.address) else "",
    )


async def set_ttl(server: Server, arguments: JsonValue, tell: Tell) -> Nothing:
    """`checkpoints.ttl`."""
    wanted = SetTtl.model_validate(arguments)
    listed = SdkCheckpoints(await server.rest())
    return await _act(wanted.paths, lambda path: listed.set_ttl(path, wanted.ttl_seconds), tell)


async def set_public(server: Server, arguments: JsonValue, tell: Tell) -> Nothing:
    """`checkpoints.publish`."""
    wanted = SetPublic.model_validate(arguments)
    listed = SdkCheckpoints(await server.rest())
    return await _act(wanted.paths, lambda path: listed.set_public(path, wanted.public), tell)


async def delete(server: Server, arguments: JsonValue, tell: Tell) -> Nothing:
    """`checkpoints.delete`."""
    wanted = DeleteCheckpoints.model_validate(arguments)
    return await _act(wanted.paths, SdkCheckpoints(await server.rest()).delete, tell)


async def _act(paths: Sequence[str], act: Callable[[str], Awaitable[None]], tell: Tell) -> Nothing:
    """Act on each path; what fails for one is told of it, what the server does not offer fails the whole."""

    async def on(path: str) -> None:
        try:
            await act(path)
            tell(Acted(path=path))
        except Unsupported:
            raise
        except BackendError as error:
            tell(Acted(path=path, error=error.what))

    await _each(paths, on)
    return Nothing()


async def _each(items: Sequence[str], act: Callable[[str], Awaitable[None]]) -> None:
    """Act on each, some at once, begun in their order; the first error ends it."""
    waiting = iter(items)

    async def work() -> None:
        for item in waiting:
            await act(item)

    workers = [asyncio.create_task(work()) for _ in range(min(_AT_ONCE, len(items)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()


async def offers(server: Server, arguments: JsonValue, tell: Tell) -> MissingOffers:
    """`checkpoints.offers`: asks with OPTIONS, which changes nothing, what addresses there are.

    A server that denies even what it must have says nothing by that, and then nothing is taken to be missing.
    """
    await server.rest()
    async with httpx.AsyncClient(
        base_url=f"{server.address}/api/v1/",
        headers={"X-API-Key": server.api_key} if server.api_key else {},
        timeout=_OFFER_SECONDS,
    ) as client:
        if not await _is_there(client, _ALWAYS_THERE):
            return MissingOffers()
        return MissingOffers(missing=tuple([action async for action in _missing(client)]))


async def _missing(client: httpx.AsyncClient) -> AsyncIterator[OfferedAction]:
    for action, addresses in _ADDRESSES.items():
        there = [await _is_there(client, address) for address in addresses]
        if not (any(there) if action == "list" else all(there)):
            yield action


async def _is_there(client: httpx.AsyncClient, address: str) -> bool:
    return (await client.options(address)).status_code not in (404, 501)
