"""Downloads weights: `weights.download`. What came before a break stays in the folder, and the next try goes on there.

`source.json` in the folder says of which weights, and of which export of them, the files are: a second try asks for the
same one, and never takes the files of other weights for its own.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
from pydantic import JsonValue

from tcao_tui.clients import external_weights
from tcao_tui.clients.backend_calls import Shape
from tcao_tui.clients.file_download import Fetched, Fetcher
from tcao_tui.clients.tinker_errors import clean
from tcao_tui.clients.tinker_port import Unsupported
from tcao_tui.clients.tinker_sdk import in_daemon_thread
from tcao_tui.clients.weight_calls import Downloaded, DownloadWeights, Progress
from tcao_tui.errors import BackendError, Refused, UsageError
from tcao_tui.probes.server import Server
from tcao_tui.store.atomic_file import write_text
from tcao_tui.store.checksums import SUMS_NAME, Altered, verify_sums, write_sums
from tcao_tui.store.unpacking import name_problem, unpack

SOURCE_NAME = "source.json"
_ARCHIVE = "archive"
_TOLD_BYTES = 1 << 20

type Tell = Callable[[Shape], None]


async def download(server: Server, arguments: JsonValue, tell: Tell) -> Downloaded:
    """`weights.download`.

    Raises:
        UsageError: The path is none, or of weights that no server gives away.
        Unsupported: This server gives none away.
        Outage: The transfer broke; the next call goes on.
        ArchiveRefused: The server sent an archive that must not be unpacked.
    """
    asked = DownloadWeights.model_validate(arguments)
    folder = Path(asked.folder)
    folder.mkdir(parents=True, exist_ok=True)
    kind = asked.path.removeprefix("tinker://").split("/")[1:2]
    if not asked.path.startswith("tinker://") or kind not in (["weights"], ["external_weights"]):
        raise UsageError(
            f"{clean(asked.path)} cannot be downloaded",
            next_step="name the training state, tinker://RUN/weights/NAME, or an export, .../external_weights/NAME",
        )
    is_state = kind == ["weights"]
    export = await in_daemon_thread(partial(_begun, folder, asked.path))
    if export is None:
        tell(Progress(doing="the files are here already"))
        return _received(folder)
    try:
        if is_state and not await _is_there(server, export):
            tell(Progress(doing="the server exports the weights"))
            export = await external_weights.export_state(server, asked.path)
            _note(folder, asked.path, export)
        fetched = await _fetch_export(server, export if is_state else asked.path, folder, tell)
    except Unsupported:
        if not is_state:
            raise
        fetched, export = await _fetch_archive(server, asked.path, folder, tell), ""
    tell(Progress(doing="checking the files"))
    _note(folder, asked.path, "")
    await in_daemon_thread(partial(write_sums, folder))
    left = export if export and not await external_weights.delete_export(server, export) else ""
    return _received(folder, kept_bytes=fetched.kept_bytes, left_behind=left)


def _begun(folder: Path, path: str) -> str | None:
    """The export that an earlier try made, "" where there is none; None where it has received and checked everything.

    What is of other weights is removed. Raises `Refused` when the folder holds what is not of a download at all.
    """
    if not (folder / SOURCE_NAME).exists() and any(folder.iterdir()):
        raise Refused("there are other files already", where=str(folder), next_step="name a new folder")
    try:
        noted: Any = json.loads((folder / SOURCE_NAME).read_text(encoding="utf-8"))
        begun, export = noted["path"] == path, str(noted["export"])
    except (OSError, ValueError, KeyError, TypeError):
        begun, export = False, ""
    if begun and (folder / SUMS_NAME).exists():
        with contextlib.suppress(Altered):
            verify_sums(folder)
            return None
    if not begun or (folder / SUMS_NAME).exists():
        shutil.rmtree(folder)
        folder.mkdir()
        _note(folder, path, "")
    return export if begun else ""


def _note(folder: Path, path: str, export: str) -> None:
    write_text(folder / SOURCE_NAME, json.dumps({"path": path, "export": export}) + "\n")


def _received(folder: Path, *, kept_bytes: int | None = None, left_behind: str = "") -> Downloaded:
    own = (SOURCE_NAME, SUMS_NAME)
    files = {p.relative_to(folder).as_posix(): p.stat().st_size for p in sorted(folder.rglob("*")) if p.is_file()}
    total = sum(size for name, size in files.items() if name not in own)
    return Downloaded(
        files=tuple(name for name in files if name not in own),
        total_bytes=total,
        kept_bytes=total if kept_bytes is None else kept_bytes,
        left_behind=left_behind,
    )


async def _is_there(server: Server, export: str) -> bool:
    """Whether the export of an earlier try can still be fetched."""
    if not export:
        return False
    try:
        await external_weights.links(server, export)
    except (Unsupported, BackendError):
        return False
    return True


async def _fetch_export(server: Server, export: str, folder: Path, tell: Tell) -> Fetched:
    async def links() -> Mapping[str, str]:
        return await external_weights.links(server, export)

    places = {name: _place(name) for name in await links()}
    async with httpx.AsyncClient(follow_redirects=True) as client:
        return await Fetcher(client, links, folder, _teller(tell)).fetch(places)


def _place(name: str) -> Path:
    problem = "it is a name of our own" if name in (SOURCE_NAME, SUMS_NAME) else name_problem(name)
    if problem:
        raise BackendError(f"the server names a file that must not be written: {problem}", where=clean(name))
    return Path(PurePosixPath(name))


async def _fetch_archive(server: Server, path: str, folder: Path, tell: Tell) -> Fetched:
    async def links() -> Mapping[str, str]:
        return {_ARCHIVE: await external_weights.archive_link(server, path)}

    async with httpx.AsyncClient(follow_redirects=True) as client:
        fetched = await Fetcher(client, links, folder, _teller(tell)).fetch({_ARCHIVE: Path(_ARCHIVE)})
    tell(Progress(doing="unpacking"))
    await in_daemon_thread(partial(_unpack, folder))
    return fetched


def _unpack(folder: Path) -> None:
    archive, unpacked = folder / _ARCHIVE, folder / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    files = unpack(archive, unpacked)
    # Where in the archive the adapter lies is the server's choice.
    tops = [unpacked / file.parent for file in files if file.name == "adapter_config.json"]
    if not tops:
        raise BackendError("the server's archive holds no adapter", where=str(archive))
    for entry in [*tops[0].iterdir()]:
        if entry != unpacked:
            entry.rename(folder / entry.name)
    shutil.rmtree(unpacked, ignore_errors=True)
    archive.unlink()


def _teller(tell: Tell) -> Callable[[int, int | None], None]:
    told = -_TOLD_BYTES

    def on_bytes(done: int, total: int | None) -> None:
        nonlocal told
        if done - told >= _TOLD_BYTES or done == total:
            told = done
            tell(Progress(doing="downloading", done=done, total=total, unit="bytes"))

    return on_bytes
