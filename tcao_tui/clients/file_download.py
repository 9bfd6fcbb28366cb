"""Fetches files over HTTP; a broken transfer goes on where it broke: ranges, `.part` files, one rename at the end.

A part is continued only when the server says that the file is still the same (ETag); links that have expired are asked
for anew. Out of scope: where links come from, and what the files hold.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from tcao_tui.clients.tinker_port import Outage
from tcao_tui.errors import BackendError, Refused

MOST_FAILURES = 5
"""Breaks in a row without one new byte after which a transfer is given up."""

PAUSE_SECONDS = 1.0
"""Wait after the first break, doubled after each further one."""

SPARE_BYTES = 64 << 20
"""Left free on the disk."""

ANSWER_SECONDS = 60.0
_EXPIRED = (400, 401, 403, 410)
_PARTIAL, _UNSATISFIABLE = 206, 416

type Links = Callable[[], Awaitable[Mapping[str, str]]]
"""Asks for new links, one per file name."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """How a transfer went: bytes in all, and those that were there from an earlier one."""

    total_bytes: int
    kept_bytes: int


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a server said of a file: `start` is where its bytes begin."""

    start: int
    total: int | None
    etag: str


class Fetcher:
    """Fetches the files of one set of links into a folder.

    Args:
        client: Sends no key: a link is its own permission.
        links: Where links come from, also when they have expired.
        folder: Where the files go; made when missing.
        on_bytes: Told bytes done of bytes in all, None while unknown.
        pause_seconds: See `PAUSE_SECONDS`.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        links: Links,
        folder: Path,
        on_bytes: Callable[[int, int | None], None],
        *,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._client, self._ask, self._folder = client, links, folder
        self._on_bytes, self._pause_seconds = on_bytes, pause_seconds
        self._links: Mapping[str, str] = {}
        self._renewed = False
        self._done = 0
        self._total: int | None = None

    async def fetch(self, places: Mapping[str, Path]) -> Fetched:
        """Fetch files by their name in the links, each to its place below the folder.

        Raises:
            Refused: The disk has no room for them.
            Outage: The transfer broke too often; what came is kept for the next try.
            BackendError: The server refuses.
        """
        self._links = await self._ask()
        paths = {name: self._folder / place for name, place in places.items()}
        self._done = sum(_size_of(path) for path in paths.values())
        missing = [name for name, path in paths.items() if not path.is_file()]
        sizes = [await self._size(name) for name in missing]
        kept = self._done + sum(_resume_point(paths[name])[0] for name in missing)
        if None not in sizes:
            self._total = self._done + sum(size or 0 for size in sizes)
            _require_room(self._folder, self._total - kept)
        for name in missing:
            self._done += await self._file(name, paths[name])
        return Fetched(self._done, kept)

    async def _size(self, name: str) -> int | None:
        """Bytes of a file; asked with a GET of one byte, since a signed link often allows nothing else."""
        for attempt in range(MOST_FAILURES):
            try:
                async with self._request(name, 0, "", end="0") as response:
                    if await self._is_expired(response):
                        continue
                    return _answer(response, name).total
            except httpx.TransportError:
                await asyncio.sleep(self._pause_seconds * 2**attempt)
        raise _broken(name, None)

    async def _file(self, name: str, path: Path) -> int:
        path.parent.mkdir(parents=True, exist_ok=True)
        failures, before = 0, _size_of(_part(path))
        while failures < MOST_FAILURES:
            try:
                if await self._go_on(name, path):
                    size = _size_of(_part(path))
                    _part(path).rename(path)
                    _note(path).unlink(missing_ok=True)
                    return size
            except httpx.TransportError:
                now = _size_of(_part(path))
                failures, before = (1 if now > before else failures + 1), now
                await asyncio.sleep(self._pause_seconds * 2 ** (failures - 1))
        raise _broken(name, _part(path))

    async def _go_on(self, name: str, path: Path) -> bool:
        """One request; False when the link had expired and was renewed."""
        start, etag = _resume_point(path)
        async with self._request(name, start, etag) as response:
            if response.status_code == _UNSATISFIABLE:
                _note(path).unlink(missing_ok=True)  # the part has nothing to do with the file
                return False
            if await self._is_expired(response):
                return False
            answer = _answer(response, name)
            if answer.start not in (0, start):
                raise BackendError(f"{name}: the server sent another range than was asked for")
            _note(path).write_text(answer.etag, encoding="utf-8")
            with _part(path).open("r+b" if answer.start else "wb") as file:
                file.seek(answer.start)
                await self._receive(response, file, answer)
        return True

    async def _receive(self, response: httpx.Response, file: IO[bytes], answer: _Answer) -> None:
        at = answer.start
        async for data in response.aiter_raw():
            file.write(data)
            at += len(data)
            self._renewed = False
            self._on_bytes(self._done + at, self._total)
        if answer.total is not None and at != answer.total:
            raise httpx.ReadError(f"{at} of {answer.total} bytes")

    def _request(
        self, name: str, start: int, etag: str, *, end: str = ""
    ) -> AbstractAsyncContextManager[httpx.Response]:
        headers = {"Accept-Encoding": "identity"}
        if start or end:
            headers |= {"Range": f"bytes={start}-{end}"}
        if etag:
            headers |= {"If-Range": etag}
        return self._client.stream("GET", self._links[name], headers=headers, timeout=ANSWER_SECONDS)

    async def _is_expired(self, response: httpx.Response) -> bool:
        """Whether the link had expired; there are new ones then. Once only, until a byte has come."""
        if response.status_code not in _EXPIRED or self._renewed:
            return False
        self._renewed = True
        self._links = await self._ask()
        return True


def _answer(response: httpx.Response, name: str) -> _Answer:
    if response.status_code >= 500 or response.status_code == 429:
        raise httpx.ReadError(f"the server answered {response.status_code}")
    if response.status_code not in (200, _PARTIAL):
        raise BackendError(f"{name}: the server refuses the download ({response.status_code})")
    etag = response.headers.get("ETag", "")
    if response.status_code == _PARTIAL:
        span, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        start = span.partition("-")[0]
        if not start.isdecimal():
            raise BackendError(f"{name}: the server sent a range without saying which")
        return _Answer(int(start), int(total) if total.isdecimal() else None, etag)
    length = response.headers.get("Content-Length", "")
    return _Answer(0, int(length) if length.isdecimal() else None, etag)


def _resume_point(path: Path) -> tuple[int, str]:
    """Bytes that may be kept, and what proves that they are of the same file; weak proofs are none."""
    try:
        etag = _note(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return 0, ""
    return (_size_of(_part(path)), etag) if etag and not etag.startswith("W/") else (0, "")


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.part.etag")


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _require_room(folder: Path, needed_bytes: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if needed_bytes + SPARE_BYTES > free:
        raise Refused(
            f"{needed_bytes:,} bytes are still to come, and the disk has {free:,} free",
            where=str(folder),
            next_step="make room, or name a folder on another disk with --out",
        )


def _broken(name: str, part: Path | None) -> Outage:
    kept = f"; {_size_of(part):,} bytes are kept" if part is not None else ""
    return Outage(f"{name}: the transfer broke {MOST_FAILURES} times{kept}", next_step="the same command goes on")
