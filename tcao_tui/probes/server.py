"""The server of a profile for the calls of a helper process: REST at once, a session only when something needs one."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import tinker
from tinker.lib.base_url import resolve_base_url

from tcao_tui.clients.tinker_errors import SDK_ERRORS, clean, translate
from tcao_tui.clients.tinker_port import Transient
from tcao_tui.clients.tinker_sdk import in_daemon_thread
from tcao_tui.clients.tinker_waiting import answers_health
from tcao_tui.services.backends import Connection, Profile, connection, resolve_profile
from tcao_tui.settings import load_settings

CLOSE_SECONDS = 15.0
"""Longest wait for the end of a session to be told."""


class Server:
    """Access to one server.

    Args:
        profile: Name of its profile; None is the one that every command would use.
        purpose: Kept by the server with the session, so that a person who lists sessions knows it.
    """

    def __init__(self, profile: str | None, purpose: str) -> None:
        os.environ.setdefault("TINKER_TELEMETRY", "0")
        self._name = profile
        self._purpose = purpose
        self._lock = asyncio.Lock()
        self._rest: tinker.RestClient | None = None
        self._service: tinker.ServiceClient | None = None
        self._kept: dict[object, Any] = {}

    @cached_property
    def profile(self) -> Profile:
        """What the settings say of it. Raises `UsageError`."""
        return resolve_profile(load_settings(), self._name)

    @cached_property
    def connection(self) -> Connection:
        """Address and key. Raises `BackendError` or `CredentialsError`."""
        return connection(self.profile)

    @property
    def address(self) -> str:
        """Where it is."""
        return resolve_base_url(self.connection.base_url)

    @property
    def api_key(self) -> str | None:
        """The key; None leaves the search for one to the SDK."""
        key = self.connection.api_key
        return key.get_secret_value() if key else None

    async def rest(self) -> tinker.RestClient:
        """For everything that needs no session.

        Raises:
            Transient: Nobody answers at the address.
            CredentialsError: There is no key.
        """
        async with self._lock:
            if self._rest is None:
                await self._reach()
                opening = partial(tinker.RestClient, base_url=self.address, api_key=self.api_key)
                self._rest = await _opened(opening)
            return self._rest

    async def service(self) -> tinker.ServiceClient:
        """A session, opened when first asked for. Raises as `rest` does."""
        async with self._lock:
            if self._service is None:
                await self._reach()
                service = tinker.ServiceClient(
                    user_metadata={"purpose": self._purpose}, base_url=self.address, api_key=self.api_key
                )
                await _opened(lambda: service.holder)
                self._service = service
            return self._service

    def kept[T](self, make: Callable[[Server], T]) -> T:
        """What `make` makes of this server, made once: for calls that leave something open for the next one."""
        if make not in self._kept:
            self._kept[make] = make(self)
        return self._kept[make]

    async def close(self) -> None:
        """End the session, if there is one; a server that does not answer is left."""
        if self._service is not None:
            service, self._service = self._service, None
            with contextlib.suppress(*SDK_ERRORS):
                await service.close("success").result_async(CLOSE_SECONDS)

    async def _reach(self) -> None:
        if not await answers_health(self.address):
            raise Transient(f"no Tinker server answers at {clean(self.address)}", next_step="tcao doctor")


async def _opened[T](opening: Callable[[], T]) -> T:
    try:
        return await in_daemon_thread(opening)
    except SDK_ERRORS as error:
        raise translate(error, "reaching the server") from error
