"""Weights of a checkpoint as files: links to an export of the server, or an archive where it knows no exports.

A training state has to be loaded into a training run before it can be exported, which a server may charge for; such an
export is temporary, and is deleted or expires within the hour.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping
from typing import Protocol

import httpx
import tinker
from tinker.lib.public_interfaces.api_future import APIFuture

from tcao_tui.clients.tinker_errors import SDK_ERRORS, clean, status_of, translate
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.errors import BackendError, CredentialsError

TEMPORARY_SECONDS = 3600
"""The shortest life that a server lets a checkpoint have."""

_REST_SECONDS = 60.0
_NOT_OFFERED = (404, 405, 501)


class Connected(Protocol):
    """A server that can be asked; `probes.server.Server` is one."""

    @property
    def address(self) -> str:
        """Where it is."""
        ...

    @property
    def api_key(self) -> str | None:
        """The key, or None where the SDK finds it by itself."""
        ...

    async def rest(self) -> tinker.RestClient:
        """For what needs no session."""
        ...

    async def service(self) -> tinker.ServiceClient:
        """For what does."""
        ...


async def export_state(server: Connected, path: str) -> str:
    """Export a training state; returns the path of the export, which lives for an hour.

    Raises:
        Unsupported: The server knows no exports.
        BackendError: There is no such state, or the server refuses.
    """
    service = await server.service()
    notes = {"created_by": "tcao export"}
    try:
        training = await service.create_training_client_from_state(path, user_metadata=notes)
    except SDK_ERRORS as error:
        if status_of(error) == 404:
            raise BackendError(f"the server has no checkpoint {clean(path)}", next_step="tcao ckpt ls") from error
        raise translate(error, f"loading {clean(path)}") from error
    saving = training.save_weights_external(f"tcao-{uuid.uuid4().hex[:12]}", ttl_seconds=TEMPORARY_SECONDS)
    return (await _asked(saving, "exporting the weights", None)).path


async def links(server: Connected, path: str) -> Mapping[str, str]:
    """A signed link to each file of an export, by its name.

    Raises:
        Unsupported: The server gives no links.
        BackendError: The export is gone, or the server refuses.
    """
    rest = await server.rest()
    found = await _asked(rest.get_external_weights_urls(path), "asking for download links", _REST_SECONDS)
    if not found.urls:
        raise BackendError(f"{clean(path)} has no files")
    return found.urls


async def delete_export(server: Connected, path: str) -> bool:
    """Delete an export; False when it stays until it expires."""
    rest = await server.rest()
    with contextlib.suppress(*SDK_ERRORS):
        await rest.delete_checkpoint_from_tinker_path(path).result_async(_REST_SECONDS)
        return True
    return False


async def archive_link(server: Connected, path: str) -> str:
    """Link to a checkpoint as one archive, as servers of SDK versions before external weights give it.

    Raises:
        Unsupported: The server gives none.
        CredentialsError: It refuses the key.
    """
    training_run, _, checkpoint = path.removeprefix("tinker://").partition("/")
    address = f"{server.address.rstrip('/')}/api/v1/training_runs/{training_run}/checkpoints/{checkpoint}/archive"
    headers = {"X-API-Key": server.api_key} if server.api_key else {}
    # The redirect is not followed here: where it leads, our key must not go.
    async with httpx.AsyncClient(follow_redirects=False, timeout=_REST_SECONDS) as client:
        answer = await client.get(address, headers={**headers, "Accept": "application/gzip"})
    if answer.is_redirect:
        return str(answer.url.join(answer.headers["Location"]))
    if answer.status_code in (401, 403):
        raise CredentialsError("the server refused the key", next_step="tcao doctor")
    raise Unsupported("this server gives weights away in no way that we know")


async def _asked[T](future: APIFuture[T], doing: str, seconds: float | None) -> T:
    try:
        return await future.result_async(seconds)
    except SDK_ERRORS as error:
        if status_of(error) in _NOT_OFFERED:
            raise Unsupported(f"{doing}: not offered by this server, or it is gone") from error
        raise translate(error, doing) from error
